"""The local gateway answers as API Gateway's REST APIs do."""

import base64
import io
from collections.abc import Callable
from typing import Any, cast

import pytest
from werkzeug.serving import DechunkedInput
from werkzeug.test import Client, TestResponse
from werkzeug.wsgi import LimitedStream

from tests.local.standins import Scripted
from tools.local.gateway import MAX_BODY_BYTES, Gateway
from tools.local.runner import PayloadTooLarge, Runner, Throttled, Timeout
from tools.template import Template, TemplateInvalid

ReadTemplate = Callable[..., Template]

TEMPLATE = """
    Transform: AWS::Serverless-2016-10-31
    Globals: {Function: {Handler: app.handler, Runtime: python3.13}}
    Resources:
      Api:
        Type: AWS::Serverless::Api
        Properties:
          StageName: v1
          BinaryMediaTypes: ["image~1png", "multipart~1form-data"]
          Auth:
            DefaultAuthorizer: Bearer
            AddDefaultAuthorizerToCorsPreflight: false
            Authorizers:
              Bearer:
                FunctionArn: !GetAtt AuthorizeFunction.Arn
                FunctionPayloadType: TOKEN
                Identity: {ReauthorizeEvery: 60}
          GatewayResponses:
            UNAUTHORIZED:
              StatusCode: "401"
              ResponseParameters:
                Headers:
                  x-correlation-id: context.requestId
                  Access-Control-Allow-Origin: method.request.header.Origin
                  Vary: "'Origin'"
              ResponseTemplates:
                application/json: '{"code": "NO", "id": "$context.requestId", "message": $context.error.messageString}'
            MISSING_AUTHENTICATION_TOKEN:
              StatusCode: "404"
              ResponseTemplates: {application/json: '{"type": "${context.error.responseType}"}'}
            DEFAULT_5XX: {ResponseTemplates: {application/json: '{"code": "BROKEN"}'}}
      AuthorizeFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/a}}
      EchoFunction:
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: functions/e
          Events:
            Get: {Type: Api, Properties: {RestApiId: !Ref Api, Method: GET, Path: "/things/{thing}"}}
            Mine: {Type: Api, Properties: {RestApiId: !Ref Api, Method: GET, Path: "/things/mine"}}
            Rest: {Type: Api, Properties: {RestApiId: !Ref Api, Method: ANY, Path: "/files/{rest+}"}}
            Post: {Type: Api, Properties: {RestApiId: !Ref Api, Method: POST, Path: /things}}
            Delete: {Type: Api, Properties: {RestApiId: !Ref Api, Method: DELETE, Path: "/things/{thing}"}}
      PreflightFunction:
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: functions/p
          Events:
            Options:
              Type: Api
              Properties: {RestApiId: !Ref Api, Method: OPTIONS, Path: "/things/{thing}", Auth: {Authorizer: NONE}}
"""
REQUEST_TYPE = TEMPLATE.replace("FunctionPayloadType: TOKEN", "FunctionPayloadType: REQUEST").replace(
    "{ReauthorizeEvery: 60}", "{Headers: [X-Key], QueryStrings: [tenant]}"
)


def policy(*statements: tuple[str, str], action: str = "execute-api:Invoke", **context: Any) -> dict[str, Any]:
    """Return an authorizer's answer with statements of (effect, resource)."""
    listed = [{"Effect": effect, "Action": action, "Resource": resource} for effect, resource in statements]
    document = {"Version": "2012-10-17", "Statement": listed}
    return {"principalId": "ada", "policyDocument": document, "context": context}


ANY = "arn:aws:execute-api:*/*"
ALLOW = policy(("Allow", ANY), sub="ada", admin=False, exp=12)
OK = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}", "isBase64Encoded": False}
TOKEN = {"Authorization": "Bearer good"}


class Api:
    """A gateway over scripted functions."""

    def __init__(self, template: Template) -> None:
        self.functions = Scripted({"AuthorizeFunction": [ALLOW], "EchoFunction": [OK], "PreflightFunction": [OK]})
        self._client = Client(Gateway(template, cast(Runner, self.functions)))

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        """Send a request, by default with a token."""
        return self._client.open(path, method=method, headers=TOKEN if headers is None else headers, **options)

    def handled(self) -> list[Any]:
        """Return the events that reached the function."""
        return self.functions.events_of("EchoFunction")

    def authorized(self) -> list[Any]:
        """Return the events that reached the authorizer."""
        return self.functions.events_of("AuthorizeFunction")


@pytest.fixture
def api(read_template: ReadTemplate) -> Api:
    return Api(read_template(TEMPLATE))


def test_request_becomes_a_proxy_event(api: Api) -> None:
    answer = api.call("GET", "/things/a%7Cb?wait=3&wait=4&name=%C3%A9")
    assert (answer.status_code, answer.text) == (200, "{}")
    (event,) = api.handled()
    assert (event["httpMethod"], event["resource"], event["path"]) == ("GET", "/things/{thing}", "/things/a%7Cb")
    assert event["queryStringParameters"] == {"wait": "4", "name": "é"}
    assert event["multiValueQueryStringParameters"] == {"wait": ["3", "4"], "name": ["é"]}
    assert event["headers"]["Authorization"] == "Bearer good"
    assert event["multiValueHeaders"]["Authorization"] == ["Bearer good"]
    assert (event["body"], event["isBase64Encoded"], event["stageVariables"]) == (None, False, None)
    context = event["requestContext"]
    assert context["authorizer"] == {"sub": "ada", "admin": "false", "exp": "12", "principalId": "ada"}
    assert (context["stage"], context["path"]) == ("v1", "/v1/things/a%7Cb")


@pytest.mark.parametrize(
    "sent", ["auth0|ada", "auth0%7cada", "saml%7Cnoor%2F42%2B%24%25", "%252F", "a+b", "%C3%A9", "%", "%00", "a;b=c"]
)
def test_path_parameter_keeps_its_percent_encoding(sent: str, api: Api) -> None:
    for target in (f"/things/{sent}?x=%7C", f"http://api.example.com/things/{sent}"):
        answer = api.call("GET", "/", environ_overrides={"REQUEST_URI": target})
        assert answer.status_code == 200
        event = api.handled()[-1]
        assert (event["path"], event["pathParameters"]) == (f"/things/{sent}", {"thing": sent})


@pytest.mark.parametrize(
    ("method", "path", "resource", "parameters"),
    [
        ("GET", "/things/mine", "/things/mine", None),
        ("DELETE", "/things/1", "/things/{thing}", {"thing": "1"}),
        ("PUT", "/files/a/b%2Fc", "/files/{rest+}", {"rest": "a/b%2Fc"}),
    ],
)
def test_most_specific_route_is_chosen(
    method: str, path: str, resource: str, parameters: dict[str, str] | None, api: Api
) -> None:
    assert api.call(method, path).status_code == 200
    (event,) = api.handled()
    assert (event["resource"], event["pathParameters"]) == (resource, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("DELETE", "/things"), ("HEAD", "/things/1"), ("GET", "//things/1"), ("GET", "/things//1")],
)
def test_unknown_route_gets_the_templates_answer(method: str, path: str, api: Api) -> None:
    answer = api.call(method, path)
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json == {"type": "MISSING_AUTHENTICATION_TOKEN"}
    assert api.functions.calls == []


def test_undeclared_gateway_response_gets_api_gateways_default(read_template: ReadTemplate) -> None:
    api = Api(read_template(TEMPLATE.replace("MISSING_AUTHENTICATION_TOKEN", "THROTTLED")))
    answer = api.call("GET", "/nothing")
    assert (answer.status_code, answer.json) == (403, {"message": "Missing Authentication Token"})


def test_each_request_has_its_own_id(api: Api) -> None:
    answers = [api.call("GET", "/things/1") for _ in range(2)]
    ids = [event["requestContext"]["requestId"] for event in api.handled()]
    assert len(set(ids)) == 2
    assert [answer.headers["x-amzn-RequestId"] for answer in answers] == ids


def test_request_without_token_gets_the_templates_401_and_invokes_nothing(api: Api) -> None:
    answer = api.call("GET", "/things/1", {"Origin": "https://page"})
    assert answer.status_code == 401
    assert answer.headers["x-correlation-id"] == answer.headers["x-amzn-RequestId"]
    assert (answer.headers["Access-Control-Allow-Origin"], answer.headers["Vary"]) == ("https://page", "Origin")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {"code": "NO", "id": answer.headers["x-correlation-id"], "message": "Unauthorized"}
    assert api.functions.calls == []
    assert "Access-Control-Allow-Origin" not in api.call("GET", "/things/1", {}).headers


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (Exception("Unauthorized"), 401, "NO"),
        (policy(("Deny", ANY)), 403, "User is not authorized"),
        (policy(("Allow", ANY), ("Deny", ANY)), 403, "User is not authorized"),
        (policy(("Allow", "arn:aws:execute-api:*/v1/GET/other")), 403, "User is not authorized"),
        (policy(("Allow", ANY), action="s3:*"), 403, "User is not authorized"),
        (Exception("the issuer is down"), 500, "BROKEN"),
        (Exception("Unauthorized: nearly"), 500, "BROKEN"),
        ({"principalId": "ada"}, 500, "BROKEN"),
        ("yes", 500, "BROKEN"),
        ({**ALLOW, "context": {"list": [1]}}, 500, "BROKEN"),
    ],
)
def test_authorizer_refusal_is_answered_without_the_function(answer: Any, status: int, body: str, api: Api) -> None:
    api.functions.answers["AuthorizeFunction"] = [answer]
    response = api.call("GET", "/things/1")
    assert response.status_code == status
    assert body in response.text
    assert api.handled() == []


def test_policy_of_one_route_is_cached_and_refuses_another_route(api: Api) -> None:
    api.functions.answers["AuthorizeFunction"] = [policy(("Allow", "arn:aws:execute-api:*:*:*/v?/GET/things/1"))]
    assert [api.call("GET", f"/things/{thing}").status_code for thing in (1, 2)] == [200, 403]
    assert len(api.authorized()) == 1


def test_policy_is_cached_per_token_and_failures_are_not(api: Api) -> None:
    for token in ("Bearer good", "Bearer good", "Bearer one,Bearer two"):
        api.call("GET", "/things/1", {"Authorization": token})
    assert [event["authorizationToken"] for event in api.authorized()] == ["Bearer good", "Bearer one,Bearer two"]
    api.functions.answers["AuthorizeFunction"] = [Exception("Unauthorized")]
    for _ in range(2):
        assert api.call("GET", "/things/1", {"Authorization": "Bearer bad"}).status_code == 401
    assert len(api.authorized()) == 4


def test_cached_policy_is_dropped_when_the_authorizers_code_changes(api: Api) -> None:
    for released in (0, 0, 1):
        api.functions.released = released
        api.call("GET", "/things/1")
    assert len(api.authorized()) == 2


def test_cached_policy_expires(read_template: ReadTemplate) -> None:
    api = Api(read_template(TEMPLATE.replace("ReauthorizeEvery: 60", "ReauthorizeEvery: 0")))
    for _ in range(2):
        assert api.call("GET", "/things/1").status_code == 200
    assert len(api.authorized()) == 2


def test_token_authorizer_gets_token_and_method_arn(api: Api) -> None:
    api.call("GET", "/things/a%7Cb")
    assert api.authorized() == [
        {
            "type": "TOKEN",
            "methodArn": "arn:aws:execute-api:us-east-1:123456789012:local/v1/GET/things/a%7Cb",
            "authorizationToken": "Bearer good",
        }
    ]


def test_request_authorizer_gets_the_request_and_is_cached_per_identity(read_template: ReadTemplate) -> None:
    api = Api(read_template(REQUEST_TYPE))
    assert api.call("GET", "/things/1?tenant=a", {}).status_code == 401
    assert api.call("GET", "/things/1", {"X-Key": "k"}).status_code == 401
    for tenant in "aab":
        assert api.call("GET", f"/things/1?tenant={tenant}", {"X-Key": "k"}).status_code == 200
    events = api.authorized()
    assert [event["queryStringParameters"] for event in events] == [{"tenant": "a"}, {"tenant": "b"}]
    assert (events[0]["type"], events[0]["resource"], events[0]["headers"]["X-Key"]) == (
        "REQUEST",
        "/things/{thing}",
        "k",
    )


def test_preflight_needs_no_token(api: Api) -> None:
    assert api.call("OPTIONS", "/things/1", {}).status_code == 200
    assert [name for name, _ in api.functions.calls] == ["PreflightFunction"]


def test_function_answer_sets_status_headers_and_body(api: Api) -> None:
    api.functions.answers["EchoFunction"] = [
        {"statusCode": "201", "headers": {"A": 1}, "multiValueHeaders": {"B": ["x", "y"]}, "body": "text"}
    ]
    answer = api.call("GET", "/things/1")
    assert (answer.status_code, answer.text, answer.headers["A"]) == (201, "text", "1")
    assert answer.headers.getlist("B") == ["x", "y"]
    assert answer.headers["Content-Type"] == "application/json"


def test_base64_answer_is_decoded_for_clients_that_accept_a_binary_type(api: Api) -> None:
    api.functions.answers["EchoFunction"] = [{"statusCode": 200, "body": "/3t9", "isBase64Encoded": True}]
    assert api.call("GET", "/things/1", {**TOKEN, "Accept": "image/png, */*"}).data == b"\xff{}"
    assert api.call("GET", "/things/1").data == b"/3t9"


@pytest.mark.parametrize(
    "answer",
    ["no object", {"statusCode": 200, "unknown": 1}, {"statusCode": "many"}, {"body": "x"}],
)
def test_malformed_answer_is_502(answer: Any, api: Api) -> None:
    api.functions.answers["EchoFunction"] = [answer]
    response = api.call("GET", "/things/1")
    assert (response.status_code, response.json) == (502, {"code": "BROKEN"})


def test_exception_of_a_function_is_shown_in_a_shaped_502(api: Api) -> None:
    api.functions.answers["EchoFunction"] = [ValueError("wrong")]
    response = api.call("GET", "/things/1")
    assert (response.status_code, response.json) == (502, {"code": "BROKEN", "traceback": ["ValueError: wrong"]})


@pytest.mark.parametrize(("error", "status"), [(Throttled(), 502), (Timeout(), 504), (PayloadTooLarge(), 413)])
def test_lambda_refusal_is_answered(error: Exception, status: int, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke = api.functions.invoke

    def refuse(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "EchoFunction":
            raise error
        return invoke(name, *arguments, **options)

    monkeypatch.setattr(api.functions, "invoke", refuse)
    assert api.call("GET", "/things/1").status_code == status


def test_body_over_ten_megabytes_is_413(api: Api) -> None:
    assert api.call("POST", "/things", data=b"x" * MAX_BODY_BYTES).status_code == 200
    assert api.call("POST", "/things", data=b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    assert len(api.handled()) == 1


@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n0\r\n\r\n", b"10\r\n{}", b""])
def test_malformed_chunks_are_400(chunks: bytes, api: Api) -> None:
    sent = {"wsgi.input": DechunkedInput(io.BytesIO(chunks)), "wsgi.input_terminated": True}
    refused = api.call("POST", "/things", environ_overrides=sent)
    assert (refused.status_code, refused.json) == (400, {"message": "Bad request"})
    assert api.handled() == []


def test_incomplete_body_is_400(api: Api) -> None:
    sent = {"wsgi.input": LimitedStream(io.BytesIO(b"{}"), 100), "CONTENT_LENGTH": "100"}
    assert api.call("POST", "/things", environ_overrides=sent).status_code == 400
    assert api.handled() == []


def test_only_binary_types_are_base64_encoded(api: Api) -> None:
    api.call("POST", "/things", data=b"\xff{}", content_type="application/json")
    api.call("POST", "/things", data=b"\xff{}", content_type="image/png")
    text, binary = api.handled()
    assert (text["body"], text["isBase64Encoded"]) == ("\N{REPLACEMENT CHARACTER}{}", False)
    assert (binary["body"], binary["isBase64Encoded"]) == ("/3t9", True)


@pytest.mark.parametrize("type_", ["multipart/form-data; boundary=x", "Multipart/Form-Data;boundary=x"])
def test_form_reaches_the_function_byte_for_byte(type_: str, api: Api) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\xff\x00\r\n--x--\r\n'
    api.call("POST", "/things", data=form, content_type=type_)
    (event,) = api.handled()
    assert base64.b64decode(event["body"]) == form
    assert event["headers"]["Content-Type"] == type_


@pytest.mark.parametrize(
    ("origin", "is_explained"),
    [("http://localhost:5173", True), ("https://app.example.com", False), (None, False), ("\x1b[2Jhttp://a", False)],
)
def test_refused_origin_is_explained_once_on_the_console(
    origin: str | None, is_explained: bool, read_template: ReadTemplate, capsys: pytest.CaptureFixture[str]
) -> None:
    allowed = "Parameters: {AllowedOrigins: {Type: CommaDelimitedList}}\n    Resources:"
    api = Api(read_template(TEMPLATE.replace("Resources:", allowed, 1), {"AllowedOrigins": "https://app.example.com"}))
    hints = [api.call("GET", "/things/1", {**TOKEN, "Origin": origin} if origin else TOKEN) for _ in range(2)]
    hint = f'{origin} is not an allowed origin: make up PARAMS="AllowedOrigins={origin}"'
    assert [answer.headers.get("x-local-hint") for answer in hints] == [hint if is_explained else None] * 2
    assert capsys.readouterr().out.count(hint) == is_explained


def test_cors_property_is_refused(read_template: ReadTemplate) -> None:
    with pytest.raises(TemplateInvalid, match="Cors"):
        Api(read_template(TEMPLATE.replace("StageName: v1", "StageName: v1\n          Cors: '*'")))
