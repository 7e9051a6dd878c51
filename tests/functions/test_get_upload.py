"""GET /media/uploads/{uploadId}."""

import time
from datetime import timedelta

import pytest

from profile_media.domain.model import Reason, Slot, State, utc_now
from tests.builders import GRACE, an_id
from tests.functions.conftest import Call, Rows

GET = "get_upload"


def path(upload_id: str) -> dict[str, str]:
    return {"uploadId": upload_id}


def test_pending_upload(call: Call, rows: Rows) -> None:
    upload = rows.pending()
    answer = call(GET, pathParameters=path(upload.upload_id))
    assert answer.status == 200
    assert set(answer.body) == {"uploadId", "publicId", "slot", "state", "createdAt", "expiresAt"}
    assert answer.body["state"] == "pending"
    assert answer.headers["Cache-Control"] == "no-store"


def test_ready_upload_shows_derivatives_without_the_master(call: Call, rows: Rows) -> None:
    upload = rows.ready(slot=Slot.COVER_IMAGE)
    answer = call(GET, pathParameters=path(upload.upload_id))
    assert answer.body["state"] == "ready"
    assert answer.body["slot"] == "coverImage"
    assert answer.body["publicId"] == f"app/temp/user_YXV0aDB8YWRh/images/{upload.upload_id}"
    assert (answer.body["width"], answer.body["height"]) == (4000, 3000)
    assert list(answer.body["derivatives"]) == ["full", "small"]
    full = answer.body["derivatives"]["full"]
    digest = upload.derivatives[0].digest
    assert full == {
        "url": f"https://media.example.com/media/{upload.upload_id}/full-{digest}.webp",
        "width": 1500,
        "height": 500,
        "contentType": "image/webp",
        "bytes": upload.derivatives[0].size,
    }


@pytest.mark.parametrize("reason", Reason)
def test_rejected_upload_shows_the_reason(call: Call, rows: Rows, reason: Reason) -> None:
    upload = rows.processed(rows.pending(), state=State.REJECTED, reason=reason)
    answer = call(GET, pathParameters=path(upload.upload_id))
    assert answer.body["state"] == "rejected"
    assert answer.body["reason"]["code"] == reason.value
    assert answer.body["reason"]["message"].endswith(".")
    assert "derivatives" not in answer.body


def test_bound_upload_has_bound_public_id_and_no_expiry(call: Call, rows: Rows) -> None:
    upload = rows.bound()
    answer = call(GET, pathParameters=path(upload.upload_id))
    assert answer.body["state"] == "bound"
    assert answer.body["publicId"] == f"app/user_YXV0aDB8YWRh/avatar/{upload.upload_id}"
    assert "expiresAt" not in answer.body


def test_unknown_foreign_malformed_and_expired_ids_are_the_same_404(call: Call, rows: Rows) -> None:
    foreign = rows.pending(owner_id=GRACE, upload_id=an_id(2))
    expired = rows.pending(upload_id=an_id(3), expires_at=utc_now() - timedelta(seconds=1))
    answers = [
        call(GET, pathParameters=path(upload_id))
        for upload_id in (an_id(9), foreign.upload_id, expired.upload_id, "../etc", an_id(0xABC).upper())
    ]
    assert {answer.status for answer in answers} == {404}
    assert all(answer.body == answers[0].body for answer in answers)


def test_wait_ends_after_the_longest_wait_of_the_deployment(call: Call, rows: Rows) -> None:
    started = time.monotonic()
    answer = call(GET, pathParameters=path(rows.pending().upload_id), queryStringParameters={"wait": "20"})
    assert answer.body["state"] == "pending"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("wait", ["21", "-1", "1.5", "x", "", "²", "100000000000"])
def test_invalid_wait_is_a_400(call: Call, rows: Rows, wait: str) -> None:
    answer = call(GET, pathParameters=path(rows.pending().upload_id), queryStringParameters={"wait": wait})
    assert answer.status == 400
    assert answer.body["error"]["details"][0]["message"].startswith("wait:")
