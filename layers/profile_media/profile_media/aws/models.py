"""The items of the two tables as PynamoDB models: their schema, their encoding, and what each attribute means.

Table "users", hash key `user_id`: one `UserItem` for each user.
Table "uploads", hash key `owner_id`, range key `upload_id`: one `UploadItem` for each upload, and beside an owner's
uploads the items of this service's own bookkeeping, whose range keys are no upload ids. `expires_at` is the table's
TTL for all of them.

Timestamps are milliseconds since the epoch. `expires_at`, as DynamoDB's TTL requires, and `last_login` are seconds.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    MapAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.constants import LIST, MAP, NUMBER, STRING
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from profile_media.domain.formats import ContentType
from profile_media.domain.framing import Framing, format_framing, parse_framing
from profile_media.domain.model import (
    Attachment,
    AutoBind,
    ChangeCount,
    Derivative,
    ExternalPicture,
    Identity,
    Placeholder,
    Profile,
    Reason,
    Slot,
    State,
    Upload,
)


class IntegerAttribute(Attribute[int]):
    """A whole number."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """Write the number as text, as DynamoDB takes it."""
        return str(value)

    def deserialize(self, value: str) -> int:
        """Read the number."""
        return int(value)


class MillisecondsAttribute(Attribute[datetime]):
    """A time, stored as milliseconds since the epoch."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        """Write the time as a number."""
        return str(round(value.timestamp() * 1000))

    def deserialize(self, value: str) -> datetime:
        """Read the time, in UTC."""
        return datetime.fromtimestamp(int(value) / 1000, UTC)


class SecondsAttribute(Attribute[datetime]):
    """A time, stored as seconds since the epoch, the unit of DynamoDB's TTL."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        """Write the time as a number."""
        return str(int(value.timestamp()))

    def deserialize(self, value: str) -> datetime:
        """Read the time, in UTC."""
        return datetime.fromtimestamp(int(value), UTC)


class EnumAttribute[Member: StrEnum](Attribute[Member]):
    """A member of a string enumeration."""

    attr_type = STRING

    def __init__(self, of: type[Member], *, null: bool = False) -> None:
        super().__init__(null=null)
        self._of = of

    def serialize(self, value: Member) -> str:
        """Write the member's value."""
        return value.value

    def deserialize(self, value: str) -> Member:
        """Read the member."""
        return self._of(value)


class DerivativesAttribute(Attribute[list[Derivative]]):
    """The derivatives of an upload: a list of maps, whose members are the fields of `Derivative`.

    A `ListAttribute` of `MapAttribute`s stores the same. It copies the declaration of the map for every list and every
    item, which is a sixth of the CPU time of a read.
    """

    attr_type = LIST

    def serialize(self, value: list[Derivative]) -> list[dict[str, Any]]:
        """Write one map per derivative."""
        return [
            {
                MAP: {
                    "name": {STRING: each.name},
                    "digest": {STRING: each.digest},
                    "content_type": {STRING: each.content_type.value},
                    "width": {NUMBER: str(each.width)},
                    "height": {NUMBER: str(each.height)},
                    "size": {NUMBER: str(each.size)},
                }
            }
            for each in value
        ]

    def deserialize(self, value: list[dict[str, Any]]) -> list[Derivative]:
        """Read the derivatives."""
        return [
            Derivative(
                each[MAP]["name"][STRING],
                each[MAP]["digest"][STRING],
                ContentType(each[MAP]["content_type"][STRING]),
                int(each[MAP]["width"][NUMBER]),
                int(each[MAP]["height"][NUMBER]),
                int(each[MAP]["size"][NUMBER]),
            )
            for each in value
        ]


class FramingAttribute(Attribute[Framing]):
    """The part of a picture that the client chose, as `crop:x,y,width,height` or `focus:x,y`."""

    attr_type = STRING

    def serialize(self, value: Framing) -> str:
        """Write the kind and its numbers."""
        return format_framing(value)

    def deserialize(self, value: str) -> Framing:
        """Read the crop or the focus."""
        return parse_framing(value)


class PlaceholderAttribute(Attribute[Placeholder]):
    """What a page can show before the picture is loaded: the dominant colour, a space and the ThumbHash."""

    attr_type = STRING

    def serialize(self, value: Placeholder) -> str:
        """Write the colour and the hash."""
        return f"{value.dominant_color} {value.thumb_hash}"

    def deserialize(self, value: str) -> Placeholder:
        """Read the colour and the hash."""
        color, _, thumb_hash = value.partition(" ")
        return Placeholder(thumb_hash, color)


class TypedMap(MapAttribute[str, Any]):
    """A map with declared attributes, whose constructor type checkers know."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)  # type: ignore[no-untyped-call]  # PynamoDB declares no types here


class SlotMap(TypedMap):
    """The content of a slot: an upload with its derivatives, or a picture on another host."""

    upload_id = UnicodeAttribute(null=True)
    derivatives = DerivativesAttribute(null=True)
    framing = FramingAttribute(null=True)
    alt_text = UnicodeAttribute(null=True)
    placeholder = PlaceholderAttribute(null=True)
    url = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, attachment: Attachment | ExternalPicture) -> Self:
        """Make the map of an attachment."""
        if isinstance(attachment, ExternalPicture):
            return cls(url=attachment.url)
        return cls(
            upload_id=attachment.upload_id,
            derivatives=list(attachment.derivatives),
            framing=attachment.framing,
            alt_text=attachment.alt_text,
            placeholder=attachment.placeholder,
        )

    def attachment(self) -> Attachment | ExternalPicture:
        """Return the attachment."""
        if self.url:
            return ExternalPicture(self.url)
        derivatives = tuple(self.derivatives or ())
        return Attachment(self.upload_id, derivatives, self.framing, self.alt_text, self.placeholder)


class IdentityMap(TypedMap):
    """A user's identity from the identity provider; the attributes are the fields of `Identity`."""

    email = UnicodeAttribute(null=True)
    email_verified = BooleanAttribute(default=False)
    first_name = UnicodeAttribute(null=True)
    last_name = UnicodeAttribute(null=True)
    phone_number = UnicodeAttribute(null=True)
    username = UnicodeAttribute(null=True)
    picture_url = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    last_login = SecondsAttribute(null=True)

    @classmethod
    def of(cls, identity: Identity) -> Self:
        """Make the map of an identity."""
        return cls(**{field.name: getattr(identity, field.name) for field in fields(Identity)})

    def identity(self) -> Identity:
        """Return the identity."""
        return Identity(**{field.name: getattr(self, field.name) for field in fields(Identity)})


class ChangeCountMap(TypedMap):
    """The number of changes of a user's slots within one minute."""

    minute = IntegerAttribute()
    count = IntegerAttribute()


class AutoBindMap(TypedMap):
    """The user who asked for the upload to be bound as soon as it is ready."""

    actor_id = UnicodeAttribute()
    tenant = UnicodeAttribute(null=True)


class UserItem(Model):
    """One user: the slots, the identity, and the number of changes within the current minute."""

    class Meta:
        """The table; its name is set by `use_tables`."""

        table_name = ""

    user_id = UnicodeAttribute(hash_key=True)
    avatar = SlotMap(null=True)
    cover_image = SlotMap(null=True)
    identity = IdentityMap(null=True)
    tenant = UnicodeAttribute(null=True)
    created_at = MillisecondsAttribute(null=True)
    updated_at = MillisecondsAttribute(null=True)
    changes = ChangeCountMap(null=True)

    def profile(self) -> Profile:
        """Return the profile."""
        held = {slot: getattr(self, slot) for slot in Slot}
        return Profile(
            self.user_id,
            MappingProxyType({slot: each.attachment() for slot, each in held.items() if each}),
            self.updated_at,
            self.identity.identity() if self.identity else Identity(),
            self.tenant,
            self.created_at,
            ChangeCount(self.changes.minute, self.changes.count) if self.changes else None,
        )


SLOTS: Mapping[Slot, SlotMap] = MappingProxyType({Slot.AVATAR: UserItem.avatar, Slot.COVER_IMAGE: UserItem.cover_image})
"""The attribute of each slot, for conditions and updates."""


class UploadKeyIndex(GlobalSecondaryIndex["UploadItem"]):
    """Upload keys in the order of upload ids, in 256 partitions by the first two hexadecimal digits."""

    class Meta:
        """The index, as template.yaml declares it."""

        index_name = "by-upload-id"
        projection = KeysOnlyProjection()

    id_prefix = UnicodeAttribute(hash_key=True)
    upload_id = UnicodeAttribute(range_key=True)
    owner_id = UnicodeAttribute()


class UploadsTableItem(Model):
    """The attributes of all items of the uploads table."""

    class Meta:
        """The table; its name is set by `use_tables`."""

        table_name = ""

    owner_id = UnicodeAttribute(hash_key=True)
    upload_id = UnicodeAttribute(range_key=True)
    expires_at = SecondsAttribute(null=True)


class UploadItem(UploadsTableItem):
    """One upload. Rows of version 0.1.0 have no `id_prefix` and so are not in the index."""

    by_upload_id = UploadKeyIndex()
    id_prefix = UnicodeAttribute(null=True)
    slot = EnumAttribute(Slot)
    state = EnumAttribute(State)
    content_type = EnumAttribute(ContentType)
    content_length = IntegerAttribute()
    checksum_sha256 = UnicodeAttribute(null=True)
    created_at = MillisecondsAttribute()
    width = IntegerAttribute(null=True)
    height = IntegerAttribute(null=True)
    derivatives = DerivativesAttribute(null=True)
    reason = EnumAttribute(Reason, null=True)
    auto_bind = AutoBindMap(null=True)
    trace_id = UnicodeAttribute(null=True)
    framing = FramingAttribute(null=True)
    alt_text = UnicodeAttribute(null=True)
    placeholder = PlaceholderAttribute(null=True)

    @classmethod
    def of(cls, upload: Upload) -> Self:
        """Make the item of an upload."""
        return cls(
            id_prefix=id_prefix(upload.upload_id),
            derivatives=list(upload.derivatives) or None,
            auto_bind=AutoBindMap(actor_id=upload.auto_bind.actor_id, tenant=upload.auto_bind.tenant)
            if upload.auto_bind
            else None,
            **{name: getattr(upload, name) for name in _PLAIN},
        )

    def upload(self) -> Upload:
        """Return the upload."""
        return Upload(
            derivatives=tuple(self.derivatives or ()),
            auto_bind=AutoBind(self.auto_bind.actor_id, self.auto_bind.tenant) if self.auto_bind else None,
            **{name: getattr(self, name) for name in _PLAIN},
        )


_PLAIN = tuple(field.name for field in fields(Upload) if field.name not in ("derivatives", "auto_bind"))
"""The fields of an upload that its item has under the same names."""


class QuotaItem(UploadsTableItem):
    """An owner's intents: those that may still be open, and those of the last hour, as `milliseconds#upload_id`.

    DynamoDB has no empty sets: an attribute that lost its last entry does not exist.
    """

    RANGE_KEY = "quota"

    open = UnicodeSetAttribute()
    recent = UnicodeSetAttribute()


class IdempotencyItem(UploadsTableItem):
    """An idempotency key that a caller used: the hash of the request, and the upload that it made."""

    PREFIX = "idempotency#"

    request_hash = UnicodeAttribute()
    made = UnicodeAttribute()


class CheckpointItem(UploadsTableItem):
    """The progress of a reconcile pass, as JSON."""

    PREFIX = "reconcile#"

    version = IntegerAttribute()
    checkpoint = UnicodeAttribute()


def use_tables(*, users: str | None = None, uploads: str | None = None) -> None:
    """Set the names of the tables, which a deployment chooses; to be called before the first request."""
    if users:
        UserItem.Meta.table_name = users
    if uploads:
        UploadsTableItem.Meta.table_name = uploads


def id_prefix(upload_id: str) -> str:
    """Return the index partition of an upload id."""
    return upload_id[:2]
