"""The code that both peers share: limits, ids, and JSON answers.

The peers are `documented.py` and `by_hand.py`. Both make the same calls to AWS as the service, with the same
conditions, and answer with the same JSON members; `worker.py` compares them. They leave out, in their own favour:
replayed requests, retries after a lost race, profile data from tokens, tenants, administrators, and short log fields.
"""

import base64
import os
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

UPLOADS, USERS = os.environ["UPLOADS_TABLE"], os.environ["USERS_TABLE"]
BUCKET, MEDIA = os.environ["UPLOADS_BUCKET"], os.environ["MEDIA_BASE_URL"]
APP, ORIGINS = os.environ["APP_NAME"], os.environ["ALLOWED_ORIGINS"].split(",")
TYPES = {"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"}
SLOTS = {"avatar": "avatar", "coverImage": "cover_image"}
NAMES = {slot: name for name, slot in SLOTS.items()}
UPLOAD_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MAX_BYTES, OPEN_INTENTS, INTENTS_PER_HOUR, CHANGES_PER_MINUTE = 10_485_760, 5, 30, 30
PENDING_SECONDS = 3600


class Derivative(NamedTuple):
    name: str
    digest: str
    content_type: str
    width: int
    height: int
    size: int


def owner_key(user_id: str) -> str:
    return base64.urlsafe_b64encode(user_id.encode()).decode().rstrip("=")


def check_token_is_current(event: dict[str, Any]) -> str:
    """Return the caller's id. Raise PermissionError after the token's expiry."""
    authorizer = event["requestContext"]["authorizer"]
    if int(authorizer["exp"]) <= time.time():
        raise PermissionError("the token has expired")
    return str(authorizer["sub"])


def upload_id_of(public_id: str, user_id: str) -> str | None:
    """Return the upload id of a temporary public id of this user, else None."""
    prefix, _, upload_id = public_id.rpartition("/")
    mine = f"{APP}/temp/user_{owner_key(user_id)}/images"
    return upload_id if prefix == mine and UPLOAD_ID.fullmatch(upload_id) else None


def post_conditions(content_type: str, length: int) -> dict[str, Any]:
    """Return the arguments of `generate_presigned_post` that restrict the upload."""
    fields = {"Content-Type": content_type, "success_action_status": "201"}
    conditions = [*({name: value} for name, value in fields.items()), ["content-length-range", 1, length]]
    return {"Fields": fields, "Conditions": conditions, "ExpiresIn": 300}


def intent_json(user_id: str, upload_id: str, slot: str, expires: int, post: dict[str, Any]) -> dict[str, Any]:
    return {
        "uploadId": upload_id,
        "publicId": f"{APP}/temp/user_{owner_key(user_id)}/images/{upload_id}",
        "slot": slot,
        "state": "pending",
        "expiresAt": iso_time(expires * 1000),
        "upload": {"method": "POST", "url": post["url"], "fields": post["fields"]},
    }


class Upload(NamedTuple):
    upload_id: str
    slot: str
    state: str
    created_at: int
    expires_at: int
    width: int
    height: int
    derivatives: Iterable[Derivative]


def upload_json(user_id: str, upload: Upload) -> dict[str, Any]:
    owner, upload_id = owner_key(user_id), upload.upload_id
    folder = f"{APP}/user_{owner}/{upload.slot}" if upload.state == "bound" else f"{APP}/temp/user_{owner}/images"
    return {
        "uploadId": upload_id,
        "publicId": f"{folder}/{upload_id}",
        "slot": NAMES[upload.slot],
        "state": upload.state,
        "createdAt": iso_time(upload.created_at),
        "expiresAt": iso_time(upload.expires_at * 1000),
        "width": upload.width,
        "height": upload.height,
        "derivatives": {
            each.name: {
                "url": url(upload_id, each),
                "width": each.width,
                "height": each.height,
                "contentType": each.content_type,
                "bytes": each.size,
            }
            for each in upload.derivatives
        },
    }


def picture_json(user_id: str, slot: str, upload_id: str, derivatives: Iterable[Derivative]) -> dict[str, str]:
    largest = max(derivatives, key=lambda each: each.width)
    return {"url": url(upload_id, largest), "publicId": f"{APP}/user_{owner_key(user_id)}/{slot}/{upload_id}"}


def url(upload_id: str, derivative: Derivative) -> str:
    return f"{MEDIA}/media/{upload_id}/{derivative.name}-{derivative.digest}.webp"


def iso_time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
