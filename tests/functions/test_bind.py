"""Dialect 0: PATCH /user/profile/avatar and /user/profile/cover-image."""

import json
import re
from datetime import timedelta

from profile_media.domain.model import Reason, Slot, State, utc_now
from profile_media.domain.references import bound_public_id, temporary_public_id
from tests import cloud
from tests.builders import ADA, GRACE, an_id
from tests.conftest import Logs
from tests.functions.conftest import Call, Rows

INVALID = {"success": False, "message": "Invalid publicId"}


def body(upload_id: str, owner: str = ADA, app: str = "app") -> dict[str, str]:
    return {"publicId": temporary_public_id(app, owner, upload_id)}


def test_bind_answers_the_body_of_the_contract(call: Call, rows: Rows) -> None:
    upload = rows.ready()
    answer = call("bind_avatar", body(upload.upload_id))
    assert answer.status == 200
    assert set(answer.body) == {"avatar", "coverImage", "updatedAt"}
    digest = upload.shown[0].digest
    assert answer.body["avatar"] == {
        "url": f"https://media.example.com/media/{upload.upload_id}/full-{digest}.webp",
        "publicId": f"app/user_YXV0aDB8YWRh/avatar/{upload.upload_id}",
    }
    assert answer.body["coverImage"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer.body["updatedAt"])


def test_bind_changes_only_its_slot(call: Call, rows: Rows) -> None:
    cover = rows.ready(slot=Slot.COVER_IMAGE, upload_id=an_id(2))
    first = call("bind_cover_image", body(cover.upload_id))
    second = call("bind_avatar", body(rows.ready().upload_id))
    assert second.body["coverImage"] == first.body["coverImage"]
    assert second.body["avatar"]["publicId"].endswith(an_id(1))


def test_bind_deletes_the_row_of_the_replaced_upload(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    old = rows.bound()
    new = rows.ready(upload_id=an_id(2))
    assert call("bind_avatar", body(new.upload_id)).status == 200
    assert rows.uploads.get(ADA, old.upload_id) is None
    bound = rows.uploads.get(ADA, new.upload_id)
    assert bound
    assert bound.state is State.BOUND
    assert bound.expires_at is None


def test_bind_is_idempotent_with_either_public_id(call: Call, rows: Rows) -> None:
    upload = rows.ready()
    first = call("bind_avatar", body(upload.upload_id))
    again = call("bind_avatar", body(upload.upload_id))
    by_bound_id = call("bind_avatar", {"publicId": first.body["avatar"]["publicId"]})
    assert first.body == again.body == by_bound_id.body
    assert rows.uploads.get(ADA, upload.upload_id)


def test_invalid_reference_is_a_400_without_a_write(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    rows.ready(owner_id=GRACE, upload_id=an_id(2))
    rows.ready(owner_id="auth0|adab", upload_id=an_id(3))
    rows.pending(upload_id=an_id(4))
    rows.processed(rows.pending(upload_id=an_id(5)), state=State.REJECTED, reason=Reason.CORRUPT)
    rows.ready(upload_id=an_id(6), slot=Slot.COVER_IMAGE)
    rows.processed(rows.pending(upload_id=an_id(7)), state=State.READY, expires_at=utc_now() - timedelta(seconds=1))
    rows.ready(upload_id=an_id(8))
    before = aws.rows(cloud.UPLOADS_TABLE), aws.rows(cloud.USERS_TABLE)
    good = temporary_public_id("app", ADA, an_id(8))
    bodies: list[object] = [
        {},
        {"publicId": ""},
        {"publicId": None},
        {"publicId": 7},
        {"publicId": [good]},
        [],
        "{",
        "",
        None,
        body(an_id(9)),
        body(an_id(2), GRACE),
        body(an_id(2)),
        body(an_id(3), "auth0|adab"),
        body(an_id(4)),
        body(an_id(5)),
        body(an_id(6)),
        body(an_id(7)),
        body(an_id(8), app="other"),
        {"publicId": good + "/"},
        {"publicId": good + "\n"},
        {"publicId": "/" + good},
        {"publicId": good.replace("images/", "images/../images/")},
        {"publicId": good.upper()},
        {"publicId": good.replace("YXV0aDB8YWRh", "YXV0aDB8YWRh=")},
        {"publicId": good.replace("YXV0aDB8YWRh", "YXV0aDB8YWRi")},
        {"publicId": bound_public_id("app", ADA, Slot.AVATAR, an_id(8))},
        {"publicId": bound_public_id("app", ADA, Slot.COVER_IMAGE, an_id(8))},
        f'{{"publicId": "{good}", "publicId": "{good}"}}',
    ]
    answers = {json.dumps(sent): call("bind_avatar", sent) for sent in bodies}
    assert {sent: answer.status for sent, answer in answers.items()} == dict.fromkeys(answers, 400)
    assert {sent: answer.body for sent, answer in answers.items()} == dict.fromkeys(answers, INVALID)
    assert (aws.rows(cloud.UPLOADS_TABLE), aws.rows(cloud.USERS_TABLE)) == before
    assert call("bind_avatar", body(an_id(8))).status == 200


def test_public_id_of_replaced_upload_is_refused(call: Call, rows: Rows) -> None:
    old = rows.bound()
    call("bind_avatar", body(rows.ready(upload_id=an_id(2)).upload_id))
    assert call("bind_avatar", body(old.upload_id)).body == INVALID
    bound_id = bound_public_id("app", ADA, Slot.AVATAR, old.upload_id)
    assert call("bind_avatar", {"publicId": bound_id}).body == INVALID


def test_token_that_expired_since_authorization_is_a_401(call: Call, rows: Rows) -> None:
    upload = rows.ready()
    for claims in ({"exp": "1"}, {"exp": ""}, {"exp": "soon"}, {"sub": ""}):
        answer = call("bind_avatar", body(upload.upload_id), claims=claims)
        assert answer.status == 401
        assert answer.body["message"] == "Invalid or expired token"
        assert answer.body["error"]["code"] == "AUTH_UNAUTHORIZED"
        assert answer.body["errors"][0]["long_message"]
    assert rows.uploads.get(ADA, upload.upload_id) == upload


def test_bind_writes_an_audit_record(call: Call, rows: Rows, logs: Logs) -> None:
    old, new = rows.bound(), rows.ready(upload_id=an_id(2))
    call("bind_avatar", body(new.upload_id))
    [record] = [record for record in logs() if "audit" in record]
    assert record["message"] == f"[avatar] Updated for user {ADA}"
    assert record["audit"] == {
        "owner": ADA,
        "actor": ADA,
        "slot": "avatar",
        "upload_id": new.upload_id,
        "previous_upload_id": old.upload_id,
    }
    assert record["correlation_id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
