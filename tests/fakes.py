"""The ports in memory. The suites under tests/contract run on these and on the AWS adapters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from profile_media.domain import keys
from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType
from profile_media.domain.framing import Crop, Framing
from profile_media.domain.lifecycle import is_expired
from profile_media.domain.model import (
    Attachment,
    DecodeCost,
    Derivative,
    ExternalPicture,
    Identity,
    Placeholder,
    PresignedPost,
    Profile,
    Reason,
    Slot,
    State,
    Upload,
)
from profile_media.domain.ports import (
    MAX_ROWS,
    Checkpoint,
    IdempotencyKeyInUse,
    IdempotencyRecord,
    Page,
    PurgeRequest,
    QuotaEntry,
    QuotaExceeded,
    QuotaUsage,
    Rendered,
    Revision,
    SlotChange,
    StoredObject,
    UploadKey,
)
from tests.builders import NOW


@dataclass
class FakeClock:
    """A clock that a test moves."""

    present: datetime = NOW
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.present

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.pass_(seconds=seconds)

    def pass_(self, **duration: float) -> None:
        """Move the clock by a timedelta."""
        self.present += timedelta(**duration)


@dataclass
class FakeTables:
    """The rows of both tables."""

    uploads: dict[tuple[str, str], Upload] = field(default_factory=dict)
    idempotency_records: dict[tuple[str, str], IdempotencyRecord] = field(default_factory=dict)
    quotas: dict[str, QuotaUsage] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)


class FakeUploads:
    """Upload rows."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    def get(self, owner_id: str, upload_id: str) -> Upload | None:
        return self._tables.uploads.get((owner_id, upload_id))

    def create(self, upload: Upload, record: IdempotencyRecord | None, *, open_limit: int, recent_limit: int) -> None:
        tables, key = self._tables, (upload.owner_id, upload.upload_id)
        if key in tables.uploads:
            return
        if record:
            known = self.find_idempotency_record(record.actor_id, record.key_hash)
            if known and known.upload_id != upload.upload_id and known.expires_at > upload.created_at:
                raise IdempotencyKeyInUse
        quota = self.quota_usage(upload.owner_id)
        if len(quota.open) >= open_limit or len(quota.recent) >= recent_limit:
            raise QuotaExceeded
        if record:
            tables.idempotency_records[record.actor_id, record.key_hash] = record
        entry = frozenset({QuotaEntry(upload.created_at, upload.upload_id)})
        tables.quotas[upload.owner_id] = QuotaUsage(quota.open | entry, quota.recent | entry)
        tables.uploads[key] = upload

    def find_idempotency_record(self, actor_id: str, key_hash: str) -> IdempotencyRecord | None:
        return self._tables.idempotency_records.get((actor_id, key_hash))

    def delete_idempotency_record(self, record: IdempotencyRecord) -> None:
        known = self.find_idempotency_record(record.actor_id, record.key_hash)
        if known and known.upload_id == record.upload_id:
            del self._tables.idempotency_records[record.actor_id, record.key_hash]

    def quota_usage(self, owner_id: str) -> QuotaUsage:
        return self._tables.quotas.get(owner_id, QuotaUsage())

    def remove_quota_entries(self, owner_id: str, stale: QuotaUsage) -> None:
        quota = self.quota_usage(owner_id)
        self._tables.quotas[owner_id] = QuotaUsage(quota.open - stale.open, quota.recent - stale.recent)

    def save_result(self, upload: Upload, now: datetime) -> bool:
        row = self.get(upload.owner_id, upload.upload_id)
        if row is None or row.state is not State.PENDING or is_expired(row, now):
            return False
        self._tables.uploads[upload.owner_id, upload.upload_id] = upload
        return True

    def delete(self, upload: Upload) -> bool:
        row = self.get(upload.owner_id, upload.upload_id)
        if row and row.state is State.BOUND:
            return False
        self._tables.uploads.pop((upload.owner_id, upload.upload_id), None)
        entry = QuotaEntry(upload.created_at, upload.upload_id)
        self.remove_quota_entries(upload.owner_id, QuotaUsage(open=frozenset({entry})))
        return True


class FakeProfiles:
    """User rows."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    def get(self, user_id: str) -> Profile:
        return self._tables.profiles.get(user_id, Profile(user_id))

    def save_identity(self, user_id: str, tenant: str | None, identity: Identity, now: datetime) -> bool:
        profile = self.get(user_id)
        if profile.created_at and profile.tenant != tenant:
            return False
        created_at = profile.created_at or now
        self._tables.profiles[user_id] = replace(profile, identity=identity, tenant=tenant, created_at=created_at)
        return True


class FakeAttachments:
    """The links between slots and uploads."""

    def __init__(self, tables: FakeTables) -> None:
        self.tables = self._tables = tables
        self.races: list[SlotChange] = []
        """Changes by other requests; one of them happens before each change."""

    def read(self, user_id: str, upload_id: str) -> tuple[Profile, Upload | None]:
        tables = self._tables
        return tables.profiles.get(user_id, Profile(user_id)), tables.uploads.get((user_id, upload_id))

    def change_slot(self, change: SlotChange) -> bool:
        if self.races:
            self._apply(self.races.pop(0))
        return self._apply(change)

    def _apply(self, change: SlotChange) -> bool:
        tables, attachment, expected = self._tables, change.attachment, change.expected
        user_id = change.profile.user_id
        profile = tables.profiles.get(user_id, Profile(user_id))
        if change.profile.created_at is None and change.tenant and profile.created_at:
            return False
        if change.changes and profile.changes != change.profile.changes:
            return False
        if not _same(profile.attachments.get(change.slot), expected) or not self._usable(change):
            return False
        tables.profiles[user_id] = replace(change, profile=profile).changed
        if isinstance(attachment, Attachment):
            key = (user_id, attachment.upload_id)
            tables.uploads[key] = replace(tables.uploads[key], state=State.BOUND, expires_at=None)
        if isinstance(expected, Attachment):
            tables.uploads.pop((user_id, expected.upload_id), None)
        return True

    def revise(self, revision: Revision) -> bool:
        tables, upload, revised = self._tables, revision.upload, revision.revised
        key, slot = (upload.owner_id, upload.upload_id), revision.upload.slot
        profile = tables.profiles.get(upload.owner_id, Profile(upload.owner_id))
        if tables.uploads.get(key) != upload or is_expired(upload, revision.now):
            return False
        if upload.state is State.BOUND:
            held = profile.attachments.get(slot)
            if not isinstance(held, Attachment) or held.derivatives != upload.derivatives:
                return False
            if revision.changes and profile.changes != revision.profile.changes:
                return False
            profile = replace(profile, attachments={**profile.attachments, slot: revised.attachment})
            if revision.changes:
                profile = replace(profile, changes=revision.changes, updated_at=revision.now)
            tables.profiles[upload.owner_id] = profile
        tables.uploads[key] = revised
        return True

    def _usable(self, change: SlotChange) -> bool:
        if not isinstance(change.attachment, Attachment):
            return True
        upload = self._tables.uploads.get((change.profile.user_id, change.attachment.upload_id))
        ready = upload is not None and upload.state is State.READY and upload.slot is change.slot
        ready = ready and upload is not None and upload.attachment == change.attachment
        return upload is not None and ready and not is_expired(upload, change.now)


type _Content = Attachment | ExternalPicture | None


def _same(content: _Content, expected: _Content) -> bool:
    """Compare two contents of a slot: uploads by id, external pictures by URL."""
    if isinstance(content, Attachment) and isinstance(expected, Attachment):
        return content.upload_id == expected.upload_id
    return content == expected


class FakeIncoming:
    """Originals."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def fetch(self, owner_id: str, upload_id: str, limit: int) -> bytes | None:
        content = self.objects.get(keys.incoming_key(owner_id, upload_id))
        return None if content is None else content[: limit + 1]

    def delete(self, owner_id: str, upload_id: str) -> None:
        self.objects.pop(keys.incoming_key(owner_id, upload_id), None)


class FakeMedia:
    """Derivatives."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def fetch(self, upload_id: str, derivative: Derivative) -> bytes | None:
        found = (self.objects.get(key) for key in keys.possible_keys(upload_id, derivative))
        return next((content for content in found if content is not None), None)

    def store(self, upload_id: str, contents: Sequence[tuple[Derivative, bytes]]) -> None:
        for derivative, content in contents:
            self.objects[keys.media_key(upload_id, derivative)] = content

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)

    def delete_prefix(self, upload_id: str) -> int:
        found = [key for key in self.objects if key.startswith(keys.media_prefixes(upload_id))]
        self.delete(found)
        return len(found)


class FakePurgeQueue:
    """The delete queue."""

    def __init__(self) -> None:
        self.messages: list[PurgeRequest] = []
        self.refuses: set[PurgeRequest] = set()

    def enqueue(self, requests: Sequence[PurgeRequest]) -> Sequence[PurgeRequest]:
        self.messages += [each for each in requests if each not in self.refuses]
        return [each for each in requests if each in self.refuses]


class FakeRedriveQueue:
    """The queue of repeated S3 events."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.refuses: set[str] = set()

    def redrive(self, keys: Sequence[str]) -> Sequence[str]:
        self.keys += [key for key in keys if key not in self.refuses]
        return [key for key in keys if key in self.refuses]


class FakeListings:
    """Listings of both buckets. All objects are stored at the same time unless `times` says otherwise."""

    def __init__(self, incoming: FakeIncoming, media: FakeMedia, page: int = 1000, at: datetime = NOW) -> None:
        self._incoming, self._media, self.page, self.at = incoming, media, page, at
        self.times: dict[str, datetime] = {}

    def incoming(self, after: str | None) -> Page[StoredObject]:
        return self._list(self._incoming.objects, after, str)

    def media(self, after: str | None) -> Page[StoredObject]:
        return self._list(self._media.objects, after, keys.position)

    def derivatives(self, upload_id: str) -> frozenset[str]:
        return frozenset(key for key in self._media.objects if key.startswith(keys.media_prefixes(upload_id)))

    def _list(self, objects: Iterable[str], after: str | None, order: Callable[[str], str]) -> Page[StoredObject]:
        found = sorted((key for key in objects if order(key) > (after or "")), key=order)
        items = [StoredObject(key, self.times.get(key, self.at)) for key in found[: self.page]]
        return Page(items, order(items[-1].key) if len(found) > self.page else None)


class FakeUploadIndex:
    """Upload rows in the order of their ids, without those in `unindexed`."""

    def __init__(self, tables: FakeTables, page: int = 500) -> None:
        self._tables, self.page = tables, page
        self.unindexed: set[str] = set()

    def keys_after(self, upload_id: str | None) -> Page[UploadKey]:
        keys = sorted((UploadKey(*key) for key in self._tables.uploads), key=lambda key: key.upload_id)
        found = [key for key in keys if key.upload_id > (upload_id or "") and key.upload_id not in self.unindexed]
        items = found[: self.page]
        return Page(items, items[-1].upload_id if len(found) > self.page else None)

    def get_rows(self, keys: Sequence[UploadKey]) -> Sequence[Upload]:
        assert len(keys) <= MAX_ROWS
        return [self._tables.uploads[key] for key in keys if key in self._tables.uploads]


class FakeScans:
    """Scans of both tables, a few rows at a time."""

    def __init__(self, tables: FakeTables, page: int = 500) -> None:
        self._tables, self.page = tables, page

    def upload_ids(self, position: str | None) -> Page[str]:
        page = self._scan({"\n".join(key): upload for key, upload in self._tables.uploads.items()}, position)
        return Page([upload.upload_id for upload in page.items], page.next)

    def profiles(self, position: str | None) -> Page[Profile]:
        return self._scan(self._tables.profiles, position)

    def _scan[Item](self, rows: Mapping[str, Item], position: str | None) -> Page[Item]:
        found = sorted(key for key in rows if key > (position or ""))
        last = found[self.page - 1] if len(found) > self.page else None
        return Page([rows[key] for key in found[: self.page]], last)


class FakeCheckpoints:
    """The progress of reconcile passes."""

    def __init__(self) -> None:
        self.kept: dict[str, Checkpoint] = {}

    def load(self, name: str) -> Checkpoint | None:
        return self.kept.get(name)

    def save(self, checkpoint: Checkpoint, expires_at: datetime) -> bool:
        kept = self.kept.get(checkpoint.name)
        if kept and kept.version != checkpoint.version - 1:
            return False
        self.kept[checkpoint.name] = checkpoint
        return True


class FakePresigner:
    """Presigned POSTs whose fields show what was signed."""

    def presign(self, upload: Upload, signed_at: datetime, expires_at: datetime) -> PresignedPost:
        fields = {"key": keys.incoming_key(upload.owner_id, upload.upload_id), "signed": signed_at.isoformat()}
        return PresignedPost("https://uploads.example.com/", fields, expires_at)


class FakeImages:
    """Makes two derivatives of any bytes. Bytes that begin with a reason are refused for that reason."""

    def identify(self, content: bytes) -> ContentType:
        if content.startswith(b"text"):
            raise ImageUnacceptable(Reason.UNSUPPORTED_FORMAT)
        return ContentType.JPEG

    def render(self, content: bytes, slot: Slot, framing: Framing = None) -> Rendered:
        if isinstance(framing, Crop) and not framing.fits((40, 30)):
            raise ImageUnacceptable(Reason.CROP_OUTSIDE, "as the test wants it")
        for reason in Reason:
            if content.startswith(reason.encode()):
                raise ImageUnacceptable(reason, "as the test wants it")
        made = []
        for name, width in (("full", 512), ("thumb", 256)):
            data = f"{slot}:{name}:{framing or ''}".encode() + content
            derivative = Derivative(name, keys.digest(data), ContentType.WEBP, width, width, len(data))
            made.append((derivative, data))
        placeholder = Placeholder("3OcRJYB4d3h/iIeHeEh3eIhw+j3A", "#808080")
        return Rendered(self.identify(content), 40, 30, tuple(made), placeholder, DecodeCost(1, 1))


def attachment_of(upload: Upload) -> Attachment:
    """Return the content of a slot to which the upload is bound."""
    return upload.attachment


def a_slot_change(upload: Upload, expected: _Content = None, now: datetime = NOW) -> SlotChange:
    """Return an uncounted change that binds the upload to a slot that holds `expected`."""
    profile = Profile(upload.owner_id)
    if expected:
        profile = profile.with_attachment(upload.slot, expected, NOW)
    return SlotChange(profile, upload.slot, attachment_of(upload), None, now)
