"""The ports: what the domain needs from AWS. tests/contract runs one suite per port on the fake and on the adapter.

Every method either has its whole effect or raises `Unavailable`. Every method is safe to repeat.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, Protocol

from profile_media.domain.formats import ContentType
from profile_media.domain.framing import Framing
from profile_media.domain.keys import parse_media_key
from profile_media.domain.model import (
    Attachment,
    ChangeCount,
    DecodeCost,
    Derivative,
    ExternalPicture,
    Identity,
    Placeholder,
    PresignedPost,
    Profile,
    Slot,
    Upload,
)


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """An idempotency key that a caller used, the upload it created, and a hash of the request."""

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
    """The quota entries of one owner: a superset of the open intents, and a superset of the last hour's intents.

    Both grow with each intent. Stale entries are removed only when a limit is met, so most intents read nothing.
    """

    open: frozenset[QuotaEntry] = frozenset()
    recent: frozenset[QuotaEntry] = frozenset()


class QuotaExceeded(Exception):
    """The quota holds as many entries as a limit allows. Some of them may be stale."""


class IdempotencyKeyInUse(Exception):
    """An unexpired record of the idempotency key exists for another upload."""


class Uploads(Protocol):
    """Upload rows, and the quota and idempotency records beside them. All reads are strongly consistent."""

    def get(self, owner_id: str, upload_id: str) -> Upload | None:
        """Return the row, even if it has expired; None if there is none."""

    def create(self, upload: Upload, record: IdempotencyRecord | None, *, open_limit: int, recent_limit: int) -> None:
        """Write a pending upload, its quota entries and its idempotency record in one transaction.

        Raises IdempotencyKeyInUse, or else QuotaExceeded. Repeating the call for the same upload succeeds.
        """

    def find_idempotency_record(self, actor_id: str, key_hash: str) -> IdempotencyRecord | None:
        """Return the record of an idempotency key, even if it has expired."""

    def delete_idempotency_record(self, record: IdempotencyRecord) -> None:
        """Delete the record if it still names that upload."""

    def quota_usage(self, owner_id: str) -> QuotaUsage:
        """Return the quota entries, including stale ones."""

    def remove_quota_entries(self, owner_id: str, stale: QuotaUsage) -> None:
        """Remove these entries. Entries that do not exist are ignored."""

    def save_result(self, upload: Upload, now: datetime) -> bool:
        """Write the result of processing. Return False if the row is not pending, has expired or is gone."""

    def delete(self, upload: Upload) -> bool:
        """Delete the row and its quota entry of open intents in one transaction; a missing row counts as deleted.

        Return False, without a write, if the upload is bound.
        """


class Profiles(Protocol):
    """User rows."""

    def get(self, user_id: str) -> Profile:
        """Return the profile, strongly consistent; an empty one for a user without a row."""

    def save_identity(self, user_id: str, tenant: str | None, identity: Identity, now: datetime) -> bool:
        """Write the identity, creating the row if there is none. The slots stay as they are.

        Return False, without a write, if the row belongs to another tenant.
        """


@dataclass(frozen=True, slots=True)
class SlotChange:
    """A change of one slot, decided on `profile`: the slot must still be as it is there."""

    profile: Profile
    slot: Slot
    attachment: Attachment | ExternalPicture | None
    """The new content of the slot; None clears it."""
    changes: ChangeCount | None
    """The count to write, on condition that the row's is still `profile.changes`. None for a change by the service
    itself, which is not counted."""
    now: datetime
    identity: Identity | None = None
    """The user's new identity; None if it does not change."""
    tenant: str | None = None
    """The tenant to write if the user has no row yet."""

    @property
    def expected(self) -> Attachment | ExternalPicture | None:
        """The content that the slot must still have."""
        return self.profile.attachments.get(self.slot)

    @property
    def changed(self) -> Profile:
        """The profile after the change."""
        profile = self.profile.with_attachment(self.slot, self.attachment, self.now)
        if self.profile.created_at is None:
            profile = replace(profile, tenant=self.tenant)
        if self.changes:
            profile = replace(profile, changes=self.changes)
        return replace(profile, identity=self.identity) if self.identity else profile


@dataclass(frozen=True, slots=True)
class Revision:
    """A change of how a ready or bound upload is shown, decided on `profile` and `upload` as they were read."""

    profile: Profile
    upload: Upload
    revised: Upload
    """The upload with another framing, text, placeholder or other derivatives."""
    changes: ChangeCount | None
    """The count to write, on condition that the row's is still `profile.changes`. None if the change is not counted."""
    now: datetime


class Attachments(Protocol):
    """The links between slots and uploads. A slot changes together with the rows of its uploads."""

    def read(self, user_id: str, upload_id: str) -> tuple[Profile, Upload | None]:
        """Return the profile and the upload as they were at one instant."""

    def change_slot(self, change: SlotChange) -> bool:
        """Change the slot, mark its new upload as bound and delete the row of its old upload, in one transaction.

        Return False, without a write, if the slot or the count is not as expected, or the upload is not ready for
        this slot, or is shown in another way than the attachment, or has expired.
        """

    def revise(self, revision: Revision) -> bool:
        """Change how an upload is shown in its row and, if it is bound, in its slot, in one transaction.

        Return False, without a write, if the row, the slot or the count is not as read, or the row has expired.
        """


class Presigner(Protocol):
    """Presigned POSTs."""

    def presign(self, upload: Upload, signed_at: datetime, expires_at: datetime) -> PresignedPost:
        """Sign a POST for exactly this key, content type, length and checksum. No call is made."""


class Incoming(Protocol):
    """The originals that browsers stored."""

    def fetch(self, owner_id: str, upload_id: str, limit: int) -> bytes | None:
        """Return at most `limit` + 1 bytes of the original; None if there is none."""

    def delete(self, owner_id: str, upload_id: str) -> None:
        """Delete the original, if there is one."""


class Media(Protocol):
    """The derivatives."""

    def fetch(self, upload_id: str, derivative: Derivative) -> bytes | None:
        """Return the derivative's bytes; None if there is no such object."""

    def store(self, upload_id: str, contents: Sequence[tuple[Derivative, bytes]]) -> None:
        """Store derivatives under their keys, which contain the digest of the bytes."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete these objects, as far as they exist."""

    def delete_prefix(self, upload_id: str) -> int:
        """List and delete all derivatives of an upload, under both prefixes. Return their number."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A decoded picture: its pixels after orientation, and its derivatives with their bytes."""

    content_type: ContentType
    width: int
    height: int
    derivatives: tuple[tuple[Derivative, bytes], ...]
    placeholder: Placeholder
    cost: DecodeCost


class Images(Protocol):
    """Decoding and encoding of untrusted bytes."""

    def identify(self, content: bytes) -> ContentType:
        """Return the format that the first bytes announce. Raises ImageUnacceptable for an unsupported one."""

    def render(self, content: bytes, slot: Slot, framing: Framing = None) -> Rendered:
        """Make the derivatives of the slot, and the master. The same arguments give identical derivatives.

        Raises ImageUnacceptable, and nothing else, whatever the bytes are; also for a crop outside of the picture.
        """


@dataclass(frozen=True, slots=True)
class PurgeRequest:
    """An upload whose row is gone and whose objects are to be deleted.

    Raises ValueError for a key outside the upload's own prefix, so that no message can delete other pictures.
    """

    owner_id: str | None
    """None if only the objects are known."""
    upload_id: str
    media_keys: tuple[str, ...] | None = None
    """The keys of all derivatives, from the removed row of a ready or bound upload; None to list the prefixes."""
    trace_id: str | None = None
    """The trace id of the removed upload, for the log."""

    def __post_init__(self) -> None:
        if any(parse_media_key(key) != self.upload_id for key in self.media_keys or ()):
            raise ValueError("a key is not under a prefix of the upload")


class PurgeQueue(Protocol):
    """The delete queue."""

    def enqueue(self, requests: Sequence[PurgeRequest]) -> Sequence[PurgeRequest]:
        """Enqueue purge requests in batches. Return the ones that failed."""


class RedriveQueue(Protocol):
    """The queue of repeated S3 events. A message is processed like the event of a new original."""

    def redrive(self, keys: Sequence[str]) -> Sequence[str]:
        """Enqueue the events of these originals in batches. Return the keys that failed."""


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """A part of a sequence, and the position at which the next part begins: None after the last."""

    items: Sequence[Item]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in a listing."""

    key: str
    at: datetime
    """When it was stored."""


class ObjectListings(Protocol):
    """Ordered listings of both buckets. A listing contains every object stored before the call."""

    def incoming(self, after: str | None) -> Page[StoredObject]:
        """List originals whose keys come after this one. `Page.next` is the last key."""

    def media(self, after: str | None) -> Page[StoredObject]:
        """List derivatives after this position, in the order of `keys.position`. `Page.next` is the last position."""

    def derivatives(self, upload_id: str) -> frozenset[str]:
        """Return the keys of one upload's derivatives."""


class UploadKey(NamedTuple):
    """The primary key of an upload's row."""

    owner_id: str
    upload_id: str


MAX_ROWS = 100
"""Rows in one call of `UploadIndex.get_rows`, as DynamoDB's BatchGetItem allows."""


class UploadIndex(Protocol):
    """Upload rows in the order of their upload ids, which is the order in which S3 lists their objects.

    Rows written by version 0.1.0 are not in the index.
    """

    def keys_after(self, upload_id: str | None) -> Page[UploadKey]:
        """Return keys with a greater upload id, eventually consistent. `Page.next` is the last upload id."""

    def get_rows(self, keys: Sequence[UploadKey]) -> Sequence[Upload]:
        """Return at most `MAX_ROWS` rows, strongly consistent and in any order. Missing rows are left out."""


class TableScans(Protocol):
    """Strongly consistent scans of the tables, in no order: a row that exists throughout the scan is in one page."""

    def upload_ids(self, position: str | None) -> Page[str]:
        """Return the ids of upload rows, including those that are not in the index."""

    def profiles(self, position: str | None) -> Page[Profile]:
        """Return user rows."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The progress of a reconcile pass."""

    name: str
    """The name of the pass."""
    began: datetime
    step: str | None
    """None once the pass has finished."""
    position: str | None = None
    """The start of the step's next page, in the format of that step."""
    suspects: tuple[str, ...] = ()
    """Upload ids that had objects but no row in the index."""
    suspected_at: datetime | None = None
    """When the last suspect was added."""
    found: Mapping[str, int] = field(default_factory=dict)
    """The number of findings of each kind."""
    version: int = 1
    """Incremented by every save, across passes of the same name."""


class Checkpoints(Protocol):
    """The progress of reconcile passes."""

    def load(self, name: str) -> Checkpoint | None:
        """Return the last checkpoint of a pass, strongly consistent; None if there is none."""

    def save(self, checkpoint: Checkpoint, expires_at: datetime) -> bool:
        """Replace the checkpoint of the previous version. Return False, without a write, if it was replaced."""


class Clock(Protocol):
    """The time, replaceable in tests."""

    def now(self) -> datetime:
        """Return the present time in UTC, truncated to milliseconds."""

    def wait(self, seconds: float) -> None:
        """Sleep."""
