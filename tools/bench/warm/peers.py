"""Handlers by hand for what four of ours do: boto3's clients, the same calls to AWS, the same answers, and little else.

Each is as short as it can be in good conscience. What any correct one must do is there, because without it the contract
would be broken or nobody could run it:

- what is sent is checked: media type, members, their types and limits, the idempotency key, the upload's id, the wait;
- the same items are written on the same conditions: the row, the idempotency item, the quota, the caller's count;
- the row follows the token: whoever's token says something new is written again, and other tenants' users are unknown;
- the answers are the same to the member, and `worker.py` holds them to ours; so is the kind of each write;
- a change writes one line of log, by `logging`, with its level, time and request, since operators turn levels and look
  for requests; and one metric, in CloudWatch's embedded format, since docs/operations.md promises it.

What ours do and they do not: limits read from settings, conflicts tried again, lost races, replayed keys, declared
checksums, administrators who act for others, pictures elsewhere, other contracts' errors, duplicate members and half
characters in JSON, fields of a record cut to a length.
"""

import base64
import hashlib
import json
import logging
import os
import re
import sys
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
NAMES = {slot: name for name, slot in SLOTS.items()}
MEMBERS = {"slot", "contentType", "contentLength"}
UPLOAD_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
MAX_BYTES, OPEN, HOURLY, PER_MINUTE = 10_485_760, "5", "30", "30"

dynamodb = boto3.client("dynamodb")
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))


class OneLine(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        said = {"level": record.levelname, "message": record.getMessage(), "timestamp": self.formatTime(record)}
        return json.dumps({**said, "service": "profile-media", **getattr(record, "fields", {})})


logger = logging.getLogger("by hand")
logger.setLevel(os.environ["POWERTOOLS_LOG_LEVEL"])
logger.propagate = False
stdout = logging.StreamHandler(sys.stdout)
stdout.setFormatter(OneLine())
logger.addHandler(stdout)


def create_upload_intent(event: dict[str, Any], context: Any) -> dict[str, Any]:
    user_id, body = _user(event), _body(event)
    slot, kind, length = SLOTS.get(body.get("slot", "")), body.get("contentType"), body.get("contentLength")
    key = event["headers"].get("Idempotency-Key")
    if (
        not slot
        or not body.keys() <= MEMBERS
        or kind not in TYPES
        or type(length) is not int
        or not 0 < length <= MAX_BYTES
        or (key is not None and not IDEMPOTENCY_KEY.fullmatch(key))
    ):
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
    if key:
        items.insert(0, {"Put": _remembered(user_id, key, upload_id, body, int(now))})
    dynamodb.transact_write_items(TransactItems=items)
    owner = _owner(user_id)
    post = s3.generate_presigned_post(
        BUCKET,
        f"incoming/{owner}/{upload_id}",
        Fields={"Content-Type": kind, "success_action_status": "201"},
        Conditions=[{"Content-Type": kind}, {"success_action_status": "201"}, ["content-length-range", 1, length]],
        ExpiresIn=300,
    )
    said = {"upload_id": upload_id, "owner": user_id, "slot": slot, "content_type": kind, "content_length": length}
    _log(event, context, "upload intended", said)
    _count("IntentsCreated")
    answer = {
        "uploadId": upload_id,
        "publicId": f"{APP}/temp/user_{owner}/images/{upload_id}",
        "slot": body["slot"],
        "state": "pending",
        "expiresAt": _time(expires * 1000),
        "upload": {"method": "POST", "url": post["url"], "fields": post["fields"]},
    }
    return _answer(event, 201, answer)


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
    user_id, upload_id = _user(event), event["pathParameters"]["uploadId"]
    wait = (event["queryStringParameters"] or {}).get("wait", "0")
    if not UPLOAD_ID.fullmatch(upload_id) or not wait.isdecimal() or int(wait) > 20:
        return _answer(event, 404, {"success": False, "message": "Not found"})
    key = {"owner_id": {"S": user_id}, "upload_id": {"S": upload_id}}
    row = dynamodb.get_item(TableName=UPLOADS, Key=key, ConsistentRead=True).get("Item")
    if not row or _gone(row):
        return _answer(event, 404, {"success": False, "message": "Not found"})
    slot, state, owner = row["slot"]["S"], row["state"]["S"], _owner(user_id)
    where = f"{APP}/user_{owner}/{slot}" if state == "bound" else f"{APP}/temp/user_{owner}/images"
    shown: dict[str, Any] = {
        "uploadId": upload_id,
        "publicId": f"{where}/{upload_id}",
        "slot": NAMES[slot],
        "state": state,
        "createdAt": _time(int(row["created_at"]["N"])),
    }
    if "expires_at" in row:
        shown["expiresAt"] = _time(int(row["expires_at"]["N"]) * 1000)
    if "derivatives" in row:
        shown["width"], shown["height"] = int(row["width"]["N"]), int(row["height"]["N"])
        shown["derivatives"] = _derivatives(upload_id, row["derivatives"]["L"])
    return _answer(event, 200, shown)


def get_profile(event: dict[str, Any], context: Any) -> dict[str, Any]:
    user_id = _user(event)
    row = dynamodb.get_item(TableName=USERS, Key={"user_id": {"S": user_id}}, ConsistentRead=True).get("Item", {})
    if (identity := _news(event, row)) is not None:
        row = _identified(user_id, identity, event["requestContext"]["authorizer"].get("tenant"))
    shown: dict[str, Any] = {"userId": user_id}
    for name, slot in SLOTS.items():
        shown[name] = None
        if slot in row:
            upload_id = row[slot]["M"]["upload_id"]["S"]
            shown[name] = {
                "uploadId": upload_id,
                "publicId": f"{APP}/user_{_owner(user_id)}/{slot}/{upload_id}",
                "derivatives": _derivatives(upload_id, row[slot]["M"]["derivatives"]["L"]),
            }
    shown["updatedAt"] = _time(int(row["updated_at"]["N"])) if "updated_at" in row else None
    return _answer(event, 200, shown)


def bind_avatar(event: dict[str, Any], context: Any) -> dict[str, Any]:
    user_id, public_id = _user(event), _body(event).get("publicId")
    prefix, _, upload_id = public_id.rpartition("/") if isinstance(public_id, str) else ("", "", "")
    if prefix != f"{APP}/temp/user_{_owner(user_id)}/images" or not UPLOAD_ID.fullmatch(upload_id):
        return _answer(event, 400, {"success": False, "message": "Invalid publicId"})
    key, now = {"owner_id": {"S": user_id}, "upload_id": {"S": upload_id}}, time.time()
    read = dynamodb.transact_get_items(
        TransactItems=[
            {"Get": {"TableName": USERS, "Key": {"user_id": {"S": user_id}}}},
            {"Get": {"TableName": UPLOADS, "Key": key}},
        ]
    )
    user, upload = (each.get("Item") for each in read["Responses"])
    if not upload or _gone(upload) or upload["state"]["S"] != "ready" or upload["slot"]["S"] != "avatar":
        return _answer(event, 400, {"success": False, "message": "Invalid publicId"})
    user = user or {}
    identity = _news(event, user)
    old = user["avatar"]["M"]["upload_id"]["S"] if "avatar" in user else None
    avatar = {"upload_id": {"S": upload_id}, "derivatives": upload["derivatives"]}
    dynamodb.transact_write_items(TransactItems=_swap(key, avatar, old, int(now * 1000), identity))
    audit = {"owner": user_id, "actor": user_id, "slot": "avatar", "upload_id": upload_id, "previous_upload_id": old}
    _log(event, context, f"[avatar] Updated for user {user_id}", {"audit": audit})
    _count("Binds")
    slots = {**user, "avatar": {"M": avatar}}
    shown: dict[str, Any] = {name: _picture(user_id, slot, slots.get(slot)) for name, slot in SLOTS.items()}
    return _answer(event, 200, {**shown, "updatedAt": _time(int(now * 1000))})


def _swap(
    key: dict[str, Any], avatar: dict[str, Any], old: str | None, at: int, identity: dict[str, Any] | None
) -> list[dict[str, Any]]:
    user_id, now = key["owner_id"]["S"], at // 1000
    also: dict[str, Any] = {":old": {"S": old}} if old else {}
    if identity is not None:
        also[":identity"] = {"M": identity}
    count = {"owner_id": {"S": user_id}, "upload_id": {"S": f"writes#{now // 60}"}}
    changes: list[dict[str, Any]] = [
        {
            "Update": {
                "TableName": USERS,
                "Key": {"user_id": {"S": user_id}},
                "UpdateExpression": "SET avatar = :new, updated_at = :now, "
                "created_at = if_not_exists(created_at, :now)"
                + (", #identity = :identity" if identity is not None else ""),
                "ConditionExpression": "avatar.upload_id = :old" if old else "attribute_not_exists(avatar)",
                **({"ExpressionAttributeNames": {"#identity": "identity"}} if identity is not None else {}),
                "ExpressionAttributeValues": {":new": {"M": avatar}, ":now": {"N": str(at)}, **also},
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


def _owner(user_id: str) -> str:
    return base64.urlsafe_b64encode(user_id.encode()).decode().rstrip("=")


def _body(event: dict[str, Any]) -> dict[str, Any]:
    text = base64.b64decode(event["body"]).decode() if event.get("isBase64Encoded") else event["body"]
    body = json.loads(text) if len(text) <= 16_384 else None
    if not isinstance(body, dict) or event["headers"].get("Content-Type", "").split(";")[0] != "application/json":
        raise ValueError("not a JSON object")
    return body


def _news(event: dict[str, Any], row: dict[str, Any]) -> dict[str, Any] | None:
    """Who the user is, where the token says what the row does not; raises where the row is another tenant's."""
    authorizer = event["requestContext"]["authorizer"]
    if row and row.get("tenant", {}).get("S") != authorizer.get("tenant"):
        raise LookupError("another tenant's")
    known = row.get("identity", {}).get("M", {})
    said = {name: _wire(value) for name, value in json.loads(authorizer.get("identity") or "{}").items()}
    return {**known, **said} if not row or any(known.get(name) != value for name, value in said.items()) else None


def _wire(value: str | int) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def _identified(user_id: str, identity: dict[str, Any], tenant: str | None) -> dict[str, Any]:
    values: dict[str, Any] = {":identity": {"M": identity}, ":now": {"N": str(int(time.time() * 1000))}}
    changes, same = (
        "SET #identity = :identity, created_at = if_not_exists(created_at, :now)",
        "attribute_not_exists(tenant)",
    )
    if tenant:
        values[":tenant"] = {"S": tenant}
        changes, same = f"{changes}, tenant = :tenant", "attribute_not_exists(created_at) OR tenant = :tenant"
    answer: dict[str, Any] = dynamodb.update_item(
        TableName=USERS,
        Key={"user_id": {"S": user_id}},
        UpdateExpression=changes,
        ConditionExpression=same,
        ExpressionAttributeNames={"#identity": "identity"},
        ExpressionAttributeValues=values,
        ReturnValues="ALL_NEW",
    )
    row: dict[str, Any] = answer["Attributes"]
    return row


def _gone(row: dict[str, Any]) -> bool:
    return "expires_at" in row and int(row["expires_at"]["N"]) <= time.time()


def _picture(user_id: str, slot: str, held: dict[str, Any] | None) -> dict[str, Any] | None:
    if held is None:
        return None
    upload_id = held["M"]["upload_id"]["S"]
    largest = max(_shown(held["M"]["derivatives"]["L"]), key=lambda each: int(each["width"]["N"]))
    return {"url": _url(upload_id, largest), "publicId": f"{APP}/user_{_owner(user_id)}/{slot}/{upload_id}"}


def _derivatives(upload_id: str, derivatives: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        each["name"]["S"]: {
            "url": _url(upload_id, each),
            "width": int(each["width"]["N"]),
            "height": int(each["height"]["N"]),
            "contentType": each["content_type"]["S"],
            "bytes": int(each["size"]["N"]),
        }
        for each in _shown(derivatives)
    }


def _shown(derivatives: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each["M"] for each in derivatives if each["M"]["name"]["S"] != "master"]


def _url(upload_id: str, each: dict[str, Any]) -> str:
    return f"{MEDIA}/media/{upload_id}/{each['name']['S']}-{each['digest']['S']}.webp"


def _time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _log(event: dict[str, Any], context: Any, message: str, fields: dict[str, Any]) -> None:
    named = {"function_request_id": context.aws_request_id, "correlation_id": event["requestContext"]["requestId"]}
    logger.info(message, extra={"fields": {**named, **fields}})


def _count(name: str) -> None:
    metric = {"Namespace": "ProfileMedia", "Dimensions": [["service"]], "Metrics": [{"Name": name, "Unit": "Count"}]}
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}
    print(json.dumps({"_aws": about, "service": "profile-media", name: 1}))


def _answer(event: dict[str, Any], status: int, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "Vary": "Origin"}
    headers["x-correlation-id"] = event["requestContext"]["requestId"]
    if event["headers"].get("Origin") in ORIGINS:
        headers["Access-Control-Allow-Origin"] = event["headers"]["Origin"]
        headers["Access-Control-Expose-Headers"] = "Retry-After,x-correlation-id"
    return {"statusCode": status, "headers": headers, "body": json.dumps(body), "isBase64Encoded": False}
