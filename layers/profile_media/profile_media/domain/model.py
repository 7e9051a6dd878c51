"""The nouns: uploads, their derivatives, and the profile whose slots they are bound to.

All of it is immutable: an upload changes by being replaced in its store, never in memory.
Times are aware datetimes in UTC with at most millisecond precision, which is what the tables keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType


class Slot(StrEnum):
    """A named place on a profile that holds one picture."""

    AVATAR = "avatar"
    COVER_IMAGE = "cover_image"


class State(StrEnum):
    """Where an upload stands; it only ever moves pending → ready → bound or pending → rejected."""

    PENDING = "pending"
    READY = "ready"
    REJECTED = "rejected"
    BOUND = "bound"


class Reason(StrEnum):
    """Why an upload was rejected: a closed list, so that a client can say it in its own words."""

    UNSUPPORTED_FORMAT = "unsupported_format"
    TYPE_MISMATCH = "type_mismatch"
    CORRUPT = "corrupt"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    TOO_COMPLEX = "too_complex"
    CHECKSUM_MISMATCH = "checksum_mismatch"


@dataclass(frozen=True, slots=True)
class DecodeCost:
    """What decoding a picture took, whatever came of it: CPU milliseconds, and MiB of memory at the most."""

    cpu_ms: int
    peak_mib: int


class ContentType(StrEnum):
    """The picture formats the service takes; every one is a decoder that hostile bytes will reach."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    GIF = "image/gif"
    AVIF = "image/avif"


MASTER = "master"
"""The derivative that is kept for making new sizes later; never shown to anybody."""


@dataclass(frozen=True, slots=True)
class Derivative:
    """One rendition of an upload, as its row describes it; `digest` is of its bytes."""

    name: str
    digest: str
    content_type: ContentType
    width: int
    height: int
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One submitted picture and what became of it."""

    owner_id: str
    upload_id: str
    slot: Slot
    state: State
    content_type: ContentType
    content_length: int
    """Bytes, as declared; the picture may be smaller, never larger."""
    created_at: datetime
    expires_at: datetime | None
    """When the row goes, unless the upload is bound first; None while it is bound."""
    checksum_sha256: str | None = None
    """Base64, as S3 takes it, if the client declared it."""
    width: int | None = None
    height: int | None = None
    """Pixels of the picture as a person sees it, its orientation applied."""
    derivatives: tuple[Derivative, ...] = ()
    reason: Reason | None = None

    @property
    def shown(self) -> tuple[Derivative, ...]:
        """The derivatives that clients get to see, largest first."""
        return shown(self.derivatives)


@dataclass(frozen=True, slots=True)
class Attachment:
    """The link from a slot to the upload bound to it, with what a page needs to show it."""

    upload_id: str
    derivatives: tuple[Derivative, ...]

    @property
    def shown(self) -> tuple[Derivative, ...]:
        """The derivatives that clients get to see, largest first."""
        return shown(self.derivatives)


@dataclass(frozen=True, slots=True)
class ExternalPicture:
    """A picture on somebody else's host that a slot points at: never fetched, and never deleted."""

    url: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What the identity provider says of a user; None is what it does not say."""

    email: str | None = None
    email_verified: bool = False
    first_name: str | None = None
    last_name: str | None = None
    phone_number: str | None = None
    username: str | None = None
    picture_url: str | None = None
    """The provider's own picture, shown while the user has none here."""
    role: str | None = None
    last_login: datetime | None = None

    def merged_with(self, said: "Identity") -> "Identity":
        """This, with everything that a newer token says; what the token does not mention stays as it was."""
        news = {each.name: getattr(said, each.name) for each in fields(said) if getattr(said, each.name) is not None}
        if said.email is None:  # then nothing was said of its being verified
            del news["email_verified"]
        return replace(self, **news)


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's slots, and who the user is; a user that was never written has the empty profile."""

    user_id: str
    attachments: Mapping[Slot, Attachment | ExternalPicture] = field(default_factory=lambda: MappingProxyType({}))
    updated_at: datetime | None = None
    identity: Identity = Identity()
    tenant: str | None = None
    created_at: datetime | None = None
    """None for a user who is not known."""

    def bound_upload_id(self, slot: Slot) -> str | None:
        """The id of the upload the slot points at."""
        attachment = self.attachments.get(slot)
        return attachment.upload_id if isinstance(attachment, Attachment) else None

    def has_picture(self, slot: Slot) -> bool:
        """Whether the slot holds a picture, here or elsewhere; the identity provider's does not count."""
        return slot in self.attachments

    def with_attachment(self, slot: Slot, attachment: Attachment | ExternalPicture | None, now: datetime) -> "Profile":
        """The profile after the slot was bound, or cleared."""
        others = {name: held for name, held in self.attachments.items() if name is not slot}
        held = {slot: attachment} if attachment else {}
        created_at = self.created_at or now
        return replace(self, attachments=MappingProxyType(others | held), updated_at=now, created_at=created_at)


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """The presigned POST that lets a browser store one picture: its form fields, to be sent in order, `file` last."""

    url: str
    fields: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as the authorizer checked it."""

    user_id: str
    is_admin: bool = False
    tenant: str | None = None
    """Set where the deployment keeps tenants apart."""
    identity: Identity = Identity()


def shown(derivatives: tuple[Derivative, ...]) -> tuple[Derivative, ...]:
    """Leaves out the master: it is not cropped, so it may show more than its owner chose to."""
    visible = (derivative for derivative in derivatives if derivative.name != MASTER)
    return tuple(sorted(visible, key=lambda derivative: derivative.width, reverse=True))


def utc_now() -> datetime:
    """The wall clock, cut to the millisecond that the tables and the wire keep."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
