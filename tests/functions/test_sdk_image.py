"""Dialect 4: the profile image of /v1/users/{user_id}, and the user."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from profile_media.domain.model import Slot
from profile_media.domain.policy import MAX_DIRECT_BYTES
from tests import cloud, pictures
from tests.builders import ADA, GRACE, an_id
from tests.conftest import Logs
from tests.functions.conftest import Answer, Call, Rows

ADMIN = {"sub": "auth0|admin", "admin": "true"}
PICTURE_OF_ADA = "https://pictures.example.com/ada.png"
ADA_SIGNED_IN = {
    "sub": ADA,
    "identity": json.dumps(
        {
            "email": "ada@example.com",
            "email_verified": True,
            "first_name": "Ada",
            "last_name": "Lovelace",
            "phone_number": "+4930123456",
            "username": "ada",
            "picture_url": PICTURE_OF_ADA,
            "last_login": 1795176000,
        }
    ),
}
FUNCTIONS = ("update_profile_image", "delete_profile_image", "get_user", "put_user")


def a_form(content: bytes, disposition: str = 'name="file"; filename="it.jpg"') -> dict[str, Any]:
    """Return the changes of an event that put another picture into its form."""
    head = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
    return {
        "body": base64.b64encode(head + content + b"\r\n--b--\r\n").decode(),
        "isBase64Encoded": True,
        "headers": {"Content-Type": "multipart/form-data; boundary=b"},
    }


def of(user_id: str) -> dict[str, Any]:
    """Return the path parameter as API Gateway passes it."""
    return {"pathParameters": {"user_id": quote(user_id, safe="")}}


def written(call: Call, user_id: str, claims: dict[str, str] = ADMIN, **body: object) -> Answer:
    answer = call("put_user", body, claims, **of(user_id))
    assert answer.status == 200
    return answer


def code(answer: Answer) -> tuple[int, str]:
    """Return the status and the code of the one error, after checking its shape."""
    [error] = answer.body["errors"]
    assert set(answer.body) == {"errors", "clerk_trace_id"}
    assert answer.body["clerk_trace_id"] == answer.headers["x-correlation-id"]
    assert error["message"]
    assert error["long_message"]
    return answer.status, error["code"]


def state(aws: cloud.Cloud) -> object:
    return aws.rows(cloud.UPLOADS_TABLE), aws.rows(cloud.USERS_TABLE), aws.keys(cloud.MEDIA_BUCKET)


def test_picture_of_the_form_is_shown(call: Call, aws: cloud.Cloud) -> None:
    answer = call("update_profile_image", claims=ADA_SIGNED_IN)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    key = answer.body["image_url"].removeprefix(f"{cloud.MEDIA_BASE_URL}/")
    assert key in aws.keys(cloud.MEDIA_BUCKET)
    assert answer.body["profile_image_url"] == answer.body["image_url"]
    assert answer.body["has_image"] is True
    assert call("get_user", claims=ADA_SIGNED_IN).body == answer.body


def test_second_picture_deletes_the_row_of_the_first(call: Call, rows: Rows) -> None:
    first = rows.bound()
    answer = call("update_profile_image", **a_form(pictures.a_jpeg()))
    assert answer.status == 200
    assert first.upload_id not in answer.body["image_url"]
    assert rows.uploads.get(ADA, first.upload_id) is None


def test_removal_shows_the_providers_picture_or_none(call: Call, rows: Rows) -> None:
    upload = rows.bound()
    answer = call("delete_profile_image", claims=ADA_SIGNED_IN)
    assert (answer.status, answer.body["has_image"], answer.body["image_url"]) == (200, True, PICTURE_OF_ADA)
    assert rows.uploads.get(ADA, upload.upload_id) is None
    again = call("delete_profile_image", claims=ADA_SIGNED_IN)
    assert (again.status, again.body["image_url"]) == (200, PICTURE_OF_ADA)


def test_user_without_picture(call: Call) -> None:
    answer = call("get_user")
    assert (answer.body["has_image"], answer.body["image_url"], answer.body["profile_image_url"]) == (False, "", "")
    assert (answer.body["email_addresses"], answer.body["primary_email_address_id"]) == ([], None)
    removed = call("delete_profile_image")
    assert (removed.status, removed.body) == (200, answer.body)


def test_removal_keeps_the_cover_image(call: Call, rows: Rows) -> None:
    cover = rows.bound(slot=Slot.COVER_IMAGE, upload_id=an_id(2))
    call("delete_profile_image")
    assert rows.uploads.get(ADA, cover.upload_id) == cover


def test_administrator_acts_for_users_and_is_audited(call: Call, logs: Logs) -> None:
    written(call, GRACE)
    answer = call("update_profile_image", claims=ADMIN, **of(GRACE))
    assert (answer.status, answer.body["id"]) == (200, GRACE)
    removed = call("delete_profile_image", claims=ADMIN, **of(GRACE))
    assert (removed.status, removed.body["has_image"]) == (200, False)
    audits = [record["audit"] for record in logs() if "audit" in record]
    assert [(audit["owner"], audit["actor"]) for audit in audits] == [(GRACE, "auth0|admin")] * 2
    assert audits[1]["previous_upload_id"] == audits[0]["upload_id"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_user_acting_for_another_is_a_403(call: Call, aws: cloud.Cloud, name: str) -> None:
    written(call, GRACE)
    before = state(aws)
    for user_id in (GRACE, "auth0|nobody"):
        assert code(call(name, claims={"sub": ADA, "admin": "false"}, **of(user_id))) == (403, "authorization_invalid")
    assert state(aws) == before


@pytest.mark.parametrize("name", FUNCTIONS[:3])
def test_unknown_user_is_a_404(call: Call, aws: cloud.Cloud, name: str) -> None:
    written(call, GRACE, {**ADMIN, "tenant": "acme"})
    before = state(aws)
    for claims in (ADMIN, {**ADMIN, "tenant": "other"}):
        for user_id in (GRACE, "auth0|nobody", "x" * 256, "x" * 3000, "a\nb", "%FF", "\ud800", "\N{NO-BREAK SPACE}"):
            parameters = {"user_id": user_id if user_id in ("%FF", "\ud800") else quote(user_id, safe="")}
            answer = call(name, claims=claims, pathParameters=parameters)
            assert code(answer) == (404, "resource_not_found"), user_id
    assert state(aws) == before
    assert call(name, claims={**ADMIN, "tenant": "acme"}, **of(GRACE)).status == 200


def test_unusable_picture_is_refused(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    bound = rows.bound()
    call("get_user")
    before = aws.rows(cloud.USERS_TABLE), aws.keys(cloud.MEDIA_BUCKET)
    requests: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
        "nothing": (
            {"body": None, "isBase64Encoded": False, "headers": {"Content-Type": ""}},
            (400, "request_invalid"),
        ),
        "a text": (a_form(b"words", 'name="file"'), (400, "request_invalid")),
        "an empty file": (a_form(b""), (400, "request_invalid")),
        "another field": (a_form(b"x", 'name="picture"; filename="a.png"'), (400, "request_invalid")),
        "no picture": (a_form(b"not a picture at all"), (400, "image_unacceptable")),
        "too many pixels": (a_form(pictures.a_png_claiming(11_000, 11_000)), (400, "image_unacceptable")),
        "too much": (a_form(b"\0" * (MAX_DIRECT_BYTES + 1)), (413, "payload_too_large")),
    }
    answers = {name: call("update_profile_image", **changes) for name, (changes, _) in requests.items()}
    assert {name: code(answer) for name, answer in answers.items()} == {
        name: expected for name, (_, expected) in requests.items()
    }
    assert answers["too many pixels"].body["errors"][0]["meta"] == {"reason": "too_many_pixels"}
    assert answers["too much"].body["errors"][0]["meta"] == {"limit": MAX_DIRECT_BYTES}
    assert "POST /media/intents" in answers["too much"].body["errors"][0]["message"]
    assert (aws.rows(cloud.USERS_TABLE), aws.keys(cloud.MEDIA_BUCKET)) == before
    assert rows.uploads.get(ADA, bound.upload_id)


def test_too_many_changes_are_a_429_with_retry_after(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRITES_PER_MINUTE", "1")
    answers = [call("update_profile_image", **a_form(pictures.a_jpeg(seed))) for seed in (100, 120, 140)]
    refused = next(answer for answer in answers if answer.status != 200)
    assert code(refused) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    retry_after = int(refused.headers["Retry-After"])
    assert refused.body["errors"][0]["meta"] == {"limit": "changes_per_minute", "retry_after": retry_after}


def test_expired_token_is_a_401_that_the_sdks_read(call: Call) -> None:
    for name in FUNCTIONS:
        answer = call(name, claims={"exp": "1"})
        assert answer.status == 401
        [error] = answer.body["errors"]
        assert error["code"] == "AUTH_UNAUTHORIZED"
        assert error["message"] == error["long_message"] == "Invalid or expired token"
        assert answer.body["clerk_trace_id"] == answer.headers["x-correlation-id"]


def test_administrator_writes_user_before_first_sign_in(call: Call) -> None:
    answer = written(
        call,
        GRACE,
        first_name="Grace",
        last_name="Hopper",
        username="grace",
        email_address="grace@example.com",
        email_verified=True,
        phone_number="+12125550123",
        image_url="https://pictures.example.com/grace.png",
        role="rear admiral",
    )
    assert answer.body["id"] == GRACE
    assert (answer.body["first_name"], answer.body["last_name"], answer.body["username"]) == (
        "Grace",
        "Hopper",
        "grace",
    )
    assert (answer.body["image_url"], answer.body["has_image"]) == ("https://pictures.example.com/grace.png", True)
    [email], [phone] = answer.body["email_addresses"], answer.body["phone_numbers"]
    assert (email["email_address"], email["verification"]["status"]) == ("grace@example.com", "verified")
    assert (phone["phone_number"], phone["verification"]["status"]) == ("+12125550123", "unverified")
    assert call("get_user", claims=ADMIN, **of(GRACE)).body == answer.body


def test_put_replaces_identity_and_keeps_pictures(call: Call, rows: Rows) -> None:
    rows.bound(owner_id=GRACE)
    written(call, GRACE, email="grace@example.com", first_name="Grace", role="admiral")
    answer = written(call, GRACE, last_name="Hopper", first_name=None)
    assert (answer.body["first_name"], answer.body["last_name"]) == (None, "Hopper")
    assert answer.body["email_addresses"] == []
    assert an_id(1) in answer.body["image_url"]


def test_put_of_user_of_another_tenant_writes_nothing(call: Call, aws: cloud.Cloud) -> None:
    written(call, GRACE, {**ADMIN, "tenant": "acme"}, first_name="Grace")
    before = state(aws)
    answer = call("put_user", {"first_name": "X"}, {**ADMIN, "tenant": "other"}, **of(GRACE))
    assert code(answer) == (404, "resource_not_found")
    assert state(aws) == before


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        {"first_name": 7},
        {"first_name": ""},
        {"first_name": "a\nb"},
        {"first_name": " a"},
        {"first_name": "a" * 256},
        {"email_address": "nobody"},
        {"email_address": "a@b\n"},
        {"email_address": "a@example.com", "email": "b@example.com"},
        {"email_verified": "yes"},
        {"email_verified": None},
        {"image_url": "http://example.com/a.png"},
        {"image_url": "https://example.com\\@evil.example/a.png"},
        {"image_url": "https://user@example.com/a.png"},
        {"image_url": "javascript:alert(1)"},
        {"image_url": "https://example.com/" + "a" * 2048},
        {"id": "auth0|other"},
        '{"first_name": "a", "first_name": "b"}',
    ],
)
def test_put_with_invalid_body_is_refused(call: Call, aws: cloud.Cloud, body: object) -> None:
    before = state(aws)
    assert code(call("put_user", body, ADMIN, **of(GRACE))) == (400, "request_invalid")
    assert state(aws) == before
