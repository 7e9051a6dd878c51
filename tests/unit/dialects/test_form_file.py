"""Dialect 1: answers, and the page that documents them."""

import json
import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

import pytest

from profile_media.dialects import form_file
from profile_media.domain import errors
from profile_media.domain.errors import ErrorCode, MediaError
from profile_media.domain.model import Attachment, Identity, Profile, Reason, Slot
from profile_media.domain.policy import MAX_DIRECT_BYTES, default_derivative
from profile_media.http.links import Links
from profile_media.http.multipart import MAX_HEADER_BYTES, MAX_PARTS
from profile_media.http.status import STATUSES
from profile_media.http.wording import REASONS
from tests.builders import ADA, an_id, derivatives_for
from tests.docs.markdown import code, read, table

PAGE = "docs/dialects/form_file.md"
LINKS = Links("app", "https://media.example.com")

SAMPLES: dict[ErrorCode | None, MediaError | None] = {
    ErrorCode.REQUEST_INVALID: errors.RequestInvalid(("file: must not be empty",)),
    ErrorCode.IMAGE_UNACCEPTABLE: errors.ImageUnacceptable(Reason.CORRUPT, "broken at byte 7"),
    ErrorCode.PAYLOAD_TOO_LARGE: errors.PayloadTooLarge(MAX_DIRECT_BYTES),
    ErrorCode.UPLOAD_TOO_LARGE: errors.UploadTooLarge(1_048_576),
    ErrorCode.LIMIT_EXCEEDED: errors.LimitExceeded(errors.Limit.INTENTS_PER_HOUR, 60),
    ErrorCode.ATTACHMENT_CHANGED: errors.AttachmentChanged(Slot.AVATAR),
    ErrorCode.USER_NOT_FOUND: errors.UserNotFound("another tenant's"),
    ErrorCode.UNAVAILABLE: errors.Unavailable("SlowDown"),
    None: None,
}
"""Every error of the endpoint; None is an unexpected one."""


def status_of(error_code: ErrorCode | None) -> HTTPStatus:
    if error_code is None:
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return form_file.STATUSES.get(error_code, STATUSES[error_code])


def test_render_user_with_full_identity() -> None:
    identity = Identity(
        email="user@example.com",
        email_verified=True,
        first_name="John",
        last_name="Doe",
        phone_number="+1234567890",
        username="john",
        picture_url="https://provider.example.com/john.png",
        role="member",
        last_login=datetime(2026, 11, 20, tzinfo=UTC),
    )
    attachment = Attachment(an_id(1), derivatives_for(Slot.AVATAR))
    answer = form_file.render(Profile("user123", {Slot.AVATAR: attachment}, identity=identity), LINKS)
    assert answer.status == 200
    assert answer.body == {
        "data": {
            "id": "user123",
            "first_name": "John",
            "last_name": "Doe",
            "email": "user@example.com",
            "phone_number": "+1234567890",
            "profile_image": LINKS.url(an_id(1), default_derivative(Slot.AVATAR, attachment.derivatives)),
        }
    }


def test_render_user_with_empty_identity() -> None:
    data: Any = form_file.render(Profile(ADA), LINKS).body["data"]
    assert data.pop("id") == ADA
    assert data == dict.fromkeys(["first_name", "last_name", "email", "phone_number", "profile_image"])


@pytest.mark.parametrize("error_code", SAMPLES)
def test_error_has_message_and_code(error_code: ErrorCode | None) -> None:
    body: Any = form_file.render_error(SAMPLES[error_code], "request-1")
    assert body.keys() == {"success", "message", "error"}
    assert body["success"] is False
    assert body["message"] == body["error"]["message"] != ""
    assert body["error"]["code"] == (error_code or "internal").upper()
    assert body["error"]["correlationId"] == "request-1"
    assert not re.search("byte 7|SlowDown|tenant", json.dumps(body))


@pytest.mark.parametrize("reason", Reason)
def test_every_rejection_reason_is_400_with_own_sentence(reason: Reason) -> None:
    error = errors.ImageUnacceptable(reason)
    assert status_of(error.code) == 400
    assert form_file.render_error(error, "r")["message"] == REASONS[reason]


def test_page_lists_every_error_with_status_and_message() -> None:
    rows = {code(row["Error"])[0]: row for row in table(PAGE, header="Error")}
    assert rows.keys() == {error_code.value if error_code else "internal" for error_code in SAMPLES}
    for error_code, error in SAMPLES.items():
        row = rows[error_code.value if error_code else "internal"]
        assert row["Status"] == str(status_of(error_code).value)
        pattern = row["`message`"].replace("…", "*")
        message = str(form_file.render_error(error, "r")["message"])
        assert fnmatchcase(message, pattern), (message, pattern)


def test_page_has_fields_and_limits_of_code() -> None:
    data: Any = form_file.render(Profile(ADA), LINKS).body["data"]
    assert [code(row["Field"])[0] for row in table(PAGE, header="Field")] == list(data)
    assert f"{MAX_DIRECT_BYTES // 1024**2} MiB" in read(PAGE)
    assert f"{MAX_DIRECT_BYTES:,} bytes" in read(PAGE)
    assert f"at most {MAX_PARTS} parts" in read(PAGE)
    assert f"{MAX_HEADER_BYTES:,} bytes of headers" in read(PAGE)


def test_page_examples_equal_rendered_answers() -> None:
    answered, refused = (json.loads(text) for text in re.findall(r"^```json$(.*?)^```$", read(PAGE), re.M | re.S))
    body: Any = form_file.render(Profile(ADA), LINKS).body
    assert answered.keys() == body.keys()
    assert answered["data"].keys() == body["data"].keys()
    error = errors.RequestInvalid(tuple(each["message"] for each in refused["error"]["details"]))
    assert refused == form_file.render_error(error, refused["error"]["correlationId"])
