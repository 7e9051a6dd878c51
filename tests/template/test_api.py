"""The API's edge: who needs a token, what API Gateway answers by itself, and what its log may hold."""

import json
from typing import Any

import pytest

from profile_media.domain.policy import MAX_DIRECT_BYTES
from profile_media.http import cors
from profile_media.http.envelope import unauthorized
from tests.template.document import properties, text, translated
from tools.template import written

API = properties("Api")
RESPONSES: dict[str, dict[str, Any]] = API["GatewayResponses"]

METHODS = [
    (path, method) for path, methods in translated()["Api"]["Properties"]["Body"]["paths"].items() for method in methods
]

STATUSES = {
    "UNAUTHORIZED": "401",
    "EXPIRED_TOKEN": "401",
    "INVALID_SIGNATURE": "401",
    "INVALID_API_KEY": "401",
    "ACCESS_DENIED": "403",
    "WAF_FILTERED": "403",
    "MISSING_AUTHENTICATION_TOKEN": "404",
    "RESOURCE_NOT_FOUND": "404",
    "REQUEST_TOO_LARGE": "413",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "THROTTLED": "429",
    "QUOTA_EXCEEDED": "429",
    "DEFAULT_4XX": None,
    "INTEGRATION_TIMEOUT": "504",
    "INTEGRATION_FAILURE": "504",
    "AUTHORIZER_FAILURE": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "API_CONFIGURATION_ERROR": "500",
    "DEFAULT_5XX": "500",
}


def body(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(RESPONSES[name]["ResponseTemplates"]["application/json"])
    return parsed


@pytest.mark.parametrize(("path", "method"), METHODS)
def test_every_method_but_options_needs_a_token(path: str, method: str) -> None:
    security = translated()["Api"]["Properties"]["Body"]["paths"][path][method]["security"]

    assert security == [{"NONE": []}] if method == "options" else security == [{"BearerToken": []}]


def test_preflights_are_answered_on_every_path() -> None:
    assert {path for path, method in METHODS if method == "options"} == {path for path, _ in METHODS}


def test_the_authorizer_asks_for_a_bearer_token_and_is_believed_for_a_minute_at_most() -> None:
    authorizer = API["Auth"]["Authorizers"][API["Auth"]["DefaultAuthorizer"]]

    assert text(authorizer["FunctionArn"]) == "AuthorizeFunction.Arn"
    assert authorizer["FunctionPayloadType"] == "TOKEN"
    assert authorizer["Identity"]["Header"] == "Authorization"
    assert 0 <= authorizer["Identity"]["ReauthorizeEvery"] <= 60


def test_statuses_of_what_the_gateway_answers_itself() -> None:
    assert {name: response.get("StatusCode") for name, response in RESPONSES.items()} == STATUSES


@pytest.mark.parametrize("name", STATUSES)
def test_every_gateway_answer_is_the_one_envelope(name: str) -> None:
    answer = body(name)
    error = answer["error"]

    assert list(answer) == ["success", "message", "error", "errors"]
    assert answer["success"] is False
    assert list(error) == ["code", "message", "i18nKey", "i18nVars", "details", "correlationId"]
    assert (error["i18nVars"], error["details"], error["correlationId"]) == ({}, [], "$context.requestId")
    assert error["message"] == answer["message"]
    assert [list(each) for each in answer["errors"]] == [["code", "message", "long_message"]]
    assert answer["errors"][0]["code"] == error["code"]
    assert all(isinstance(value, str) and value for value in answer["errors"][0].values())
    assert "'" not in RESPONSES[name]["ResponseTemplates"]["application/json"]


@pytest.mark.parametrize("name", [name for name, status in STATUSES.items() if status == "401"])
def test_there_is_one_401_body_and_the_functions_have_it_too(name: str) -> None:
    assert body(name) == unauthorized("$context.requestId")
    assert body(name)["message"] == "Invalid or expired token"
    assert body(name)["error"]["code"] == "AUTH_UNAUTHORIZED"
    assert body(name)["error"]["i18nKey"] == "auth.unauthorized"


@pytest.mark.parametrize("name", STATUSES)
def test_every_gateway_answer_has_the_headers_of_all_answers(name: str) -> None:
    headers = RESPONSES[name]["ResponseParameters"]["Headers"]

    assert headers["Content-Type"] == "'application/json'"
    assert headers["x-correlation-id"] == "context.requestId"
    assert headers["Cache-Control"] == "'no-store'"
    assert headers["Access-Control-Allow-Origin"] == "method.request.header.Origin"
    assert headers["Vary"] == "'Origin'"
    assert not any("credentials" in header.lower() for header in headers)
    assert ("Retry-After" in headers) == (STATUSES[name] == "429")


def test_retry_after_is_whole_seconds() -> None:
    assert RESPONSES["THROTTLED"]["ResponseParameters"]["Headers"]["Retry-After"].strip("'").isdecimal()


def test_a_body_that_is_too_large_is_told_how_much_fits_and_where_more_does() -> None:
    answer = body("REQUEST_TOO_LARGE")

    for words in (answer["message"], answer["error"]["message"], answer["errors"][0]["message"]):
        assert f"{MAX_DIRECT_BYTES // 1024**2} MiB" in words
        assert "POST /media/intents" in words
    assert str(MAX_DIRECT_BYTES) in answer["errors"][0]["long_message"]


def test_forms_reach_their_functions_byte_for_byte_and_nothing_else_is_binary() -> None:
    rendered = translated()["Api"]["Properties"]

    assert rendered["BinaryMediaTypes"] == ["multipart~1form-data"]  # CloudFormation wants its slashes escaped
    assert rendered["Body"]["x-amazon-apigateway-binary-media-types"] == ["multipart/form-data"]


def test_browsers_may_use_every_method_that_there_is() -> None:
    assert {method.upper() for _, method in METHODS} == set(cors.METHODS.split(","))


def test_the_access_log_is_json_and_holds_no_secret() -> None:
    line = json.loads(API["AccessLogSetting"]["Format"])

    assert line["requestId"] == "$context.requestId"
    for value in line.values():
        assert value.startswith("$context.")
        assert not any(secret in value.lower() for secret in ("header", "token", "querystring", "$context.path"))


def test_bodies_are_never_logged_and_every_method_is_throttled() -> None:
    (everything,) = API["MethodSettings"]

    assert (everything["HttpMethod"], everything["ResourcePath"]) == ("*", "/*")
    assert everything["DataTraceEnabled"] is False
    assert text(everything["ThrottlingRateLimit"]) == "ThrottleRate"
    assert text(everything["ThrottlingBurstLimit"]) == "ThrottleBurst"


def test_cors_is_left_to_the_preflight_function() -> None:
    assert "Cors" not in API
    assert "Cors" not in written()["Globals"]["Api"]
