"""Dialect 3: parsing upload ids, the user, and errors in FastAPI's format."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from profile_media.dialects import upload_id
from profile_media.domain import errors
from profile_media.domain.errors import MediaError, RequestInvalid, UserNotFound
from profile_media.domain.model import ExternalPicture, Identity, Profile, Reason, Slot
from profile_media.domain.policy import MAX_OWNER_BYTES
from profile_media.http.request import Request
from profile_media.http.user_id import parse_user_id
from tests.builders import ADA, NOW, an_id
from tests.docs.markdown import table
from tests.requests import a_json_request

UNKNOWN = Profile(ADA, created_at=NOW)


def a_request(body: object, user_id: str = ADA) -> Request:
    return a_json_request(body, path={"user_id": user_id})


def test_parse_upload_id_returns_none_for_null() -> None:
    assert upload_id.parse_upload_id(a_request({"uploadId": None})) is None


@pytest.mark.parametrize(
    "spelling",
    [
        "3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "3C90C3CC-0D44-4B50-8888-8DD25736052A",
        "3c90C3cc-0d44-4B50-8888-8dd25736052A",
    ],
)
def test_parse_upload_id_returns_lower_case(spelling: str) -> None:
    assert upload_id.parse_upload_id(a_request({"uploadId": spelling})) == "3c90c3cc-0d44-4b50-8888-8dd25736052a"


def test_parse_upload_id_accepts_every_uuid_version() -> None:
    for other in ("00000000-0000-0000-0000-000000000000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"):
        assert upload_id.parse_upload_id(a_request({"uploadId": other})) == other


@pytest.mark.parametrize(
    ("body", "loc", "type_"),
    [
        ({}, ["body", "uploadId"], "missing"),
        ({"upload_id": None}, ["body", "uploadId"], "missing"),
        ({"uploadID": an_id(1)}, ["body", "uploadId"], "missing"),
        ({"uploadId": 7}, ["body", "uploadId"], "uuid_type"),
        ({"uploadId": False}, ["body", "uploadId"], "uuid_type"),
        ({"uploadId": [an_id(1)]}, ["body", "uploadId"], "uuid_type"),
        ({"uploadId": {}}, ["body", "uploadId"], "uuid_type"),
        ({"uploadId": ""}, ["body", "uploadId"], "uuid_parsing"),
        ({"uploadId": "null"}, ["body", "uploadId"], "uuid_parsing"),
        ({"uploadId": an_id(1) + "\n"}, ["body", "uploadId"], "uuid_parsing"),
        ({"uploadId": " " + an_id(1)}, ["body", "uploadId"], "uuid_parsing"),
        ({"uploadId": an_id(1)[:-1]}, ["body", "uploadId"], "uuid_parsing"),
        ({"uploadId": an_id(1).replace("-", "")}, ["body", "uploadId"], "uuid_parsing"),
        ({"uploadId": an_id(1).replace("0", "g")}, ["body", "uploadId"], "uuid_parsing"),
        ({"uploadId": an_id(1).replace("0", "\u0660")}, ["body", "uploadId"], "uuid_parsing"),
        ({"uploadId": f"{{{an_id(1)}}}"}, ["body", "uploadId"], "uuid_parsing"),
        ({"uploadId": f"../{an_id(1)}"}, ["body", "uploadId"], "uuid_parsing"),
        ("", ["body"], "json_invalid"),
        ("{", ["body"], "json_invalid"),
        ("null", ["body"], "json_invalid"),
        ([], ["body"], "json_invalid"),
        (f'{{"uploadId": null, "uploadId": "{an_id(1)}"}}', ["body"], "json_invalid"),
    ],
)
def test_invalid_body_is_422_with_location_and_type(body: object, loc: list[str], type_: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        upload_id.parse_upload_id(a_request(body))
    assert upload_id.STATUSES[refused.value.code] == 422
    rendered = json.loads(json.dumps(upload_id.render_error(refused.value, "r")))
    assert set(rendered) == {"detail"}
    [problem] = rendered["detail"]
    assert set(problem) == {"loc", "msg", "type"}
    assert (problem["loc"], problem["type"]) == (loc, type_)
    assert problem["msg"]


@pytest.mark.parametrize("user_id", [ADA, "a", "b\u00fccher/50%?#", "a" * MAX_OWNER_BYTES])
def test_parse_user_id_decodes_path(user_id: str) -> None:
    assert parse_user_id(a_request({}, quote(user_id, safe=""))) == user_id


@pytest.mark.parametrize("sent", ["", "%ff", "a%0ab", "%00", "a" * (MAX_OWNER_BYTES + 1), "%C3%BC" * 128])
def test_parse_user_id_refuses_impossible_id(sent: str) -> None:
    with pytest.raises(UserNotFound):
        parse_user_id(a_request({}, sent))


def test_render_user_with_empty_identity_has_contract_types() -> None:
    assert upload_id.render(UNKNOWN, None).body == {
        "id": ADA,
        "email": "",
        "emailVerified": False,
        "firstName": "",
        "lastName": "",
        "profilePictureUrl": None,
        "role": "user",
        "state": "active",
        "lastLogin": None,
        "createdAt": "2026-11-20T12:00:00.000Z",
        "hasCustomProfilePicture": False,
    }


def test_render_user_with_full_identity() -> None:
    identity = Identity(
        email="ada@example.com",
        email_verified=True,
        first_name="Ada",
        last_name="Lovelace",
        role="editor",
        last_login=datetime(2023, 11, 7, 5, 31, 56, tzinfo=UTC),
    )
    profile = replace(UNKNOWN, identity=identity).with_attachment(
        Slot.AVATAR, ExternalPicture("https://a.example"), NOW
    )
    body: Any = upload_id.render(profile, "https://a.example").body
    assert (body["email"], body["emailVerified"]) == ("ada@example.com", True)
    assert (body["firstName"], body["lastName"], body["role"]) == ("Ada", "Lovelace", "editor")
    assert body["lastLogin"] == "2023-11-07T05:31:56.000Z"
    assert (body["profilePictureUrl"], body["hasCustomProfilePicture"]) == ("https://a.example", True)


def test_cover_image_is_not_profile_picture() -> None:
    profile = UNKNOWN.with_attachment(Slot.COVER_IMAGE, ExternalPicture("https://a.example"), NOW)
    assert upload_id.render(profile, None).body["hasCustomProfilePicture"] is False


@pytest.mark.parametrize(
    ("error", "type_"),
    [
        (errors.SlotMismatch(Slot.COVER_IMAGE), "slot_mismatch"),
        (errors.UploadRejected(Reason.CORRUPT), "upload_rejected"),
    ],
)
def test_unusable_upload_is_422_at_field(error: MediaError, type_: str) -> None:
    assert upload_id.STATUSES[error.code] == 422
    [problem] = json.loads(json.dumps(upload_id.render_error(error, "r")))["detail"]
    assert (problem["loc"], problem["type"]) == (["body", "uploadId"], type_)


SENTENCES: Mapping[MediaError | None, str] = {
    errors.OwnerForbidden(): "Not allowed to act for this user",
    errors.UserNotFound("another tenant's"): "No such user",
    errors.UploadNotFound("expired"): "No such upload",
    errors.UploadNotReady(an_id(1)): "The upload is not ready yet",
    errors.AttachmentChanged(Slot.AVATAR): "The picture is being changed elsewhere; try again",
    errors.LimitExceeded(errors.Limit.CHANGES_PER_MINUTE, 7): "Too many changes in a minute; try again in 7 s",
    errors.Unavailable("SlowDown"): "Busy; try again",
    None: "Something went wrong on our side",
}


@pytest.mark.parametrize(("error", "sentence"), SENTENCES.items())
def test_other_error_is_sentence(error: MediaError | None, sentence: str) -> None:
    assert upload_id.render_error(error, "r") == {"detail": sentence}


def test_page_quotes_messages() -> None:
    rows = {row["Error"].strip("`"): row["`detail`"] for row in table("docs/dialects/upload_id.md", header="Error")}
    listed = {name for name, said in rows.items() if said.startswith("a list")}
    assert listed == {code.value for code in upload_id.STATUSES}
    assert {name: said for name, said in rows.items() if name not in listed} == {
        error.code.value if error else "internal": sentence.replace("7 s", "\u2026 s")
        for error, sentence in SENTENCES.items()
    }
