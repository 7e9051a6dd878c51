"""Dialect 3: PATCH /api/v1/shared/users/{user_id}/profile-picture, and the same for /users/me."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from profile_media.aws.profiles import DynamoProfiles
from profile_media.domain.keys import media_key
from profile_media.domain.model import Identity, Reason, Slot, State, utc_now
from tests import cloud
from tests.builders import ADA, GRACE, an_id, derivatives_for
from tests.conftest import Logs
from tests.functions.conftest import Answer, Call, Rows

ADMIN = {"sub": "auth0|admin", "admin": "true"}
PICTURE_OF_ADA = "https://pictures.example.com/ada.png"
IDENTITY = {
    "email": "ada@example.com",
    "email_verified": True,
    "first_name": "Ada",
    "last_name": "Lovelace",
    "picture_url": PICTURE_OF_ADA,
    "role": "editor",
    "last_login": 1699335116,
}
ADA_SIGNED_IN = {"identity": json.dumps(IDENTITY)}
KEYS = {
    "id", "email", "emailVerified", "firstName", "lastName", "profilePictureUrl", "role", "state", "lastLogin",
    "createdAt", "hasCustomProfilePicture",
}  # fmt: skip

type Set = Callable[..., Answer]


@pytest.fixture(params=["update_profile_picture", "update_my_profile_picture"])
def set_own(request: pytest.FixtureRequest, call: Call) -> Set:
    """Bind the caller's own picture by either path."""

    def _set(upload_id: object, claims: Mapping[str, str] = ADA_SIGNED_IN) -> Answer:
        return call(request.param, {"uploadId": upload_id}, claims)

    return _set


def set_of(call: Call, user_id: str, upload_id: object, claims: Mapping[str, str] = ADMIN) -> Answer:
    path = {"user_id": quote(user_id, safe="")}
    return call("update_profile_picture", {"uploadId": upload_id}, claims, pathParameters=path)


def known(user_id: str, tenant: str | None = None) -> None:
    """Add a user."""
    assert DynamoProfiles(cloud.USERS_TABLE).save_identity(user_id, tenant, Identity(first_name=user_id), utc_now())


def state(aws: cloud.Cloud) -> object:
    return aws.rows(cloud.UPLOADS_TABLE), aws.rows(cloud.USERS_TABLE), aws.keys(cloud.MEDIA_BUCKET), aws.messages()


def test_bound_picture_is_shown_by_presigned_link(set_own: Set, rows: Rows) -> None:
    upload = rows.ready()
    answer = set_own(upload.upload_id)
    assert answer.status == 200
    url = answer.body.pop("profilePictureUrl")
    created = answer.body.pop("createdAt")
    assert created.endswith("Z")
    assert answer.body == {
        "id": ADA,
        "email": "ada@example.com",
        "emailVerified": True,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "role": "editor",
        "state": "active",
        "lastLogin": "2023-11-07T05:31:56.000Z",
        "hasCustomProfilePicture": True,
    }
    [thumb] = [each for each in upload.derivatives if each.width == 256]
    assert urlsplit(url).path.endswith(media_key(upload.upload_id, thumb))
    query = parse_qs(urlsplit(url).query)
    assert 0 < int(query["X-Amz-Expires"][0]) <= 900
    assert query["response-cache-control"] == ["no-store"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


def test_presigned_link_is_not_logged_or_cached(set_own: Set, rows: Rows, aws: cloud.Cloud, logs: Logs) -> None:
    signature = parse_qs(urlsplit(set_own(rows.ready().upload_id).body["profilePictureUrl"]).query)["X-Amz-Signature"]
    for text in (json.dumps(logs()), json.dumps([aws.rows(cloud.USERS_TABLE), aws.rows(cloud.UPLOADS_TABLE)])):
        assert an_id(1) in text
        assert signature[0] not in text
        assert "X-Amz-" not in text


def test_null_deletes_the_row_and_shows_the_providers_picture(set_own: Set, rows: Rows) -> None:
    rows.bound()
    for _ in range(2):
        answer = set_own(None)
        assert answer.status == 200
        assert set(answer.body) == KEYS
        assert answer.body["profilePictureUrl"] == PICTURE_OF_ADA
        assert answer.body["hasCustomProfilePicture"] is False
        assert rows.uploads.get(ADA, an_id(1)) is None


def test_token_without_identity_shows_no_picture_and_empty_names(set_own: Set, aws: cloud.Cloud) -> None:
    nothing = set_own(None, {})
    assert nothing.status == 200
    assert set(nothing.body) == KEYS
    assert nothing.body["profilePictureUrl"] is None
    assert (nothing.body["email"], nothing.body["firstName"], nothing.body["lastName"]) == ("", "", "")
    assert (nothing.body["role"], nothing.body["lastLogin"]) == ("user", None)


def test_bind_after_removal(set_own: Set, rows: Rows) -> None:
    assert set_own(rows.ready().upload_id).status == 200
    assert set_own(None).status == 200
    assert set_own(an_id(1)).status == 404
    again = set_own(rows.ready(upload_id=an_id(2)).upload_id)
    assert an_id(2) in again.body["profilePictureUrl"]
    assert again.body["hasCustomProfilePicture"] is True


def test_same_call_again_deletes_nothing(set_own: Set, rows: Rows, aws: cloud.Cloud) -> None:
    upload = rows.ready()
    assert set_own(upload.upload_id).status == 200
    before = state(aws)
    again = set_own(upload.upload_id)
    assert again.status == 200
    assert upload.upload_id in again.body["profilePictureUrl"]
    assert state(aws) == before


def test_upload_id_in_capitals_is_accepted(set_own: Set, rows: Rows) -> None:
    upload = rows.ready(upload_id="3c90c3cc-0d44-4b50-8888-8dd25736052a")
    assert set_own(upload.upload_id.upper()).status == 200
    assert rows.attachments.read(ADA, upload.upload_id)[0].bound_upload_id(Slot.AVATAR) == upload.upload_id


def test_replaced_upload_loses_its_row(set_own: Set, rows: Rows) -> None:
    old = rows.bound()
    assert set_own(rows.ready(upload_id=an_id(2)).upload_id).status == 200
    assert rows.uploads.get(ADA, old.upload_id) is None
    assert set_own(old.upload_id).status == 404


@pytest.fixture
def occupied(rows: Rows) -> None:
    """Add an avatar, and one upload for each reason that makes an upload unusable."""
    rows.bound(upload_id=an_id(0x10))
    rows.ready(owner_id=GRACE, upload_id=an_id(2))
    rows.pending(owner_id=GRACE, upload_id=an_id(3))
    rows.bound(owner_id=f"{ADA}b", upload_id=an_id(4))
    expired = {"expires_at": utc_now() - timedelta(seconds=1)}
    rows.processed(
        rows.pending(upload_id=an_id(5)), state=State.READY, derivatives=derivatives_for(Slot.AVATAR), **expired
    )
    rows.pending(upload_id=an_id(6))
    rows.ready(upload_id=an_id(7), slot=Slot.COVER_IMAGE)
    rows.processed(rows.pending(upload_id=an_id(8)), state=State.REJECTED, reason=Reason.TOO_SMALL)


NOT_FOUND = {"detail": "No such upload"}


def unfit(sentence: str, type_: str) -> dict[str, Any]:
    return {"detail": [{"loc": ["body", "uploadId"], "msg": sentence, "type": type_}]}


REFUSALS: Mapping[str, tuple[object, int, object]] = {
    "absent": (an_id(0x99), 404, NOT_FOUND),
    "no id of ours": ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", 404, NOT_FOUND),
    "another user's": (an_id(2), 404, NOT_FOUND),
    "another user's, pending": (an_id(3), 404, NOT_FOUND),
    "another user's, bound": (an_id(4), 404, NOT_FOUND),
    "expired": (an_id(5), 404, NOT_FOUND),
    "pending": (an_id(6), 409, {"detail": "The upload is not ready yet"}),
    "the other slot's": (an_id(7), 422, unfit("The upload was made for another slot", "slot_mismatch")),
    "rejected": (an_id(8), 422, unfit("The picture is too small.", "upload_rejected")),
    "malformed": ("not-a-uuid", 422, unfit("Input should be a valid UUID, or null", "uuid_parsing")),
    "not text": (7, 422, unfit("Input should be a UUID in a string, or null", "uuid_type")),
}


@pytest.mark.usefixtures("occupied")
def test_refusals_have_the_body_of_the_contract_and_write_nothing(set_own: Set, aws: cloud.Cloud) -> None:
    assert set_own(an_id(0x10)).status == 200
    before = state(aws)
    answers = {name: set_own(sent) for name, (sent, _, _) in REFUSALS.items()}
    assert {name: (answer.status, answer.body) for name, answer in answers.items()} == {
        name: (status, body) for name, (_, status, body) in REFUSALS.items()
    }
    assert state(aws) == before


@pytest.mark.usefixtures("occupied")
def test_administrator_gets_the_same_refusals_and_cannot_mix_owners(call: Call, aws: cloud.Cloud) -> None:
    before = state(aws)
    for sent, status, body in REFUSALS.values():
        answer = set_of(call, ADA, sent)
        assert (answer.status, answer.body) == (status, body)
    assert state(aws) == before


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, ["body", "uploadId"]),
        ({"upload_id": None}, ["body", "uploadId"]),
        ("{", ["body"]),
        ("", ["body"]),
        (None, ["body"]),
        ([], ["body"]),
        ("null", ["body"]),
        ('{"uploadId": null, "uploadId": null}', ["body"]),
        ('{"uploadId": NaN}', ["body"]),
    ],
)
def test_invalid_body_removes_nothing(call: Call, rows: Rows, aws: cloud.Cloud, body: object, loc: list[str]) -> None:
    rows.bound()
    before = state(aws)
    for name in ("update_profile_picture", "update_my_profile_picture"):
        answer = call(name, body)
        assert answer.status == 422
        [problem] = answer.body["detail"]
        assert set(problem) == {"loc", "msg", "type"}
        assert problem["loc"] == loc
    assert state(aws) == before


def test_administrator_acts_for_any_existing_user(call: Call, rows: Rows, logs: Logs) -> None:
    known(GRACE)
    old, new = rows.bound(owner_id=GRACE), rows.ready(owner_id=GRACE, upload_id=an_id(2))
    answer = set_of(call, GRACE, new.upload_id)
    assert answer.status == 200
    assert (answer.body["id"], answer.body["firstName"]) == (GRACE, GRACE)
    assert new.upload_id in answer.body["profilePictureUrl"]
    assert set_of(call, GRACE, None).body["hasCustomProfilePicture"] is False
    who = {"owner": GRACE, "actor": ADMIN["sub"], "slot": "avatar"}
    records = [record for record in logs() if "audit" in record]
    assert [record["audit"] for record in records] == [
        {**who, "upload_id": new.upload_id, "previous_upload_id": old.upload_id},
        {**who, "upload_id": None, "previous_upload_id": new.upload_id},
    ]
    assert {record["message"] for record in records} == {f"[avatar] Updated for user {GRACE}"}


def test_others_get_the_same_403_for_existing_and_unknown_users(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    known(GRACE)
    rows.bound(owner_id=GRACE)
    rows.ready()
    before = state(aws)
    for user_id in (GRACE, "auth0|nobody", f"{ADA}b"):
        for sent in (None, an_id(1), an_id(2)):
            answer = set_of(call, user_id, sent, {"sub": ADA})
            assert (answer.status, answer.body) == (403, {"detail": "Not allowed to act for this user"})
    assert state(aws) == before


def test_unknown_user_is_a_404(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    rows.ready(owner_id="auth0|nobody")
    before = state(aws)
    for user_id in ("auth0|nobody", "me", "a" * 3000, "\u00fc" * 200, "..", "a/b"):
        for sent in (None, an_id(1)):
            answer = set_of(call, user_id, sent)
            assert (answer.status, answer.body) == (404, {"detail": "No such user"})
    for raw in ("%ff", "%00", "%"):
        assert call("update_profile_picture", claims=ADMIN, pathParameters={"user_id": raw}).status == 404
    assert state(aws) == before


def test_user_of_another_tenant_is_a_404(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    known(GRACE, "north")
    rows.ready(owner_id=GRACE)
    before = state(aws)
    for claims in ({**ADMIN, "tenant": "south"}, ADMIN):
        answer = set_of(call, GRACE, an_id(1), claims)
        assert (answer.status, answer.body) == (404, {"detail": "No such user"})
    assert state(aws) == before
    assert set_of(call, GRACE, an_id(1), {**ADMIN, "tenant": "north"}).status == 200


def test_first_call_saves_the_user_with_its_tenant(set_own: Set, rows: Rows) -> None:
    claims = {**ADA_SIGNED_IN, "tenant": "north"}
    assert set_own(rows.ready().upload_id, claims).status == 200
    assert set_own(None, claims).status == 200
    assert set_own(None, {**ADA_SIGNED_IN, "tenant": "south"}).status == 404


def test_too_many_changes_are_a_429(
    set_own: Set, aws: cloud.Cloud, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRITES_PER_MINUTE", "1")
    sent = [rows.ready().upload_id, None, rows.ready(upload_id=an_id(2)).upload_id]
    # Look at all three answers, because a minute can end between them.
    limited = next(answer for answer in map(set_own, sent) if answer.status != 200)
    assert limited.status == 429
    assert limited.body == {"detail": f"Too many changes in a minute; try again in {limited.headers['Retry-After']} s"}


def test_expired_token_is_a_401(set_own: Set, rows: Rows) -> None:
    upload = rows.ready()
    answer = set_own(upload.upload_id, {"exp": "1"})
    assert answer.status == 401
    assert answer.body["error"]["code"] == "AUTH_UNAUTHORIZED"
    assert rows.uploads.get(ADA, upload.upload_id) == upload
