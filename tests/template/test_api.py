"""The API: which methods need a token, what API Gateway answers without a function, and what its log contains."""

import json
from typing import Any

import pytest

from profile_media.domain.policy import MAX_DIRECT_BYTES
from profile_media.http import cors
from profile_media.http.envelope import unauthorized
from tests.template.document import properties, text, translated
from tools.template import read, written

API = properties("Api")
RESPONSES: dict[str, dict[str, Any]] = read().api.properties["GatewayResponses"]

METHODS = [
    (path, method) for path, methods in translated()["Api"]["Properties"]["Body"]["paths"].items() for method in methods
]

STATUSES = {
    "UNAUTHORIZED": "401",
    "EXPIRED_TOKEN": "401",
    "INVALID_SIGNATURE": "401",
    "INVALID_API_KEY": "401",
    "ACCESS_DENIED": "403",
    "MISSING_AUTHENTICATION_TOKEN": "404",
    "RESOURCE_NOT_FOUND": "404",
    "REQUEST_TOO_LARGE": "413",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "THROTTLED": "429",
    "QUOTA_EXCEEDED": "429",
    "WAF_FILTERED": "429",
    "DEFAULT_4XX": None,
    "INTEGRATION_TIMEOUT": "504",
    "INTEGRATION_FAILURE": "504",
    "AUTHORIZER_FAILURE": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "API_CONFIGURATION_ERROR": "500",
    "DEFAULT_5XX": "500",
}


def body(name: str) -> dict[str, Any]:
    """Return the body of a gateway response."""
    parsed: dict[str, Any] = json.loads(RESPONSES[name]["ResponseTemplates"]["application/json"])
    return parsed


@pytest.mark.parametrize(("path", "method"), METHODS)
def test_only_options_methods_are_public(path: str, method: str) -> None:
    security = translated()["Api"]["Properties"]["Body"]["paths"][path][method]["security"]

    assert security == [{"NONE": []}] if method == "options" else security == [{"BearerToken": []}]


def test_every_path_has_an_options_method() -> None:
    assert {path for path, method in METHODS if method == "options"} == {path for path, _ in METHODS}


def test_cors_answer_names_exactly_the_methods_of_the_api() -> None:
    assert {method.upper() for _, method in METHODS} == set(cors.METHODS.split(","))
    assert "Cors" not in API
    assert "Cors" not in written()["Globals"]["Api"]


def test_authorizer_reads_the_authorization_header_and_is_cached_for_a_minute_at_most() -> None:
    authorizer = API["Auth"]["Authorizers"][API["Auth"]["DefaultAuthorizer"]]

    assert text(authorizer["FunctionArn"]) == "AuthorizeFunction.Arn"
    assert authorizer["FunctionPayloadType"] == "TOKEN"
    assert authorizer["Identity"]["Header"] == "Authorization"
    assert 0 <= authorizer["Identity"]["ReauthorizeEvery"] <= 60


def test_gateway_responses_have_these_statuses() -> None:
    assert {name: response.get("StatusCode") for name, response in RESPONSES.items()} == STATUSES


@pytest.mark.parametrize("name", STATUSES)
def test_gateway_response_has_the_envelope_of_all_dialects(name: str) -> None:
    answer = body(name)
    error = answer["error"]

    assert list(answer) == ["success", "message", "error", "errors", "clerk_trace_id", "detail"]
    assert answer["success"] is False
    assert list(error) == ["code", "message", "i18nKey", "i18nVars", "details", "correlationId"]
    assert (error["i18nVars"], error["details"], error["correlationId"]) == ({}, [], "$context.requestId")
    assert error["message"] == answer["message"] == answer["detail"]
    assert answer["clerk_trace_id"] == "$context.requestId"
    assert [list(each) for each in answer["errors"]] == [["code", "message", "long_message"]]
    assert answer["errors"][0]["code"] == error["code"]
    assert all(isinstance(value, str) and value for value in answer["errors"][0].values())
    assert "'" not in RESPONSES[name]["ResponseTemplates"]["application/json"]  # API Gateway would end the string


@pytest.mark.parametrize("name", [name for name, status in STATUSES.items() if status == "401"])
def test_401_of_the_gateway_equals_401_of_the_functions(name: str) -> None:
    assert body(name) == unauthorized("$context.requestId")


@pytest.mark.parametrize("name", STATUSES)
def test_gateway_response_has_the_headers_of_all_answers(name: str) -> None:
    headers = RESPONSES[name]["ResponseParameters"]["Headers"]
    expected = {
        "Content-Type": "'application/json'",
        "x-correlation-id": "context.requestId",
        "Cache-Control": "'no-store'",
        "Access-Control-Allow-Origin": "method.request.header.Origin",
        "Access-Control-Expose-Headers": "'x-correlation-id,Retry-After'",
        "Vary": "'Origin'",
    }

    assert headers == expected | ({"Retry-After": "'1'"} if STATUSES[name] == "429" else {})


def test_413_names_the_limit_and_the_endpoint_for_larger_pictures() -> None:
    answer = body("REQUEST_TOO_LARGE")

    assert f"{MAX_DIRECT_BYTES // 1024**2} MiB" in answer["message"]
    assert "POST /media/intents" in answer["message"]
    assert str(MAX_DIRECT_BYTES) in answer["errors"][0]["long_message"]


def test_only_forms_are_binary() -> None:
    rendered = translated()["Api"]["Properties"]

    assert rendered["BinaryMediaTypes"] == ["multipart~1form-data"]  # CloudFormation needs the slash escaped
    assert rendered["Body"]["x-amazon-apigateway-binary-media-types"] == ["multipart/form-data"]


def test_all_methods_are_throttled_and_bodies_are_not_logged() -> None:
    settings, _ = API["MethodSettings"]

    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["DataTraceEnabled"] is False
    assert text(settings["ThrottlingRateLimit"]) == "ThrottleRate"
    assert text(settings["ThrottlingBurstLimit"]) == "ThrottleBurst"
