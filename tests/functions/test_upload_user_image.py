"""Dialect 1: PATCH /users/image/upload."""

import base64
import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from profile_media.aws.objects import S3Media
from profile_media.domain.model import Derivative, State, utc_now
from profile_media.domain.policy import MAX_DIRECT_BYTES, Limits
from tests import cloud, pictures
from tests.builders import ADA, an_id
from tests.conftest import Logs
from tests.functions.conftest import Answer, Call, Rows

FILE = 'name="file"; filename="image.png"'


def a_form(*contents: bytes, disposition: str = FILE) -> dict[str, Any]:
    """Return the changes of an event that make these the parts of its form."""
    head = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
    body = b"".join(head + content + b"\r\n" for content in contents) + b"--b--\r\n"
    return {
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        "headers": {"Content-Type": "multipart/form-data; boundary=b"},
    }


def send(call: Call, *contents: bytes, claims: dict[str, str] | None = None, **changes: Any) -> Answer:
    return call("upload_user_image", claims=claims, **{**a_form(*contents), **changes})


def key_of(answer: Answer) -> str:
    url: str = answer.body["data"]["profile_image"]
    return url.removeprefix(cloud.MEDIA_BASE_URL + "/")


def upload_id_of(answer: Answer) -> str:
    return key_of(answer).split("/")[1]


def test_answer_shows_the_user_with_the_new_picture(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    answer = call("upload_user_image")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    url = answer.body["data"]["profile_image"]
    assert answer.body == {
        "data": {
            "id": ADA,
            "first_name": "Ada",
            "last_name": "Lovelace",
            "email": "ada@example.com",
            "phone_number": None,
            "profile_image": url,
        }
    }
    assert re.fullmatch(r"https://media\.example\.com/media/[0-9a-f-]{36}/full-[0-9a-f]{32}\.webp", url)
    assert aws.s3.get_object(Bucket=cloud.MEDIA_BUCKET, Key=key_of(answer))["ContentType"] == "image/webp"
    upload = rows.uploads.get(ADA, upload_id_of(answer))
    assert upload
    assert (upload.state, upload.expires_at) == (State.BOUND, None)
    assert aws.keys(cloud.UPLOADS_BUCKET) == set()


@pytest.mark.parametrize("content", [pictures.a_png(64, 64), pictures.a_webp(64, 64), pictures.a_gif(64, 64)])
def test_format_is_detected_from_the_bytes(call: Call, content: bytes) -> None:
    assert send(call, content).status == 200


def test_uploaded_picture_precedes_the_providers(call: Call) -> None:
    claims = {"identity": json.dumps({"picture_url": "https://provider.example.com/ada.png"})}
    answer = send(call, pictures.a_png(64, 64), claims=claims)
    assert key_of(answer).startswith("media/")


def test_row_of_the_replaced_upload_is_deleted(call: Call, rows: Rows) -> None:
    old = rows.bound()
    answer = send(call, pictures.a_png(64, 64))
    assert answer.status == 200
    assert upload_id_of(answer) != old.upload_id
    assert rows.uploads.get(ADA, old.upload_id) is None


def test_old_picture_stays_until_the_new_one_is_stored(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    old = rows.bound()
    aws.s3.delete_bucket(Bucket=cloud.MEDIA_BUCKET)
    answer = send(call, pictures.a_png(64, 64))
    assert answer.status in (500, 503)
    assert answer.body["success"] is False
    assert rows.uploads.get(ADA, old.upload_id) == old
    assert call("get_profile").body["avatar"]["uploadId"] == old.upload_id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (a_form(), "file: must be exactly one part with a filename, but there are 0"),
        (a_form(b"a.png", disposition='name="file"'), "but there are 0"),
        (a_form(b"x", disposition='name="image"; filename="a.png"'), "but there are 0"),
        (a_form(pictures.a_png(64, 64), pictures.a_png(64, 64)), "but there are 2"),
        (a_form(b""), "file: must not be empty"),
        ({"body": None}, "a complete multipart/form-data form"),
        ({"body": "", "isBase64Encoded": False}, "a complete multipart/form-data form"),
        ({"body": "\u00e9\u0000", "isBase64Encoded": False}, "a complete multipart/form-data form"),
        ({"body": "not base64!"}, "not valid base64 or text"),
        ({"headers": {"Content-Type": "image/png"}}, "Content-Type must be multipart/form-data"),
        ({"headers": {"Content-Type": "multipart/form-data"}}, "with a boundary"),
    ],
)
def test_request_without_exactly_one_file_is_a_400_without_a_write(
    call: Call, aws: cloud.Cloud, changes: dict[str, Any], message: str
) -> None:
    answer = call("upload_user_image", **changes)
    assert answer.status == 400
    assert answer.body.keys() == {"success", "message", "error"}
    assert answer.body["success"] is False
    assert message in answer.body["message"]
    assert answer.body["error"]["code"] == "REQUEST_INVALID"
    assert answer.body["error"]["correlationId"] == answer.headers["x-correlation-id"]
    assert aws.rows(cloud.USERS_TABLE) == aws.rows(cloud.UPLOADS_TABLE) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no picture", "The file is not a picture in a format we take."),
        (pictures.a_jpeg(640, 480)[:4000], "The picture is damaged or incomplete."),
        (pictures.a_png_claiming(10_000, 10_000), "The picture has too many pixels."),
    ],
)
def test_unusable_picture_is_a_400_and_the_old_one_stays(
    call: Call, rows: Rows, aws: cloud.Cloud, content: bytes, message: str
) -> None:
    old = rows.bound()
    answer = send(call, content)
    assert (answer.status, answer.body["message"]) == (400, message)
    assert answer.body["error"]["code"] == "IMAGE_UNACCEPTABLE"
    assert call("get_profile").body["avatar"]["uploadId"] == old.upload_id
    assert aws.keys(cloud.MEDIA_BUCKET) == aws.keys(cloud.UPLOADS_BUCKET) == set()


def test_picture_over_the_payload_limit_is_a_413_that_names_intents(call: Call, aws: cloud.Cloud) -> None:
    answer = send(call, b"x" * (MAX_DIRECT_BYTES + 1))
    assert answer.status == 413
    assert str(MAX_DIRECT_BYTES) in answer.body["message"]
    assert "POST /media/intents" in answer.body["message"]
    assert aws.rows(cloud.UPLOADS_TABLE) == []


def check_come_back_later(answer: Answer, limit: str) -> None:
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.body["error"]["code"] == "LIMIT_EXCEEDED"
    assert answer.body["error"]["i18nVars"] == {"limit": limit, "retryAfter": int(answer.headers["Retry-After"])}


def test_too_many_open_uploads_are_a_429_with_retry_after(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    for number in range(Limits().open_intents):
        rows.pending(upload_id=an_id(number))
    check_come_back_later(send(call, pictures.a_png(64, 64)), "open_intents")
    assert aws.keys(cloud.MEDIA_BUCKET) == set()


def test_too_many_changes_are_a_429_with_retry_after(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRITES_PER_MINUTE", "1")
    answers = [send(call, pictures.a_png(64, 64)) for _ in range(3)]
    assert answers[0].status == 200
    limited = next(answer for answer in answers if answer.status != 200)  # a minute can end between two calls
    check_come_back_later(limited, "changes_per_minute")


def test_user_of_another_tenant_is_a_404_without_a_write(call: Call, aws: cloud.Cloud) -> None:
    assert send(call, pictures.a_png(64, 64), claims={"tenant": "one"}).status == 200
    before = aws.rows(cloud.USERS_TABLE), aws.rows(cloud.UPLOADS_TABLE), aws.keys(cloud.MEDIA_BUCKET)
    answer = send(call, pictures.a_png(64, 64), claims={"tenant": "two"})
    assert (answer.status, answer.body["message"]) == (404, "No such user")
    assert (aws.rows(cloud.USERS_TABLE), aws.rows(cloud.UPLOADS_TABLE), aws.keys(cloud.MEDIA_BUCKET)) == before


def test_upload_writes_an_audit_record(call: Call, rows: Rows, logs: Logs) -> None:
    old = rows.bound()
    answer = send(call, pictures.a_png(64, 64))
    [record] = [record for record in logs() if "audit" in record]
    assert record["message"] == f"[avatar] Updated for user {ADA}"
    assert record["audit"] == {
        "owner": ADA,
        "actor": ADA,
        "slot": "avatar",
        "upload_id": upload_id_of(answer),
        "previous_upload_id": old.upload_id,
    }


@pytest.mark.parametrize("function", ["upload_user_image", "update_profile_image"])
@pytest.mark.parametrize("is_removed", [False, True], ids=["expired", "removed"])
def test_upload_that_expires_while_processing_leaves_nothing(
    call: Call, aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch, function: str, *, is_removed: bool
) -> None:
    store = S3Media.store

    def slowly(media: S3Media, upload_id: str, contents: Sequence[tuple[Derivative, bytes]]) -> None:
        store(media, upload_id, contents)
        assert aws.keys(cloud.MEDIA_BUCKET)
        if is_removed:
            key = {"owner_id": {"S": ADA}, "upload_id": {"S": upload_id}}
            aws.dynamodb.delete_item(TableName=cloud.UPLOADS_TABLE, Key=key)
        monkeypatch.setattr("profile_media.aws.clock.utc_now", lambda: utc_now() + timedelta(hours=2))

    monkeypatch.setattr(S3Media, "store", slowly)
    assert call(function).status == 503
    if is_removed:  # its purge may have run already, so another one is requested
        assert [message["owner_id"] for message in aws.messages()] == [ADA]
    else:
        assert aws.keys(cloud.MEDIA_BUCKET) == set()
    assert all("avatar" not in user for user in aws.rows(cloud.USERS_TABLE))
