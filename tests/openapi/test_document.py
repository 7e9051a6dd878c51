"""docs/openapi.yaml equals what the code generates, is valid, and matches the functions."""

import json
from collections.abc import Mapping
from http import HTTPMethod
from pkgutil import iter_modules
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from profile_media import dialects
from profile_media.dialects.native.intents import parse_intent
from profile_media.dialects.native.showing import parse_wait
from profile_media.domain.errors import ErrorCode, MediaError
from profile_media.http.endpoint import EndpointConfig, endpoint
from profile_media.http.request import Request, Response
from profile_media.http.status import STATUSES
from tests.docs.test_readme import routes
from tests.functions.conftest import Context, an_event
from tests.openapi.conformance import check, complaints, document, operations, resolved
from tests.requests import LINKS, a_request
from tools.openapi.document import FILE, refusals, text
from tools.openapi.operations import CONTRACTS, OPERATIONS, SAMPLES

CASES = [(function, code) for function, each in OPERATIONS.items() for code in sorted(each.refusals)]


def test_file_equals_generated_document() -> None:
    assert FILE.read_text() == text(), "run `make openapi`"


def test_document_is_valid_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_document_has_exactly_the_endpoints_of_template() -> None:
    methods = [method.lower() for method in HTTPMethod]
    described = {(name.upper(), path) for path, item in document()["paths"].items() for name in item if name in methods}
    assert described == {(method, path) for method, path in routes() if method != "OPTIONS"}
    assert operations().keys() == OPERATIONS.keys()


def test_every_operation_needs_a_token() -> None:
    assert document()["security"] == [{"BearerToken": []}]
    assert document()["components"]["securitySchemes"]["BearerToken"]["scheme"] == "bearer"
    assert not [operation for operation in operations().values() if "security" in operation]


def test_every_contract_is_described_and_every_error_has_sample() -> None:
    assert CONTRACTS.keys() == {module.name for module in iter_modules(dialects.__path__)}
    assert [tag["name"] for tag in document()["tags"]] == [*CONTRACTS]
    assert all(tag["description"] for tag in document()["tags"])
    assert SAMPLES.keys() == set(ErrorCode)


def test_summaries_come_from_functions() -> None:
    assert operations()["bind_avatar"]["summary"] == "Bind the caller's avatar, referenced by its public id"
    assert len({operation["summary"] for operation in operations().values()}) == len(OPERATIONS)


@pytest.mark.parametrize(("function", "code"), CASES)
def test_error_answer_matches_document(function: str, code: ErrorCode) -> None:
    given = failing(function, SAMPLES[code])
    dialect = CONTRACTS[OPERATIONS[function].contract].dialect
    assert given["statusCode"] == dialect.STATUSES.get(code, STATUSES[code])
    check(function, given["statusCode"], given["headers"], json.loads(given["body"]))


@pytest.mark.parametrize("function", OPERATIONS)
@pytest.mark.parametrize("error", [SAMPLES[ErrorCode.UNAVAILABLE], RuntimeError("a bug")], ids=["unavailable", "bug"])
def test_5xx_answer_matches_document(function: str, error: Exception) -> None:
    given = failing(function, error)
    assert given["statusCode"] in {500, 503}
    check(function, given["statusCode"], given["headers"], json.loads(given["body"]))


@pytest.mark.parametrize("function", OPERATIONS)
def test_examples_match_their_schemas(function: str) -> None:
    operation = operations()[function]
    for answer in operation["responses"].values():
        for content in resolved(answer).get("content", {}).values():
            for example in content.get("examples", {}).values():
                assert complaints(content["schema"], resolved(example)["value"]) == []
    for content in operation.get("requestBody", {"content": {}})["content"].values():
        assert complaints(content["schema"], content.get("example", {"file": ""})) == []


@pytest.mark.parametrize("function", OPERATIONS)
def test_every_refusal_has_example(function: str) -> None:
    responses = operations()[function]["responses"]
    for status, examples in refusals(OPERATIONS[function]).items():
        assert examples.keys() <= resolved(responses[status])["content"]["application/json"]["examples"].keys()


@pytest.mark.parametrize(("wait", "taken"), [("0", True), ("20", True), ("21", False), ("-1", False), ("1.5", False)])
def test_wait_parameter_is_bounded_as_documented(wait: str, *, taken: bool) -> None:
    schema = parameter("get_upload", "wait")["schema"]
    assert (complaints(schema, json.loads(wait)) == []) is taken
    assert answers(lambda: parse_wait(a_request(query={"wait": wait}))) is taken


@pytest.mark.parametrize(
    ("key", "taken"), [("k", True), ("~" * 255, True), ("~" * 256, False), ("a b", False), ("", False), ("é", False)]
)
def test_idempotency_key_is_checked_as_documented(key: str, *, taken: bool) -> None:
    schema = parameter("create_upload_intent", "Idempotency-Key")["schema"]
    headers = {"content-type": "application/json", "idempotency-key": key}
    body = an_event("create_upload_intent")["body"].encode()
    assert (complaints(schema, key) == []) is taken
    assert answers(lambda: parse_intent(a_request(headers=headers, body=body))) is taken


def failing(function: str, error: Exception) -> dict[str, Any]:
    """Return the answer of a function that raises the error."""

    def respond(_: Request) -> Response:
        raise error

    dialect = CONTRACTS[OPERATIONS[function].contract].dialect
    return endpoint(dialect, lambda: EndpointConfig((), LINKS))(respond)(an_event(function), Context(function))


def parameter(function: str, name: str) -> Mapping[str, Any]:
    """Return a parameter of an operation in the document."""
    [found] = [each for each in operations()[function]["parameters"] if each["name"] == name]
    return dict(found)


def answers(parse: Any) -> bool:
    """Return whether the request is accepted."""
    try:
        parse()
    except MediaError:
        return False
    return True
