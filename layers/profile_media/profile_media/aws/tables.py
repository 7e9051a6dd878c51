"""The two tables, item by item, and how items turn into the domain's nouns.

Users:   hash `user_id`.
Uploads: hash `owner_id`, range `upload_id`. Beside an owner's uploads it holds `idempotency#<hash>` items and one
`quota` item, beside a caller's `writes#<minute>` counts, and `reconcile#<pass>` checkpoints. All kinds carry
`expires_at`, the table's TTL, and only uploads release anything when they go.

Times are milliseconds, but for `expires_at` and an identity's `last_login`: seconds, as DynamoDB's TTL wants them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from profile_media.aws.dynamodb import Item
from profile_media.domain.model import (
    Attachment,
    ContentType,
    Derivative,
    ExternalPicture,
    Identity,
    Profile,
    Reason,
    Slot,
    State,
    Upload,
)

IDEMPOTENCY_PREFIX = "idempotency#"
QUOTA = "quota"
WRITES_PREFIX = "writes#"
RECONCILE_PREFIX = "reconcile#"


def user_key(user_id: str) -> Item:
    """Of a user's item."""
    return {"user_id": {"S": user_id}}


def upload_key(owner_id: str, upload_id: str) -> Item:
    """Of an upload's item, and of what else lies beside an owner's uploads."""
    return {"owner_id": {"S": owner_id}, "upload_id": {"S": upload_id}}


def milliseconds(moment: datetime) -> int:
    """A time as the items keep it."""
    return round(moment.timestamp() * 1000)


def seconds(moment: datetime) -> int:
    """A time as TTL attributes keep it."""
    return int(moment.timestamp())


def time_of(milliseconds: float) -> datetime:
    """The time behind an item's number."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def upload_attributes(upload: Upload) -> dict[str, object]:
    """What an upload's item says; None is what it does not."""
    return {
        "owner_id": upload.owner_id,
        "upload_id": upload.upload_id,
        "slot": upload.slot,
        "state": upload.state,
        "content_type": upload.content_type,
        "content_length": upload.content_length,
        "checksum_sha256": upload.checksum_sha256,
        "created_at": milliseconds(upload.created_at),
        "expires_at": seconds(upload.expires_at) if upload.expires_at else None,
        "width": upload.width,
        "height": upload.height,
        "derivatives": derivatives_attribute(upload.derivatives) or None,
        "reason": upload.reason,
    }


def upload_of(item: Item) -> Upload:
    """The upload an item describes."""
    reason = _text(item, "reason")
    return Upload(
        owner_id=item["owner_id"]["S"],
        upload_id=item["upload_id"]["S"],
        slot=Slot(item["slot"]["S"]),
        state=State(item["state"]["S"]),
        content_type=ContentType(item["content_type"]["S"]),
        content_length=int(item["content_length"]["N"]),
        checksum_sha256=_text(item, "checksum_sha256"),
        created_at=time_of(int(item["created_at"]["N"])),
        expires_at=_time(item, "expires_at", 1000),
        width=_number(item, "width"),
        height=_number(item, "height"),
        derivatives=_derivatives(item),
        reason=Reason(reason) if reason else None,
    )


def profile_of(user_id: str, item: Item | None) -> Profile:
    """The profile a user's item describes; the empty one where there is none."""
    if item is None:
        return Profile(user_id)
    return Profile(
        user_id,
        MappingProxyType({slot: _attachment_of(item[slot]["M"]) for slot in Slot if slot in item}),
        _time(item, "updated_at"),
        _identity_of(item["identity"]["M"]) if "identity" in item else Identity(),
        _text(item, "tenant"),
        _time(item, "created_at"),
    )


def attachment_attribute(attachment: Attachment | ExternalPicture) -> dict[str, object]:
    """What a slot holds, as a user's item says it."""
    if isinstance(attachment, ExternalPicture):
        return {"url": attachment.url}
    return {"upload_id": attachment.upload_id, "derivatives": derivatives_attribute(attachment.derivatives)}


def derivatives_attribute(derivatives: tuple[Derivative, ...]) -> list[dict[str, object]]:
    """Derivatives, as an upload's item and a slot say them."""
    return [
        {
            "name": each.name,
            "digest": each.digest,
            "content_type": each.content_type,
            "width": each.width,
            "height": each.height,
            "size": each.size,
        }
        for each in derivatives
    ]


def identity_attribute(identity: Identity) -> dict[str, object]:
    """Who the user is, as the item says it."""
    return {
        "email": identity.email,
        "email_verified": identity.email_verified,
        "first_name": identity.first_name,
        "last_name": identity.last_name,
        "phone_number": identity.phone_number,
        "username": identity.username,
        "picture_url": identity.picture_url,
        "role": identity.role,
        "last_login": seconds(identity.last_login) if identity.last_login else None,
    }


def _attachment_of(map_: Mapping[str, Any]) -> Attachment | ExternalPicture:
    if url := _text(map_, "url"):
        return ExternalPicture(url)
    return Attachment(map_["upload_id"]["S"], _derivatives(map_))


def _derivatives(item: Item) -> tuple[Derivative, ...]:
    if "derivatives" not in item:
        return ()
    return tuple(
        Derivative(
            name=each["name"]["S"],
            digest=each["digest"]["S"],
            content_type=ContentType(each["content_type"]["S"]),
            width=int(each["width"]["N"]),
            height=int(each["height"]["N"]),
            size=int(each["size"]["N"]),
        )
        for each in (entry["M"] for entry in item["derivatives"]["L"])
    )


def _identity_of(map_: Item) -> Identity:
    return Identity(
        email=_text(map_, "email"),
        email_verified="email_verified" in map_ and map_["email_verified"]["BOOL"],
        first_name=_text(map_, "first_name"),
        last_name=_text(map_, "last_name"),
        phone_number=_text(map_, "phone_number"),
        username=_text(map_, "username"),
        picture_url=_text(map_, "picture_url"),
        role=_text(map_, "role"),
        last_login=_time(map_, "last_login", 1000),
    )


def _text(item: Item, name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def _time(item: Item, name: str, unit: int = 1) -> datetime | None:
    return time_of(int(item[name]["N"]) * unit) if name in item else None
