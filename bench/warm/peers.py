"""Handlers by hand for what four of ours do: boto3's clients, the same calls to AWS, the same answers, and little else.

Each is as short as it can be in good conscience. They check what they are given, answer in the same shape and print one
JSON line, as ours do. What ours do and they do not: limits read from settings, conflicts tried again, lost races,
replayed keys, other contracts' errors, metrics, records cut to a length.
"""

import base64
import hashlib
import json
import os
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

UPLOADS, USERS = os.environ["UPLOADS_TABLE"], os.environ["USERS_TABLE"]
BUCKET, MEDIA = os.environ["UPLOADS_BUCKET"], os.environ["MEDIA_BASE_URL"]
APP, ORIGINS = os.environ["APP_NAME"], os.environ["ALLOWED_ORIGINS"].split(",")
TYPES = {"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"}
SLOTS = {"avatar": "avatar", "coverImage": "cover_image"}
MAX_BYTES, OPEN, HOURLY, PER_MINUTE = 10_485_760, "5", "30", "30"

dynamodb = boto3.client("dynamodb")
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))


def create_upload_intent(event: dict[str, Any], context: Any) -> dict[str, Any]:
    user_id, body = _user(event), json.loads(event["body"])
    slot, kind, length = SLOTS.get(body.get("slot")), body.get("contentType"), body.get("contentLength")
    if not slot or kind not in TYPES or not isinstance(length, int) or not 0 < length <= MAX_BYTES:
        return _answer(event, 400, {"success": False, "message": "Invalid request"})
    now, upload_id = time.time(), str(uuid.uuid4())
    expires, entry = int(now) + 3600, f"{int(now * 1000)}#{upload_id}"
    row = {
        "owner_id": {"S": user_id},
        "upload_id": {"S": upload_id},
        "slot": {"S": slot},
        "state": {"S": "pending"},
        "content_type": {"S": kind},
        "content_length": {"N": str(length)},
        "created_at": {"N": str(int(now * 1000))},
        "expires_at": {"N": str(expires)},
    }
    quota = {
        "TableName": UPLOADS,
        "Key": {"owner_id": {"S": user_id}, "upload_id": {"S": "quota"}},
        "UpdateExpression": "SET expires_at = :expires ADD #open :entry, recent :entry",
        "ConditionExpression": "(attribute_not_exists(#open) OR size(#open) < :open) AND "
        "(attribute_not_exists(recent) OR size(recent) < :hourly)",
        "ExpressionAttributeNames": {"#open": "open"},
        "ExpressionAttributeValues": {
            ":entry": {"SS": [entry]},
            ":expires": {"N": str(expires + 3600)},
            ":open": {"N": OPEN},
            ":hourly": {"N": HOURLY},
        },
    }
    new = {"TableName": UPLOADS, "Item": row, "ConditionExpression": "attribute_not_exists(upload_id)"}
    items = [{"Put": new}, {"Update": quota}]
    if key := event["headers"].get("Idempotency-Key"):
        items.insert(0, {"Put": _remembered(user_id, key, upload_id, body, int(now))})
    dynamodb.transact_write_items(TransactItems=items)
    owner = base64.urlsafe_b64encode(user_id.encode()).decode().rstrip("=")
    post = s3.generate_presigned_post(
        BUCKET,
        f"incoming/{owner}/{upload_id}",
        Fields={"Content-Type": kind, "success_action_status": "201"},
        Conditions=[{"Content-Type": kind}, {"success_action_status": "201"}, ["content-length-range", 1, length]],
        ExpiresIn=300,
    )
    print(json.dumps({"message": "upload intended", "upload_id": upload_id, "owner": user_id, "slot": slot}))
    upload = {"url": post["url"], "method": "POST", "fields": post["fields"], "expiresAt": _time(now + 300)}
    public_id = f"{APP}/temp/user_{owner}/images/{upload_id}"
    return _answer(event, 201, {"uploadId": upload_id, "publicId": public_id, "slot": slot, "upload": upload})


def _remembered(user_id: str, key: str, upload_id: str, body: dict[str, Any], now: int) -> dict[str, Any]:
    item = {
        "owner_id": {"S": user_id},
        "upload_id": {"S": f"idempotency#{hashlib.sha256(key.encode()).hexdigest()}"},
        "made": {"S": upload_id},
        "request_hash": {"S": hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()},
        "expires_at": {"N": str(now + 86400)},
    }
    return {
        "TableName": UPLOADS,
        "Item": item,
        "ConditionExpression": "attribute_not_exists(made) OR expires_at <= :now OR made = :made",
        "ExpressionAttributeValues": {":now": {"N": str(now)}, ":made": {"S": upload_id}},
    }


def get_upload(event: dict[str, Any], context: Any) -> dict[str, Any]:
    key = {"owner_id": {"S": _user(event)}, "upload_id": {"S": event["pathParameters"]["uploadId"]}}
    row = dynamodb.get_item(TableName=UPLOADS, Key=key, ConsistentRead=True).get("Item")
    if not row or _gone(row):
        return _answer(event, 404, {"success": False, "message": "Not found"})
    shown = {"uploadId": row["upload_id"]["S"], "slot": row["slot"]["S"], "state": row["state"]["S"]}
    return _answer(event, 200, {**shown, "pictures": _pictures(row["upload_id"]["S"], row["derivatives"]["L"])})


def get_profile(event: dict[str, Any], context: Any) -> dict[str, Any]:
    user_id = _user(event)
    row = dynamodb.get_item(TableName=USERS, Key={"user_id": {"S": user_id}}, ConsistentRead=True).get("Item", {})
    return _answer(event, 200, _profile(user_id, {slot: row[slot]["M"] for slot in SLOTS.values() if slot in row}))


def bind_avatar(event: dict[str, Any], context: Any) -> dict[str, Any]:
    user_id = _user(event)
    owner = base64.urlsafe_b64encode(user_id.encode()).decode().rstrip("=")
    prefix, _, upload_id = json.loads(event["body"])["publicId"].rpartition("/")
    if prefix != f"{APP}/temp/user_{owner}/images":
        return _answer(event, 400, {"success": False, "message": "Invalid publicId"})
    key, now = {"owner_id": {"S": user_id}, "upload_id": {"S": upload_id}}, int(time.time())
    read = dynamodb.transact_get_items(
        TransactItems=[
            {"Get": {"TableName": USERS, "Key": {"user_id": {"S": user_id}}}},
            {"Get": {"TableName": UPLOADS, "Key": key}},
        ]
    )
    user, upload = (each.get("Item") for each in read["Responses"])
    if not upload or _gone(upload) or upload["state"]["S"] != "ready" or upload["slot"]["S"] != "avatar":
        return _answer(event, 400, {"success": False, "message": "Invalid publicId"})
    old = user["avatar"]["M"]["upload_id"]["S"] if user and "avatar" in user else None
    avatar = {"upload_id": {"S": upload_id}, "derivatives": upload["derivatives"]}
    dynamodb.transact_write_items(TransactItems=_swap(user_id, key, avatar, old, now))
    print(json.dumps({"message": "avatar updated", "owner": user_id, "upload_id": upload_id, "previous": old}))
    shown = _profile(user_id, {"avatar": avatar})
    return _answer(event, 200, {"success": True, "message": "Updated", "data": shown})


def _swap(user_id: str, key: dict[str, Any], avatar: dict[str, Any], old: str | None, now: int) -> list[dict[str, Any]]:
    held = {":old": {"S": old}} if old else {}
    count = {"owner_id": {"S": user_id}, "upload_id": {"S": f"writes#{now // 60}"}}
    changes: list[dict[str, Any]] = [
        {
            "Update": {
                "TableName": USERS,
                "Key": {"user_id": {"S": user_id}},
                "UpdateExpression": "SET avatar = :new, updated_at = :now, "
                "created_at = if_not_exists(created_at, :now)",
                "ConditionExpression": "avatar.upload_id = :old" if old else "attribute_not_exists(avatar)",
                "ExpressionAttributeValues": {":new": {"M": avatar}, ":now": {"N": str(now * 1000)}, **held},
            }
        },
        {
            "Update": {
                "TableName": UPLOADS,
                "Key": key,
                "UpdateExpression": "SET #state = :bound REMOVE expires_at",
                "ConditionExpression": "#state = :ready AND slot = :slot AND expires_at > :now",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {
                    ":bound": {"S": "bound"},
                    ":ready": {"S": "ready"},
                    ":slot": {"S": "avatar"},
                    ":now": {"N": str(now)},
                },
            }
        },
        {
            "Update": {
                "TableName": UPLOADS,
                "Key": count,
                "UpdateExpression": "SET expires_at = :expires ADD changes :one",
                "ConditionExpression": "attribute_not_exists(changes) OR changes < :limit",
                "ExpressionAttributeValues": {
                    ":one": {"N": "1"},
                    ":limit": {"N": PER_MINUTE},
                    ":expires": {"N": str(now // 60 * 60 + 3600)},
                },
            }
        },
    ]
    if old:
        changes.append({"Delete": {"TableName": UPLOADS, "Key": {**key, "upload_id": {"S": old}}}})
    return changes


def _user(event: dict[str, Any]) -> str:
    authorizer = event["requestContext"]["authorizer"]
    if int(authorizer["exp"]) <= time.time():
        raise PermissionError
    return str(authorizer["sub"])


def _gone(row: dict[str, Any]) -> bool:
    return "expires_at" in row and int(row["expires_at"]["N"]) <= time.time()


def _profile(user_id: str, slots: dict[str, Any]) -> dict[str, Any]:
    shown = {
        slot: {"uploadId": upload_id, "pictures": _pictures(upload_id, held["derivatives"]["L"])}
        for slot, held in slots.items()
        for upload_id in [held["upload_id"]["S"]]
    }
    return {"userId": user_id, **shown}


def _pictures(upload_id: str, derivatives: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "name": each["name"]["S"],
            "url": f"{MEDIA}/media/{upload_id}/{each['name']['S']}-{each['digest']['S']}.webp",
            "width": int(each["width"]["N"]),
            "height": int(each["height"]["N"]),
        }
        for each in (derivative["M"] for derivative in derivatives)
        if each["name"]["S"] != "master"
    ]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answer(event: dict[str, Any], status: int, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    headers["x-correlation-id"] = event["requestContext"]["requestId"]
    if event["headers"].get("Origin") in ORIGINS:
        headers["Access-Control-Allow-Origin"] = event["headers"]["Origin"]
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
