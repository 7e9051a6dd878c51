"""Three handlers with boto3 clients as they come, the standard library's logging, and nothing else."""

import json
import logging
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config

from tools.bench.warm import peers
from tools.bench.warm.peers import UPLOADS, USERS, Derivative

dynamodb = boto3.client("dynamodb")
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))

logger = logging.getLogger("by_hand")
logger.setLevel(logging.INFO)
logger.propagate = False
logger.addHandler(logging.StreamHandler(sys.stdout))


def create_upload_intent(event: dict[str, Any], context: Any) -> dict[str, Any]:
    user_id, body = peers.check_token_is_current(event), json.loads(event["body"])
    slot, kind, length = peers.SLOTS.get(body.get("slot", "")), body.get("contentType"), body.get("contentLength")
    if (
        not slot
        or not body.keys() <= {"slot", "contentType", "contentLength"}
        or kind not in peers.TYPES
        or type(length) is not int
        or not 0 < length <= peers.MAX_BYTES
    ):
        return _answer(event, 400, {"success": False, "message": "Invalid request"})
    now, upload_id = time.time(), str(uuid.uuid4())
    expires = int(now) + peers.PENDING_SECONDS
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
    new = {"TableName": UPLOADS, "Item": row, "ConditionExpression": "attribute_not_exists(upload_id)"}
    quota = _quota(user_id, f"{int(now * 1000)}#{upload_id}", expires + 3600)
    dynamodb.transact_write_items(TransactItems=[{"Put": new}, {"Update": quota}])
    key = f"incoming/{peers.owner_key(user_id)}/{upload_id}"
    post = s3.generate_presigned_post(peers.BUCKET, key, **peers.post_conditions(kind, length))
    _log(event, context, "upload intent created", {"upload_id": upload_id, "owner": user_id, "slot": slot})
    _count("IntentsCreated")
    return _answer(event, 201, peers.intent_json(user_id, upload_id, body["slot"], expires, post))


def _quota(user_id: str, entry: str, expires: int) -> dict[str, Any]:
    return {
        "TableName": UPLOADS,
        "Key": {"owner_id": {"S": user_id}, "upload_id": {"S": "quota"}},
        "UpdateExpression": "SET expires_at = :expires ADD #open :entry, recent :entry",
        "ConditionExpression": "(attribute_not_exists(#open) OR size(#open) < :open) AND "
        "(attribute_not_exists(recent) OR size(recent) < :hourly)",
        "ExpressionAttributeNames": {"#open": "open"},
        "ExpressionAttributeValues": {
            ":entry": {"SS": [entry]},
            ":expires": {"N": str(expires)},
            ":open": {"N": str(peers.OPEN_INTENTS)},
            ":hourly": {"N": str(peers.INTENTS_PER_HOUR)},
        },
    }


def get_upload(event: dict[str, Any], context: Any) -> dict[str, Any]:
    user_id, upload_id = peers.check_token_is_current(event), event["pathParameters"]["uploadId"]
    if not peers.UPLOAD_ID.fullmatch(upload_id):
        return _answer(event, 404, {"success": False, "message": "Not found"})
    key = {"owner_id": {"S": user_id}, "upload_id": {"S": upload_id}}
    row = dynamodb.get_item(TableName=UPLOADS, Key=key, ConsistentRead=True).get("Item")
    if not row or int(row["expires_at"]["N"]) <= time.time():
        return _answer(event, 404, {"success": False, "message": "Not found"})
    times = int(row["created_at"]["N"]), int(row["expires_at"]["N"])
    size = int(row["width"]["N"]), int(row["height"]["N"])
    upload = peers.Upload(upload_id, row["slot"]["S"], row["state"]["S"], *times, *size, _derivatives(row))
    return _answer(event, 200, peers.upload_json(user_id, upload))


def bind_avatar(event: dict[str, Any], context: Any) -> dict[str, Any]:
    user_id = peers.check_token_is_current(event)
    upload_id = peers.upload_id_of(json.loads(event["body"]).get("publicId", ""), user_id)
    if not upload_id:
        return _answer(event, 400, {"success": False, "message": "Invalid publicId"})
    user_key, upload_key = {"user_id": {"S": user_id}}, {"owner_id": {"S": user_id}, "upload_id": {"S": upload_id}}
    gets = [{"TableName": USERS, "Key": user_key}, {"TableName": UPLOADS, "Key": upload_key}]
    read = dynamodb.transact_get_items(TransactItems=[{"Get": get} for get in gets])
    user, upload = (each.get("Item", {}) for each in read["Responses"])
    now = time.time()
    if not upload or upload["state"]["S"] != "ready" or int(upload["expires_at"]["N"]) <= now:
        return _answer(event, 400, {"success": False, "message": "Invalid publicId"})
    old = user["avatar"]["M"]["upload_id"]["S"] if "avatar" in user else None
    minute = int(now) // 60
    counted = user.get("changes", {}).get("M", {})
    count = int(counted["count"]["N"]) + 1 if counted.get("minute") == {"N": str(minute)} else 1
    if count > peers.CHANGES_PER_MINUTE:
        return _answer(event, 429, {"success": False, "message": "Too many changes"})
    avatar = {"upload_id": {"S": upload_id}, "derivatives": upload["derivatives"]}
    values = {
        ":new": {"M": avatar},
        ":now": {"N": str(int(now * 1000))},
        ":changes": {"M": {"minute": {"N": str(minute)}, "count": {"N": str(count)}}},
        **({":old": {"S": old}} if old else {}),
    }
    dynamodb.transact_write_items(TransactItems=_swap(user_key, upload_key, values, old))
    audit = {"owner": user_id, "actor": user_id, "slot": "avatar", "upload_id": upload_id, "previous_upload_id": old}
    _log(event, context, f"[avatar] Updated for user {user_id}", {"audit": audit})
    _count("Binds")
    shown = {"avatar": peers.picture_json(user_id, "avatar", upload_id, _derivatives(upload)), "coverImage": None}
    return _answer(event, 200, {**shown, "updatedAt": peers.iso_time(int(now * 1000))})


def _swap(
    user_key: dict[str, Any], upload_key: dict[str, Any], values: dict[str, Any], old: str | None
) -> list[dict[str, Any]]:
    user = {
        "TableName": USERS,
        "Key": user_key,
        "UpdateExpression": "SET avatar = :new, changes = :changes, updated_at = :now, "
        "created_at = if_not_exists(created_at, :now)",
        "ConditionExpression": "avatar.upload_id = :old" if old else "attribute_not_exists(avatar)",
        "ExpressionAttributeValues": values,
    }
    upload = {
        "TableName": UPLOADS,
        "Key": upload_key,
        "UpdateExpression": "SET #state = :bound REMOVE expires_at",
        "ConditionExpression": "#state = :ready AND slot = :slot AND expires_at > :now",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":bound": {"S": "bound"},
            ":ready": {"S": "ready"},
            ":slot": {"S": "avatar"},
            ":now": {"N": str(int(time.time()))},
        },
    }
    changes: list[dict[str, Any]] = [{"Update": user}, {"Update": upload}]
    if old:
        changes.append({"Delete": {"TableName": UPLOADS, "Key": {**upload_key, "upload_id": {"S": old}}}})
    return changes


def _derivatives(row: dict[str, Any]) -> Iterator[Derivative]:
    for each in (member["M"] for member in row["derivatives"]["L"]):
        numbers = (int(each[name]["N"]) for name in ("width", "height", "size"))
        yield Derivative(each["name"]["S"], each["digest"]["S"], each["content_type"]["S"], *numbers)


def _log(event: dict[str, Any], context: Any, message: str, fields: dict[str, Any]) -> None:
    request = {"function_request_id": context.aws_request_id, "correlation_id": event["requestContext"]["requestId"]}
    logger.info(json.dumps({"level": "INFO", "message": message, "timestamp": time.time(), **request, **fields}))


def _count(name: str) -> None:
    metric = {"Namespace": "ProfileMedia", "Dimensions": [["service"]], "Metrics": [{"Name": name, "Unit": "Count"}]}
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}
    print(json.dumps({"_aws": about, "service": "profile-media", name: 1}))


def _answer(event: dict[str, Any], status: int, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Access-Control-Allow-Origin": event["headers"]["Origin"]}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
