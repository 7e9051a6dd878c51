"""The handlers' answers match docs/openapi.yaml: every example of the contracts, and every shape of a body."""

import json
from typing import Any

import pytest

from profile_media.domain.model import Reason, Slot, State
from tests.builders import an_id
from tests.dialects.test_replay import (
    test_example_of_the_contract_is_answered_as_documented as test_example_matches_document,
)
from tests.functions.conftest import Answer, Call, Rows, an_event
from tests.openapi.conformance import check, complaints, operations

__all__ = ["test_example_matches_document"]

WITH_A_BODY = [name for name, each in operations().items() if "requestBody" in each]
IN_JSON = [name for name in WITH_A_BODY if "application/json" in operations()[name]["requestBody"]["content"]]


@pytest.fixture(name="call")
def checked_call(call: Call) -> Call:
    """Call a function and compare its answer with the document."""

    def _call(name: str, *args: Any, **changes: Any) -> Answer:
        answer = call(name, *args, **changes)
        check(name, answer.status, answer.headers, answer.body)
        return answer

    return _call


def test_upload_in_every_state_matches_document(call: Call, rows: Rows) -> None:
    rows.pending(upload_id=an_id(1))
    rows.ready(upload_id=an_id(2))
    rows.bound(upload_id=an_id(3))
    rows.processed(rows.pending(upload_id=an_id(4)), state=State.REJECTED, reason=Reason.CORRUPT)
    states = [call("get_upload", pathParameters={"uploadId": an_id(number)}).body["state"] for number in range(1, 5)]
    assert states == ["pending", "ready", "bound", "rejected"]
    assert call("get_upload", pathParameters={"uploadId": an_id(5)}).status == 404
    assert call("get_upload", pathParameters={"uploadId": an_id(1)}, queryStringParameters={"wait": "x"}).status == 400


def test_profile_matches_document_with_and_without_pictures(call: Call, rows: Rows) -> None:
    assert call("get_profile").body["avatar"] is None
    cover = rows.bound(slot=Slot.COVER_IMAGE)
    call("set_avatar_url", {"avatarUrl": "https://pictures.example.com/me.webp"})
    profile = call("get_profile").body
    assert profile["coverImage"]["uploadId"] == cover.upload_id
    assert profile["avatar"]["uploadId"] is None


def test_answers_to_sample_requests_match_document(call: Call) -> None:
    answers = {function: call(function).status for function in operations()}
    assert answers["create_upload_intent"] == 201
    assert set(answers.values()) <= {200, 201, 204, 400, 403, 404}


@pytest.mark.parametrize("function", WITH_A_BODY)
@pytest.mark.parametrize("body", [None, "", "{", "[]", '{"unknown": 1}', "\ud83d", '{"slot": "avatar", "slot": 1}'])
def test_malformed_body_is_4xx(call: Call, function: str, body: str | None) -> None:
    assert 400 <= call(function, body, isBase64Encoded=False).status < 500


@pytest.mark.parametrize("function", IN_JSON)
def test_function_requires_members_that_schema_requires(call: Call, function: str) -> None:
    schema = operations()[function]["requestBody"]["content"]["application/json"]["schema"]
    sample = json.loads(an_event(function)["body"])
    for member in sample:
        lacking = {name: value for name, value in sample.items() if name != member}
        refused = call(function, lacking).status in {400, 422}
        assert refused is (complaints(schema, lacking) != []), member


@pytest.mark.parametrize("function", IN_JSON)
def test_function_treats_unknown_members_as_schema_does(call: Call, rows: Rows, function: str) -> None:
    sample = json.loads(an_event(function)["body"])
    slot = Slot.COVER_IMAGE if function == "bind_cover_image" else Slot.AVATAR
    rows.ready(upload_id="6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90", slot=slot)
    schema = operations()[function]["requestBody"]["content"]["application/json"]["schema"]
    plain, more = call(function, sample), call(function, {**sample, "another": 1})
    assert (plain.status == more.status) is (complaints(schema, {**sample, "another": 1}) == [])


@pytest.mark.parametrize("function", operations())
def test_401_matches_document(call: Call, function: str) -> None:
    assert call(function, claims={"exp": "1"}).status == 401
