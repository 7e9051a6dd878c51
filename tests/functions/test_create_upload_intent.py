"""POST /media/intents."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest

from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.keys import incoming_key
from profile_media.domain.model import AutoBind
from profile_media.domain.policy import Limits
from tests import cloud
from tests.builders import ADA, GRACE
from tests.conftest import Logs
from tests.functions.conftest import Call, an_event, run

INTENT = "create_upload_intent"
BODY = {"slot": "avatar", "contentType": "image/jpeg", "contentLength": 482113}


def policy_of(answer: Any) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(base64.b64decode(answer.body["upload"]["fields"]["policy"]))
    return policy


def test_answer_has_the_body_of_the_contract(call: Call, aws: cloud.Cloud) -> None:
    answer = call(INTENT)
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-correlation-id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert set(answer.body) == {"uploadId", "publicId", "slot", "state", "expiresAt", "upload"}
    assert answer.body["slot"] == "avatar"
    assert answer.body["state"] == "pending"
    assert answer.body["publicId"] == f"app/temp/user_YXV0aDB8YWRh/images/{answer.body['uploadId']}"
    assert answer.body["upload"]["method"] == "POST"
    assert answer.body["upload"]["url"] == "https://uploads.s3.eu-central-1.amazonaws.com/"
    [row] = [row for row in aws.rows(cloud.UPLOADS_TABLE) if row["upload_id"]["S"] == answer.body["uploadId"]]
    assert row["owner_id"]["S"] == ADA
    assert row["state"]["S"] == "pending"


def test_policy_has_an_exact_condition_for_every_field(call: Call) -> None:
    checksum = base64.b64encode(sha256(b"picture").digest()).decode()
    answer = call(INTENT, {**BODY, "checksumSha256": checksum})
    fields = answer.body["upload"]["fields"]
    assert fields["key"] == incoming_key(ADA, answer.body["uploadId"])
    assert fields["Content-Type"] == "image/jpeg"
    assert fields["success_action_status"] == "201"
    assert fields["x-amz-checksum-sha256"] == checksum
    assert fields["x-amz-security-token"] == "session-token-of-the-role"
    pinned = {name: value for name, value in fields.items() if name not in {"policy", "x-amz-signature"}}
    assert policy_of(answer)["conditions"] == [
        {"bucket": "uploads"},
        *({name: value} for name, value in pinned.items()),
        ["content-length-range", 1, 482113],
    ]
    assert list(fields)[-2:] == ["policy", "x-amz-signature"]


def test_policy_expires_after_five_minutes(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import datetime

    answer = call(INTENT)
    signed = datetime.strptime(answer.body["upload"]["fields"]["x-amz-date"], "%Y%m%dT%H%M%S%z")
    expires = datetime.fromisoformat(policy_of(answer)["expiration"])
    assert 299 <= (expires - signed).total_seconds() <= 300


def test_repeated_key_returns_identical_answer(call: Call) -> None:
    assert call(INTENT).body == call(INTENT).body


def test_repeated_key_of_removed_upload_creates_new_intent(call: Call, aws: cloud.Cloud) -> None:
    first = call(INTENT).body["uploadId"]
    key = {"owner_id": {"S": ADA}, "upload_id": {"S": first}}
    aws.dynamodb.delete_item(TableName=cloud.UPLOADS_TABLE, Key=key)
    second = call(INTENT).body["uploadId"]
    assert second != first
    assert call(INTENT).body["uploadId"] == second


def test_repeated_key_with_another_body_is_a_409(call: Call, aws: cloud.Cloud) -> None:
    call(INTENT)
    before = aws.rows(cloud.UPLOADS_TABLE)
    answer = call(INTENT, {**BODY, "contentLength": 482114})
    assert answer.status == 409
    assert answer.body["error"]["code"] == "IDEMPOTENCY_CONFLICT"
    assert aws.rows(cloud.UPLOADS_TABLE) == before


def test_intent_to_bind_is_recorded_with_its_actor(call: Call, aws: cloud.Cloud) -> None:
    body = {**BODY, "bind": True, "owner": {"userId": GRACE}}
    upload_id = call(INTENT, body, claims={"admin": "true"}).body["uploadId"]
    upload = DynamoUploads(cloud.UPLOADS_TABLE).get(GRACE, upload_id)
    assert upload
    assert upload.auto_bind == AutoBind(ADA, None)
    assert call(INTENT, {**body, "bind": False}, claims={"admin": "true"}).status == 409


def test_other_key_creates_another_intent(call: Call) -> None:
    first, second = (call(INTENT, BODY, headers={"Idempotency-Key": f"{number}"}) for number in (1, 2))
    assert first.body["uploadId"] != second.body["uploadId"]


def test_too_many_open_intents_are_a_429_with_retry_after(call: Call) -> None:
    limit = Limits().open_intents
    for number in range(limit):
        assert call(INTENT, headers={"Idempotency-Key": f"{number}"}).status == 201
    answer = call(INTENT, headers={"Idempotency-Key": f"{limit}"})
    assert answer.status == 429
    retry_after = int(answer.headers["Retry-After"])
    assert 300 < retry_after <= 361
    assert answer.body["error"]["i18nVars"] == {"limit": "open_intents", "retryAfter": retry_after}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "slot"),
        ({**BODY, "slot": "banner"}, "slot"),
        ({**BODY, "slot": "cover_image"}, "slot"),
        ({**BODY, "contentLength": 0}, "contentLength"),
        ({**BODY, "contentLength": -1}, "contentLength"),
        ({**BODY, "contentLength": "482113"}, "contentLength"),
        ({**BODY, "contentLength": 1.5}, "contentLength"),
        ({**BODY, "contentLength": True}, "contentLength"),
        ({**BODY, "contentLength": None}, "contentLength"),
        ({**BODY, "contentType": 7}, "contentType"),
        ({**BODY, "checksumSha256": "nonsense"}, "checksumSha256"),
        ({**BODY, "checksumSha256": base64.b64encode(b"short").decode()}, "checksumSha256"),
        ({**BODY, "key": "media/x"}, "key"),
        ({**BODY, "bind": "true"}, "bind"),
        ({**BODY, "bind": 1}, "bind"),
        ({**BODY, "bind": None}, "bind"),
        ({**BODY, "owner": "auth0|grace"}, "owner"),
        ({**BODY, "owner": {}}, "owner.userId"),
        ({**BODY, "owner": {"userId": ""}}, "owner.userId"),
        ({**BODY, "owner": {"userId": "я" * 128}}, "owner.userId"),
        ({**BODY, "owner": {"userId": "ada\nadmin"}}, "owner.userId"),
        ({**BODY, "checksumSha256": "A" * 42 + "B="}, "checksumSha256"),
    ],
)
def test_invalid_field_is_a_400_that_names_it(call: Call, aws: cloud.Cloud, body: object, field: str) -> None:
    answer = call(INTENT, body)
    assert answer.status == 400
    assert any(detail["message"].startswith(f"{field}:") for detail in answer.body["error"]["details"])
    assert answer.body["error"]["correlationId"] == answer.headers["x-correlation-id"]
    assert aws.rows(cloud.UPLOADS_TABLE) == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        '"avatar"',
        '{"slot": "avatar", "slot": "avatar", "contentType": "image/jpeg", "contentLength": 1}',
        '{"slot": "avatar", "contentType": "image/jpeg", "contentLength": NaN}',
        '{"slot": "avatar", "contentType": "image/jpeg", "contentLength": 1e400}',
        '{"slot": "avatar", "contentType": "image/jpeg", "contentLength": ' + "9" * 5000 + "}",
        "[" * 16000,
        json.dumps({**BODY, "padding": "x" * 16384}),
        "\ud800",
        '{"slot": "avatar", "contentType": "image/jpeg", "contentLength": 1, "owner": {"userId": "\\ud800"}}',
    ],
)
def test_body_that_is_not_a_strict_json_object_is_a_400(call: Call, body: str | None) -> None:
    assert call(INTENT, body).status == 400


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_request_of_another_content_type_is_a_400(call: Call, content_type: str) -> None:
    assert call(INTENT, headers={"Content-Type": content_type}).status == 400


def test_charset_and_base64_are_accepted(call: Call) -> None:
    encoded = base64.b64encode(json.dumps(BODY).encode()).decode()
    changes = {"isBase64Encoded": True, "headers": {"Content-Type": "application/json; charset=utf-8"}}
    assert call(INTENT, encoded, **changes).status == 201
    assert call(INTENT, encoded + "!", **changes).status == 400
    assert call(INTENT, base64.b64encode(b"\xff{}").decode(), **changes).status == 400


@pytest.mark.parametrize("content_type", ["image/svg+xml", "IMAGE/PNG", "image/jpeg, text/html", "image/", ""])
def test_unsupported_type_is_a_415_that_names_supported_ones(call: Call, content_type: str) -> None:
    answer = call(INTENT, {**BODY, "contentType": content_type})
    assert answer.status == 415
    for taken in ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"):
        assert taken in answer.body["error"]["message"]


def test_length_over_the_limit_is_a_413_that_names_it(call: Call) -> None:
    assert call(INTENT, {**BODY, "contentLength": 20971520}).status == 201
    answer = call(INTENT, {**BODY, "contentLength": 20971521}, headers={"Idempotency-Key": "other"})
    assert answer.status == 413
    assert "20971520" in answer.body["error"]["message"]


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "ключ", "a b"])
def test_malformed_idempotency_key_is_a_400(call: Call, key: str) -> None:
    assert call(INTENT, headers={"Idempotency-Key": key}).status == 400


def test_only_administrators_create_intents_for_others(call: Call) -> None:
    body = {**BODY, "owner": {"userId": GRACE}}
    answer = call(INTENT, body, claims={"admin": "true"})
    assert answer.status == 201
    assert answer.body["upload"]["fields"]["key"] == incoming_key(GRACE, answer.body["uploadId"])
    assert call(INTENT, body).status == 403
    assert call(INTENT, {**BODY, "owner": {"userId": ADA}}).status == 409  # the key was used for another request
    assert call(INTENT, {**BODY, "owner": {"userId": ADA}}, headers={"Idempotency-Key": "mine"}).status == 201


def test_user_of_another_tenant_is_a_404(call: Call, aws: cloud.Cloud) -> None:
    assert call("get_profile", claims={"sub": GRACE, "tenant": "acme"}).status == 200
    body = {**BODY, "owner": {"userId": GRACE}}
    assert call(INTENT, body, claims={"admin": "true", "tenant": "globex"}).status == 404
    assert aws.rows(cloud.UPLOADS_TABLE) == []
    assert call(INTENT, body, claims={"admin": "true", "tenant": "acme"}).status == 201


def test_tokens_signatures_and_policies_are_not_logged(logs: Logs, aws: object) -> None:
    event = an_event(INTENT)
    event["headers"]["Authorization"] = "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
    given = json.loads(run(INTENT, event)["body"])
    text = json.dumps(logs())
    assert given["uploadId"] in text
    for secret in (
        "eyJ",
        given["upload"]["fields"]["policy"],
        given["upload"]["fields"]["x-amz-signature"],
        "session-token",
    ):
        assert secret not in text
