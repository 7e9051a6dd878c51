"""The gateway answers as API Gateway does: its own refusals from the template, and no function behind a 401."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from samcli.lib.telemetry.event import EventTracker
from werkzeug.serving import DechunkedInput
from werkzeug.test import Client, TestResponse
from werkzeug.wsgi import LimitedStream

from tests.local.standins import Scripted
from tools.local.gateway import MAX_BODY, Gateway
from tools.local.runner import PayloadTooLarge, Runner, Throttled, Timeout
from tools.template import Template

ReadTemplate = Callable[..., Template]

# SAM CLI calls what the translator it stands on deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

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
                application/json: '{"code": "NO", "id": "$context.requestId", "said": $context.error.messageString}'
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
            Post: {Type: Api, Properties: {RestApiId: !Ref Api, Method: POST, Path: /things}}
            Put: {Type: Api, Properties: {RestApiId: !Ref Api, Method: PUT, Path: "/things/{thing}"}}
            Patch: {Type: Api, Properties: {RestApiId: !Ref Api, Method: PATCH, Path: "/things/{thing}"}}
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

ALLOW = {
    "principalId": "ada",
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*/*"}],
    },
    "context": {"sub": "ada", "admin": False, "exp": 12},
}
DENY = json.loads(json.dumps(ALLOW).replace("Allow", "Deny"))
OK = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}", "isBase64Encoded": False}
TOKEN = {"Authorization": "Bearer good"}


class Api:
    """A gateway in front of scripted functions."""

    def __init__(self, template: Template) -> None:
        self.functions = Scripted({"AuthorizeFunction": [ALLOW], "EchoFunction": [OK], "PreflightFunction": [OK]})
        gateway = Gateway(template, cast(Runner, self.functions), 3000)
        self._client = Client(gateway.application)

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        """One request."""
        return self._client.open(path, method=method, headers=TOKEN if headers is None else headers, **options)

    def handled(self) -> list[Any]:
        """The events that reached the function behind the API."""
        return self.functions.events_of("EchoFunction")


@pytest.fixture
def api(read_template: ReadTemplate) -> Api:
    return Api(read_template(TEMPLATE))


def test_a_request_reaches_its_function_as_an_event(api: Api) -> None:
    answer = api.call("GET", "/things/a%7Cb?wait=3&wait=4")
    assert (answer.status_code, answer.text) == (200, "{}")
    (event,) = api.handled()
    assert (event["httpMethod"], event["resource"], event["path"]) == ("GET", "/things/{thing}", "/things/a%7Cb")
    assert event["pathParameters"] == {"thing": "a%7Cb"}
    assert event["multiValueQueryStringParameters"] == {"wait": ["3", "4"]}
    assert event["headers"]["Authorization"] == "Bearer good"
    context = event["requestContext"]
    assert context["authorizer"] == {"sub": "ada", "admin": "false", "exp": "12", "principalId": "ada"}
    assert (context["stage"], context["path"]) == ("v1", "/v1/things/a%7Cb")


@pytest.mark.parametrize(
    "sent", ["auth0|ada", "auth0%7cada", "saml%7Cnoor%2F42%2B%24%25", "%252F", "a+b", "%C3%A9", "%", "%00", "a;b=c"]
)
def test_a_path_is_passed_on_as_it_was_sent(sent: str, api: Api) -> None:
    answer = api.call("GET", "/", environ_overrides={"REQUEST_URI": f"/things/{sent}?x=%7C"})
    (event,) = api.handled()
    assert answer.status_code == 200
    assert (event["path"], event["pathParameters"]) == (f"/things/{sent}", {"thing": sent})


def test_a_whole_url_is_taken_for_its_path(api: Api) -> None:
    answer = api.call("GET", "/", environ_overrides={"REQUEST_URI": "http://api.example.com/things/a%7Cb?x=1"})
    assert answer.status_code == 200
    assert api.handled()[0]["pathParameters"] == {"thing": "a%7Cb"}


def test_every_request_has_an_id_of_its_own(api: Api) -> None:
    answers = [api.call("GET", "/things/1") for _ in range(2)]
    ids = [event["requestContext"]["requestId"] for event in api.handled()]
    assert len(set(ids)) == 2
    assert [answer.headers["x-amzn-RequestId"] for answer in answers] == ids


def test_without_a_token_nothing_is_invoked_and_the_templates_401_is_the_answer(api: Api) -> None:
    answer = api.call("GET", "/things/1", {"Origin": "https://page"})
    assert answer.status_code == 401
    assert answer.headers["x-correlation-id"] == answer.headers["x-amzn-RequestId"]
    assert answer.headers["Access-Control-Allow-Origin"] == "https://page"
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {"code": "NO", "id": answer.headers["x-correlation-id"], "said": "Unauthorized"}
    assert api.functions.calls == []


def test_a_header_of_the_request_that_is_not_there_is_not_in_the_answer(api: Api) -> None:
    assert "Access-Control-Allow-Origin" not in api.call("GET", "/things/1", {}).headers


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        (Exception("Unauthorized"), 401, "NO"),
        (DENY, 403, "User is not authorized"),
        (Exception("the issuer is down"), 500, "BROKEN"),
        (Exception("Unauthorized: nearly"), 500, "BROKEN"),
        ({"principalId": "ada"}, 500, "BROKEN"),
        ("yes", 500, "BROKEN"),
        ({**ALLOW, "context": {"list": [1]}}, 500, "BROKEN"),
    ],
)
def test_what_the_authorizer_says_decides_and_no_function_runs(said: Any, status: int, body: str, api: Api) -> None:
    api.functions.answers["AuthorizeFunction"] = [said]
    answer = api.call("GET", "/things/1")
    assert answer.status_code == status
    assert body in answer.text
    assert api.handled() == []


def test_an_allow_is_kept_for_its_token_and_a_refusal_is_not(api: Api) -> None:
    for token in ("Bearer good", "Bearer good", "Bearer other"):
        api.call("GET", "/things/1", {"Authorization": token})
    tokens = [event["authorizationToken"] for event in api.functions.events_of("AuthorizeFunction")]
    assert tokens == ["Bearer good", "Bearer other"]
    api.functions.answers["AuthorizeFunction"] = [Exception("Unauthorized")]
    for _ in range(2):
        assert api.call("GET", "/things/1", {"Authorization": "Bearer bad"}).status_code == 401
    assert len(api.functions.events_of("AuthorizeFunction")) == 4


def test_two_authorization_headers_are_one_that_the_authorizer_gets_to_see_whole(api: Api) -> None:
    api.call("GET", "/things/1", {"Authorization": "Bearer one,Bearer two"})
    assert api.functions.events_of("AuthorizeFunction")[0]["authorizationToken"] == "Bearer one,Bearer two"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("DELETE", "/things"), ("HEAD", "/things/1"), ("GET", "//things/1"), ("GET", "/")],
)
def test_what_the_api_does_not_have_is_said_in_the_templates_words(method: str, path: str, api: Api) -> None:
    answer = api.call(method, path)
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json == {"type": "MISSING_AUTHENTICATION_TOKEN"}
    assert api.functions.calls == []


def test_preflights_need_no_token(api: Api) -> None:
    assert api.call("OPTIONS", "/things/1", {}).status_code == 200
    assert [name for name, _ in api.functions.calls] == ["PreflightFunction"]


@pytest.mark.parametrize(
    "answer",
    [Exception("broken"), "no object", {"statusCode": 200, "unknown": 1}, {"statusCode": "many"}],
)
def test_a_function_that_fails_or_answers_nonsense_is_a_502_in_the_templates_words(answer: Any, api: Api) -> None:
    api.functions.answers["EchoFunction"] = [answer]
    response = api.call("GET", "/things/1")
    assert (response.status_code, response.json) == (502, {"code": "BROKEN"})


@pytest.mark.parametrize(("error", "status"), [(Throttled(), 502), (Timeout(), 504), (PayloadTooLarge(), 413)])
def test_what_lambda_refuses_before_running_is_answered(
    error: Exception, status: int, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke = api.functions.invoke

    def refuse(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "EchoFunction":
            raise error
        return invoke(name, *arguments, **options)

    monkeypatch.setattr(api.functions, "invoke", refuse)
    assert api.call("GET", "/things/1").status_code == status


def test_a_body_of_more_than_ten_megabytes_is_too_large(api: Api) -> None:
    assert api.call("POST", "/things", data=b"x" * MAX_BODY).status_code == 200
    refused = api.call("POST", "/things", data=b"x" * (MAX_BODY + 1))
    assert (refused.status_code, refused.headers["Connection"]) == (413, "close")
    assert len(api.handled()) == 1


@pytest.mark.parametrize(
    "chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n0\r\n\r\n", b"10\r\n{}", b"2\r\n{}", b"2\r\n{}0\r\n\r\n", b""]
)
def test_chunks_that_are_none_are_a_bad_request(chunks: bytes, api: Api) -> None:
    sent = {"wsgi.input": DechunkedInput(io.BytesIO(chunks)), "wsgi.input_terminated": True}
    refused = api.call("POST", "/things", environ_overrides=sent)
    assert (refused.status_code, refused.json) == (400, {"message": "Bad request"})
    assert refused.headers["Connection"] == "close"
    assert refused.headers["x-amzn-RequestId"]
    assert api.handled() == []


def test_a_body_that_ends_too_early_is_a_bad_request(api: Api) -> None:
    sent = {"wsgi.input": LimitedStream(io.BytesIO(b"{}"), 100), "CONTENT_LENGTH": "100"}
    assert api.call("POST", "/things", environ_overrides=sent).status_code == 400
    assert api.handled() == []


def test_text_stays_text_and_only_binary_types_are_encoded(api: Api) -> None:
    api.call("POST", "/things", data=b"\xff{}", content_type="application/json")
    api.call("POST", "/things", data=b"\xff{}", content_type="image/png")
    text, binary = api.handled()
    assert (text["body"], text["isBase64Encoded"]) == ("\N{REPLACEMENT CHARACTER}{}", False)
    assert (binary["body"], binary["isBase64Encoded"]) == ("/3t9", True)


@pytest.mark.parametrize("type_", ["multipart/form-data; boundary=x", "Multipart/Form-Data;boundary=x"])
def test_a_form_arrives_byte_for_byte_and_unread(type_: str, api: Api) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\xff\x00\r\n--x--\r\n'
    api.call("POST", "/things", data=form, content_type=type_)
    (event,) = api.handled()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == form
    assert event["headers"]["Content-Type"] == type_


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_every_method_that_the_template_has_gets_through(method: str, api: Api) -> None:
    assert api.call(method, "/things/1").status_code == 200
    assert [event["httpMethod"] for event in api.handled()] == [method]


def test_nothing_is_reported_to_anybody(api: Api) -> None:
    for _ in range(3):
        api.call("GET", "/things/1")
    assert EventTracker.get_tracked_events() == []
