"""What the handlers answer is in docs/openapi.yaml: every example of the contracts, and every shape a body can take."""

import json
from typing import Any

import pytest

from profile_media.domain.model import Reason, Slot, State
from tests.builders import an_id
from tests.dialects.test_replay import test_an_example_is_answered_as_documented as test_an_example_is_described
from tests.functions.conftest import Answer, Call, Rows, an_event
from tests.openapi.conformance import check, complaints, operations

__all__ = ["test_an_example_is_described"]

WITH_A_BODY = [name for name, each in operations().items() if "requestBody" in each]
IN_JSON = [name for name in WITH_A_BODY if "application/json" in operations()[name]["requestBody"]["content"]]


@pytest.fixture(name="call")
def checked_call(call: Call) -> Call:
    """A call whose answer must be in the document."""

    def _call(name: str, *args: Any, **changes: Any) -> Answer:
        answer = call(name, *args, **changes)
        check(name, answer.status, answer.headers, answer.body)
        return answer

    return _call


def test_uploads_in_every_state(call: Call, rows: Rows) -> None:
    rows.pending(upload_id=an_id(1))
    rows.ready(upload_id=an_id(2))
    rows.bound(upload_id=an_id(3))
    rows.settled(rows.pending(upload_id=an_id(4)), state=State.REJECTED, reason=Reason.CORRUPT)
    states = [call("get_upload", pathParameters={"uploadId": an_id(number)}).body["state"] for number in range(1, 5)]
    assert states == ["pending", "ready", "bound", "rejected"]
    assert call("get_upload", pathParameters={"uploadId": an_id(5)}).status == 404
    assert call("get_upload", pathParameters={"uploadId": an_id(1)}, queryStringParameters={"wait": "x"}).status == 400


def test_profiles_with_nothing_an_upload_and_a_picture_elsewhere(call: Call, rows: Rows) -> None:
    assert call("get_profile").body["avatar"] is None
    cover = rows.bound(slot=Slot.COVER_IMAGE)
    call("set_avatar_url", {"avatarUrl": "https://pictures.example.com/me.webp"})
    profile = call("get_profile").body
    assert profile["coverImage"]["uploadId"] == cover.upload_id
    assert profile["avatar"]["uploadId"] is None


def test_the_sample_requests_are_answered_as_described(call: Call) -> None:
    answers = {function: call(function).status for function in operations()}
    assert answers["create_upload_intent"] == 201
    assert set(answers.values()) <= {200, 201, 400, 403, 404}


@pytest.mark.parametrize("function", WITH_A_BODY)
@pytest.mark.parametrize("body", [None, "", "{", "[]", '{"unknown": 1}', "\ud83d", '{"slot": "avatar", "slot": 1}'])
def test_bodies_that_will_not_do(call: Call, function: str, body: str | None) -> None:
    assert 400 <= call(function, body, isBase64Encoded=False).status < 500


@pytest.mark.parametrize("function", IN_JSON)
def test_what_the_schema_requires_the_function_requires(call: Call, function: str) -> None:
    schema = operations()[function]["requestBody"]["content"]["application/json"]["schema"]
    sample = json.loads(an_event(function)["body"])
    for member in sample:
        lacking = {name: value for name, value in sample.items() if name != member}
        refused = call(function, lacking).status in {400, 422}
        assert refused is (complaints(schema, lacking) != []), member


@pytest.mark.parametrize("function", IN_JSON)
def test_members_beside_the_schemas_are_passed_over_or_refused_as_it_says(
    call: Call, rows: Rows, function: str
) -> None:
    sample = json.loads(an_event(function)["body"])
    slot = Slot.COVER_IMAGE if function == "bind_cover_image" else Slot.AVATAR
    rows.ready(upload_id="6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90", slot=slot)
    schema = operations()[function]["requestBody"]["content"]["application/json"]["schema"]
    plain, more = call(function, sample), call(function, {**sample, "another": 1})
    assert (plain.status == more.status) is (complaints(schema, {**sample, "another": 1}) == [])


@pytest.mark.parametrize("function", operations())
def test_whoever_is_not_let_in_is_told_so_as_described(call: Call, function: str) -> None:
    assert call(function, claims={"exp": "1"}).status == 401
