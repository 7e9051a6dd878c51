"""The domain model: uploads, their derivatives, and profiles whose slots point at uploads.

All of them are immutable: to change a row, write a new value to its store. Times are aware datetimes in UTC with
millisecond precision, which is what the tables keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from profile_media.domain.formats import ContentType
from profile_media.domain.framing import Framing


class Slot(StrEnum):
    """A named place on a profile that holds one picture."""

    AVATAR = "avatar"
    COVER_IMAGE = "cover_image"


class State(StrEnum):
    """The state of an upload. The only transitions are pending → ready → bound and pending → rejected."""

    PENDING = "pending"
    READY = "ready"
    REJECTED = "rejected"
    BOUND = "bound"


class Reason(StrEnum):
    """Why an upload was rejected. The list is closed, so that clients can translate every reason."""

    UNSUPPORTED_FORMAT = "unsupported_format"
    TYPE_MISMATCH = "type_mismatch"
    """Not given any more, like TOO_SMALL. Rows of version 0.1.0 can have it, and clients know it."""
    CORRUPT = "corrupt"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    TOO_COMPLEX = "too_complex"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    CROP_OUTSIDE = "crop_outside"


@dataclass(frozen=True, slots=True)
class DecodeCost:
    """The CPU time and the peak memory of decoding one picture, whether it succeeded or failed."""

    cpu_ms: int
    peak_mib: int


MASTER = "master"
"""The name of the uncropped derivative that is kept for new sizes. It is never public."""

ANIMATED = "animated"
"""The name of the animated derivative. It is made from the original and cannot be made again from the master."""


@dataclass(frozen=True, slots=True)
class Derivative:
    """One rendition of an upload, as its row describes it."""

    name: str
    digest: str
    """The digest of the bytes; part of the object key."""
    content_type: ContentType
    width: int
    height: int
    size: int
    """Bytes."""

    @property
    def is_animated(self) -> bool:
        """Whether it shows an animation instead of a still picture."""
        return self.name == ANIMATED


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What a page can show before the picture is loaded, made from the default derivative."""

    thumb_hash: str
    """ThumbHash (https://evanw.github.io/thumbhash/) in base64."""
    dominant_color: str
    """As CSS writes it: `#rrggbb`."""


@dataclass(frozen=True, slots=True)
class AutoBind:
    """The user who asked for the upload to be bound when it is ready. The intent has already checked the access."""

    actor_id: str
    tenant: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """One submitted picture and its state."""

    owner_id: str
    upload_id: str
    slot: Slot
    state: State
    content_type: ContentType
    content_length: int
    """Bytes, as declared. The picture may be smaller but not larger."""
    created_at: datetime
    expires_at: datetime | None
    """When the row expires; None for a bound upload, which does not."""
    checksum_sha256: str | None = None
    """Base64, as S3 expects it; None if the client declared none."""
    width: int | None = None
    height: int | None = None
    """Pixels, after the orientation is applied."""
    derivatives: tuple[Derivative, ...] = ()
    reason: Reason | None = None
    """Why the upload was rejected."""
    auto_bind: AutoBind | None = None
    """Set if processing binds the upload itself as soon as it is ready."""
    trace_id: str | None = None
    """The correlation id of the request that created the upload. The functions that handle the upload later log it."""
    framing: Framing = None
    """The part of the picture that the client chose to show."""
    alt_text: str | None = None
    placeholder: Placeholder | None = None
    """None until the upload is ready, and for uploads that version 0.1.0 processed."""

    @property
    def shown(self) -> tuple[Derivative, ...]:
        """The public derivatives, largest first."""
        return shown(self.derivatives)

    @property
    def attachment(self) -> "Attachment":
        """The content of a slot to which the upload is bound."""
        return Attachment(self.upload_id, self.derivatives, self.framing, self.alt_text, self.placeholder)


@dataclass(frozen=True, slots=True)
class Attachment:
    """The upload that is bound to a slot, with everything that a page needs to show it."""

    upload_id: str
    derivatives: tuple[Derivative, ...]
    framing: Framing = None
    alt_text: str | None = None
    placeholder: Placeholder | None = None

    @property
    def shown(self) -> tuple[Derivative, ...]:
        """The public derivatives, largest first."""
        return shown(self.derivatives)


@dataclass(frozen=True, slots=True)
class ExternalPicture:
    """A picture on another host that a slot points at. This service neither fetches nor deletes it."""

    url: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A user's identity from the identity provider. None means that the provider did not state the value.

    These fields are the one list of identity fields: claims, the authorizer's context, the users table and the body of
    PUT /v1/users/{user_id} follow it, in this order.
    """

    email: str | None = None
    email_verified: bool = False
    first_name: str | None = None
    last_name: str | None = None
    phone_number: str | None = None
    username: str | None = None
    picture_url: str | None = None
    """The provider's own picture, shown while the avatar slot is empty."""
    role: str | None = None
    last_login: datetime | None = None

    def merged_with(self, newer: "Identity") -> "Identity":
        """Return this identity updated with a newer token. Fields that the token does not mention stay as they are."""
        news = {each.name: getattr(newer, each.name) for each in fields(newer) if getattr(newer, each.name) is not None}
        if newer.email is None:  # email_verified is a bool, never None, and means nothing without an address
            del news["email_verified"]
        return replace(self, **news)


@dataclass(frozen=True, slots=True)
class ChangeCount:
    """The number of changes of a user's pictures within one minute."""

    minute: int
    """Minutes since the epoch."""
    count: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's slots and identity. A user without a row has an empty profile."""

    user_id: str
    attachments: Mapping[Slot, Attachment | ExternalPicture] = field(default_factory=lambda: MappingProxyType({}))
    updated_at: datetime | None = None
    identity: Identity = Identity()
    tenant: str | None = None
    created_at: datetime | None = None
    """None for a user without a row."""
    changes: ChangeCount | None = None
    """The number of changes in the most recent minute with a change, for the limit."""

    def bound_upload_id(self, slot: Slot) -> str | None:
        """Return the id of the upload that is bound to the slot."""
        attachment = self.attachments.get(slot)
        return attachment.upload_id if isinstance(attachment, Attachment) else None

    def has_picture(self, slot: Slot) -> bool:
        """Return whether the slot points at an upload or an external picture. The provider's picture does not count."""
        return slot in self.attachments

    def with_attachment(self, slot: Slot, attachment: Attachment | ExternalPicture | None, now: datetime) -> "Profile":
        """Return the profile after the slot was bound or, for None, cleared."""
        others = {name: held for name, held in self.attachments.items() if name is not slot}
        held = {slot: attachment} if attachment else {}
        created_at = self.created_at or now
        return replace(self, attachments=MappingProxyType(others | held), updated_at=now, created_at=created_at)


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """A presigned POST for one picture. Clients send the form fields in this order, then `file`."""

    url: str
    fields: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """The user who calls, as the authorizer verified it."""

    user_id: str
    is_admin: bool = False
    tenant: str | None = None
    """None if the deployment has no tenants."""
    identity: Identity = Identity()


def shown(derivatives: tuple[Derivative, ...]) -> tuple[Derivative, ...]:
    """Return the public derivatives, largest first.

    The master is left out: it is not cropped, so it can show more than its owner chose to publish.
    """
    visible = (derivative for derivative in derivatives if derivative.name != MASTER)
    return tuple(sorted(visible, key=lambda derivative: derivative.width, reverse=True))


def utc_now() -> datetime:
    """Return the present time, truncated to milliseconds as the tables keep it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
