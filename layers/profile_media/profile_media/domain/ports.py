"""What the rules need from the outside world. One suite per port under tests/contract, passed by the fake and by AWS.

Every method either has its whole effect or raises `Unavailable`; all of them are safe to repeat.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from profile_media.domain.model import (
    Attachment,
    ContentType,
    DecodeCost,
    Derivative,
    ExternalPicture,
    Identity,
    PresignedPost,
    Profile,
    Slot,
    Upload,
)


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """An idempotency key as a caller used it: which upload it made, and a hash of the request that made it."""

    actor_id: str
    key_hash: str
    request_hash: str
    upload_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class QuotaEntry:
    """One intent, as the owner's quota keeps it."""

    at: datetime
    upload_id: str


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """What an owner has asked for: a superset of the pending uploads, and all intents of the last hour.

    Both grow with each intent and are cut back only when a limit is met: the usual intent is one write and no read.
    """

    open: frozenset[QuotaEntry] = frozenset()
    recent: frozenset[QuotaEntry] = frozenset()


class QuotaExceeded(Exception):
    """A create found as many entries as a limit allows; some of them may be stale."""


class IdempotencyKeyInUse(Exception):
    """A create found its idempotency key in use already."""


class Uploads(Protocol):
    """Upload rows, and beside them what intents need. Reads are strong; every key starts with the owner."""

    def get(self, owner_id: str, upload_id: str) -> Upload | None:
        """The row, expired or not."""

    def create(
        self, upload: Upload, remembered: IdempotencyRecord | None, *, open_limit: int, recent_limit: int
    ) -> None:
        """Adds a pending upload, remembers its key and counts it, all or nothing.

        Raises KeyTaken where a remembered key that has not expired exists for another upload, else QuotaFull where a
        count has reached its limit. The same upload again succeeds.
        """

    def find_idempotency_record(self, actor_id: str, key_hash: str) -> IdempotencyRecord | None:
        """What was remembered under an idempotency key, expired or not."""

    def delete_idempotency_record(self, remembered: IdempotencyRecord) -> None:
        """Frees a key, if it still names that upload."""

    def quota_usage(self, owner_id: str) -> QuotaUsage:
        """The counts, stale entries included."""

    def remove_quota_entries(self, owner_id: str, stale: QuotaUsage) -> None:
        """Takes these entries off the counts; entries that are not there are no error."""

    def settle(self, upload: Upload, now: datetime) -> bool:
        """Writes what became of a pending upload; False where the row is not pending any more, expired or gone."""


class Profiles(Protocol):
    """User rows."""

    def get(self, user_id: str) -> Profile:
        """The profile, read strongly; the empty one for an unknown user."""

    def identify(self, user_id: str, tenant: str | None, identity: Identity, now: datetime) -> bool:
        """Writes who the user is, creating the row if there is none, and leaves the slots alone.

        False, and nothing written, where the row is of another tenant.
        """


@dataclass(frozen=True, slots=True)
class WriteLimit:
    """How many changes one caller may make within a minute, and who that is."""

    actor_id: str
    per_minute: int


@dataclass(frozen=True, slots=True)
class SlotChange:
    """One slot's change, as seen from the profile it was decided on: the slot must still be as it is there."""

    profile: Profile
    slot: Slot
    attachment: Attachment | ExternalPicture | None
    """What the slot is to hold; None clears it."""
    limit: WriteLimit | None
    """None where the service changes it by itself, which is not counted."""
    now: datetime
    identity: Identity | None = None
    """Who the user is, where that is news; written along."""
    tenant: str | None = None
    """Of a user who is not known yet."""

    @property
    def expected(self) -> Attachment | ExternalPicture | None:
        """What the slot must still hold."""
        return self.profile.attachments.get(self.slot)

    @property
    def changed(self) -> Profile:
        """The profile after it."""
        profile = self.profile.with_attachment(self.slot, self.attachment, self.now)
        if self.profile.created_at is None:
            profile = replace(profile, tenant=self.tenant)
        return replace(profile, identity=self.identity) if self.identity else profile


class SlotChangeResult(StrEnum):
    """What became of a swap; only the first has written anything."""

    DONE = "done"
    CHANGED = "changed"
    """The slot is not as relied on, or the upload is not ready, for this slot and unexpired."""
    LIMITED = "limited"
    """The caller has made as many changes within this minute as it may."""


class Attachments(Protocol):
    """The links between users' slots and uploads, changed only together with the uploads' rows."""

    def read(self, user_id: str, upload_id: str) -> tuple[Profile, Upload | None]:
        """The profile and the upload as they were at one instant."""

    def change_slot(self, change: SlotChange) -> SlotChangeResult:
        """Changes the slot, marks the upload it now points at bound, deletes the row of the one it pointed at, and
        counts the change, all or nothing.
        """

    def rename(self, bound: Upload, derivatives: tuple[Derivative, ...]) -> bool:
        """Gives a bound upload other derivatives, in its row and in its slot, all or nothing.

        False, and nothing written, unless both name what was read.
        """


class Presigner(Protocol):
    """Presigned POSTs."""

    def presign(self, upload: Upload, signed_at: datetime, expires_at: datetime) -> PresignedPost:
        """Lets its bearer store one picture: this key, type, length, checksum, and nothing else. No call is made."""


class Incoming(Protocol):
    """The originals that browsers stored."""

    def fetch(self, owner_id: str, upload_id: str, limit: int) -> bytes | None:
        """The object as it is now, at most `limit` + 1 bytes of it; None where there is none."""

    def discard(self, owner_id: str, upload_id: str) -> None:
        """Deletes the object; no error where there is none."""


class Media(Protocol):
    """The derivatives."""

    def fetch(self, upload_id: str, derivative: Derivative) -> bytes | None:
        """The derivative's bytes; None where it is not there."""

    def store(self, upload_id: str, contents: Sequence[tuple[Derivative, bytes]]) -> None:
        """Stores derivatives under their immutable keys; the same again changes nothing."""

    def discard(self, upload_id: str, derivatives: Iterable[Derivative]) -> None:
        """Deletes these derivatives; no error where there are none."""

    def purge(self, upload_id: str) -> int:
        """Deletes everything under the upload's prefix, found by listing it; returns how many objects."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a picture: its size as a person sees it, and its derivatives with their bytes."""

    content_type: ContentType
    width: int
    height: int
    derivatives: tuple[tuple[Derivative, bytes], ...]
    cost: DecodeCost


class Images(Protocol):
    """Decoding and encoding, of bytes nobody trusts."""

    def identify(self, content: bytes) -> ContentType:
        """The format the first bytes announce; raises ImageUnacceptable for one that is not taken."""

    def render(self, content: bytes, declared: ContentType, slot: Slot) -> Rendered:
        """Makes the slot's derivatives and the master; raises ImageUnacceptable, and only that, whatever the bytes are.

        The same bytes give the same derivatives, to the bit.
        """


@dataclass(frozen=True, slots=True)
class PurgeRequest:
    """An upload whose row is gone."""

    owner_id: str | None
    """None where only its objects told of it."""
    upload_id: str


class PurgeQueue(Protocol):
    """The delete queue."""

    def enqueue(self, removed: Sequence[PurgeRequest]) -> Sequence[PurgeRequest]:
        """Queues them, in as few calls as it can; returns those that were not taken."""


class RedriveQueue(Protocol):
    """Events that S3 sent in vain, or never: what is queued is processed as if it had just come in."""

    def redrive(self, keys: Sequence[str]) -> Sequence[str]:
        """Queues the event of each of these originals, in as few calls as it can; returns those not taken."""


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """A part of something long, and where the next part begins: None after the last."""

    items: Sequence[Item]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object, as a listing has it."""

    key: str
    at: datetime


class ObjectListings(Protocol):
    """What lies in the buckets. Each call is one listing, which leaves out nothing that was there before it."""

    def incoming(self, after: str | None) -> Page[StoredObject]:
        """Originals whose keys sort after this one, in order; the page's end is a key."""

    def media(self, after: str | None) -> Page[StoredObject]:
        """Derivatives, likewise."""

    def derivatives(self, upload_id: str) -> frozenset[str]:
        """The keys of one upload's."""


@dataclass(frozen=True, slots=True)
class UploadIdRange:
    """A stretch of upload ids: those after the one, up to and with the other; None for no bound."""

    after: str | None = None
    until: str | None = None


ALL_UPLOAD_IDS = UploadIdRange()


class TableScans(Protocol):
    """The tables, whole, page by page and in no order.

    Read strongly: a row that was there before the first page, and stays, is in one of the pages.
    """

    def uploads(self, at: str | None, ids: UploadIdRange = ALL_UPLOAD_IDS) -> Page[Upload]:
        """The rows of uploads with such ids."""

    def profiles(self, at: str | None) -> Page[Profile]:
        """The rows of users."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a pass has come."""

    name: str
    """The pass's."""
    began: datetime
    step: str | None
    """None once it is finished."""
    position: str | None = None
    """Where in the step the next page begins, in words of the port that gave it."""
    suspects: tuple[str, ...] = ()
    """Uploads to be looked at again."""
    suspected_at: datetime | None = None
    """When the last of them was added."""
    found: Mapping[str, int] = field(default_factory=dict)
    """How many findings of each kind there were."""
    version: int = 1
    """How many times this pass, and those before it, have been saved, this time included."""


class Checkpoints(Protocol):
    """Where passes stand."""

    def load(self, name: str) -> Checkpoint | None:
        """The pass's last one, read strongly; None for a pass that never was."""

    def save(self, checkpoint: Checkpoint, expires_at: datetime) -> bool:
        """Keeps it until then; False, and nothing written, where another than its predecessor was saved meanwhile."""


class Clock(Protocol):
    """Time, as something a test can move."""

    def now(self) -> datetime:
        """The present, UTC, to the millisecond."""

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
