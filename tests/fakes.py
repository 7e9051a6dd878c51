"""The ports in memory. The suites under tests/contract run on these and on AWS's adapters alike, so they cannot rot."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from profile_media.domain import keys
from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.lifecycle import is_expired
from profile_media.domain.model import (
    Attachment,
    ContentType,
    DecodeCost,
    Derivative,
    ExternalPicture,
    Identity,
    PresignedPost,
    Profile,
    Reason,
    Slot,
    State,
    Upload,
)
from profile_media.domain.ports import (
    ALL_UPLOAD_IDS,
    Checkpoint,
    IdempotencyKeyInUse,
    IdempotencyRecord,
    Page,
    PurgeRequest,
    QuotaEntry,
    QuotaExceeded,
    QuotaUsage,
    Rendered,
    SlotChange,
    SlotChangeResult,
    StoredObject,
    UploadIdRange,
    WriteLimit,
)
from tests.builders import NOW


@dataclass
class FakeClock:
    """Time that passes when it is told to."""

    present: datetime = NOW
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.present

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.pass_(seconds=seconds)

    def pass_(self, **duration: float) -> None:
        """Lets time pass, in timedelta's words."""
        self.present += timedelta(**duration)


@dataclass
class FakeTables:
    """The rows of both tables."""

    uploads: dict[tuple[str, str], Upload] = field(default_factory=dict)
    remembered: dict[tuple[str, str], IdempotencyRecord] = field(default_factory=dict)
    quotas: dict[str, QuotaUsage] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    changes: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By caller and minute."""


class FakeUploads:
    """Upload rows."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    def get(self, owner_id: str, upload_id: str) -> Upload | None:
        return self._tables.uploads.get((owner_id, upload_id))

    def create(
        self, upload: Upload, remembered: IdempotencyRecord | None, *, open_limit: int, recent_limit: int
    ) -> None:
        tables, key = self._tables, (upload.owner_id, upload.upload_id)
        if key in tables.uploads:
            return
        if remembered:
            known = tables.remembered.get((remembered.actor_id, remembered.key_hash))
            if known and known.upload_id != upload.upload_id and known.expires_at > upload.created_at:
                raise IdempotencyKeyInUse
        quota = tables.quotas.get(upload.owner_id, QuotaUsage())
        if len(quota.open) >= open_limit or len(quota.recent) >= recent_limit:
            raise QuotaExceeded
        if remembered:
            tables.remembered[remembered.actor_id, remembered.key_hash] = remembered
        asked = frozenset({QuotaEntry(upload.created_at, upload.upload_id)})
        tables.quotas[upload.owner_id] = QuotaUsage(quota.open | asked, quota.recent | asked)
        tables.uploads[key] = upload

    def find_idempotency_record(self, actor_id: str, key_hash: str) -> IdempotencyRecord | None:
        return self._tables.remembered.get((actor_id, key_hash))

    def delete_idempotency_record(self, remembered: IdempotencyRecord) -> None:
        known = self.find_idempotency_record(remembered.actor_id, remembered.key_hash)
        if known and known.upload_id == remembered.upload_id:
            del self._tables.remembered[remembered.actor_id, remembered.key_hash]

    def quota_usage(self, owner_id: str) -> QuotaUsage:
        return self._tables.quotas.get(owner_id, QuotaUsage())

    def remove_quota_entries(self, owner_id: str, stale: QuotaUsage) -> None:
        quota = self.quota_usage(owner_id)
        self._tables.quotas[owner_id] = QuotaUsage(quota.open - stale.open, quota.recent - stale.recent)

    def settle(self, upload: Upload, now: datetime) -> bool:
        row = self.get(upload.owner_id, upload.upload_id)
        if row is None or row.state is not State.PENDING or is_expired(row, now):
            return False
        self._tables.uploads[upload.owner_id, upload.upload_id] = upload
        return True


class FakeProfiles:
    """User rows."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    def get(self, user_id: str) -> Profile:
        return self._tables.profiles.get(user_id, Profile(user_id))

    def identify(self, user_id: str, tenant: str | None, identity: Identity, now: datetime) -> bool:
        profile = self.get(user_id)
        if profile.created_at and profile.tenant != tenant:
            return False
        created_at = profile.created_at or now
        self._tables.profiles[user_id] = replace(profile, identity=identity, tenant=tenant, created_at=created_at)
        return True


class FakeAttachments:
    """The links between them."""

    def __init__(self, tables: FakeTables) -> None:
        self.tables = self._tables = tables
        self.races: list[SlotChange] = []
        """Swaps of others that get in first, one before each swap."""

    def read(self, user_id: str, upload_id: str) -> tuple[Profile, Upload | None]:
        tables = self._tables
        return tables.profiles.get(user_id, Profile(user_id)), tables.uploads.get((user_id, upload_id))

    def change_slot(self, change: SlotChange) -> SlotChangeResult:
        if self.races:
            self._apply(self.races.pop(0))
        return self._apply(change)

    def _apply(self, change: SlotChange) -> SlotChangeResult:
        tables, attachment, held = self._tables, change.attachment, change.expected
        user_id = change.profile.user_id
        profile = tables.profiles.get(user_id, Profile(user_id))
        minute = int(change.now.timestamp()) // 60
        if change.profile.created_at is None and change.tenant and profile.created_at:
            return SlotChangeResult.CHANGED
        if not _same(profile.attachments.get(change.slot), held) or not self._usable(change):
            return SlotChangeResult.CHANGED
        if change.limit and tables.changes[change.limit.actor_id, minute] >= change.limit.per_minute:
            return SlotChangeResult.LIMITED
        if change.limit:
            tables.changes[change.limit.actor_id, minute] += 1
        tables.profiles[user_id] = replace(change, profile=profile).changed
        if isinstance(attachment, Attachment):
            key = (user_id, attachment.upload_id)
            tables.uploads[key] = replace(tables.uploads[key], state=State.BOUND, expires_at=None)
        if isinstance(held, Attachment):
            tables.uploads.pop((user_id, held.upload_id), None)
        return SlotChangeResult.DONE

    def rename(self, bound: Upload, derivatives: tuple[Derivative, ...]) -> bool:
        tables, key = self._tables, (bound.owner_id, bound.upload_id)
        profile = tables.profiles.get(bound.owner_id, Profile(bound.owner_id))
        if tables.uploads.get(key) != bound or profile.attachments.get(bound.slot) != attachment_of(bound):
            return False
        tables.uploads[key] = renamed = replace(bound, derivatives=derivatives)
        attachments = {**profile.attachments, bound.slot: attachment_of(renamed)}
        tables.profiles[bound.owner_id] = replace(profile, attachments=attachments)
        return True

    def _usable(self, change: SlotChange) -> bool:
        if not isinstance(change.attachment, Attachment):
            return True
        upload = self._tables.uploads.get((change.profile.user_id, change.attachment.upload_id))
        ready = upload is not None and upload.state is State.READY and upload.slot is change.slot
        return upload is not None and ready and not is_expired(upload, change.now)


type _Held = Attachment | ExternalPicture | None


def _same(held: _Held, expected: _Held) -> bool:
    """Whether a slot is as a change relies on it: by upload or by URL."""
    if isinstance(held, Attachment) and isinstance(expected, Attachment):
        return held.upload_id == expected.upload_id
    return held == expected


class FakeIncoming:
    """Originals."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def fetch(self, owner_id: str, upload_id: str, limit: int) -> bytes | None:
        content = self.objects.get(keys.incoming_key(owner_id, upload_id))
        return None if content is None else content[: limit + 1]

    def discard(self, owner_id: str, upload_id: str) -> None:
        self.objects.pop(keys.incoming_key(owner_id, upload_id), None)


class FakeMedia:
    """Derivatives."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def fetch(self, upload_id: str, derivative: Derivative) -> bytes | None:
        return self.objects.get(keys.media_key(upload_id, derivative))

    def store(self, upload_id: str, contents: Sequence[tuple[Derivative, bytes]]) -> None:
        for derivative, content in contents:
            self.objects[keys.media_key(upload_id, derivative)] = content

    def discard(self, upload_id: str, derivatives: Iterable[Derivative]) -> None:
        for derivative in derivatives:
            self.objects.pop(keys.media_key(upload_id, derivative), None)

    def purge(self, upload_id: str) -> int:
        found = [key for key in self.objects if key.startswith(keys.media_prefix(upload_id))]
        for key in found:
            del self.objects[key]
        return len(found)


class FakePurgeQueue:
    """The delete queue."""

    def __init__(self) -> None:
        self.messages: list[PurgeRequest] = []
        self.refuses: set[PurgeRequest] = set()

    def enqueue(self, removed: Sequence[PurgeRequest]) -> Sequence[PurgeRequest]:
        self.messages += [each for each in removed if each not in self.refuses]
        return [each for each in removed if each in self.refuses]


class FakeRedriveQueue:
    """Events sent again."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.refuses: set[str] = set()

    def redrive(self, keys: Sequence[str]) -> Sequence[str]:
        self.keys += [key for key in keys if key not in self.refuses]
        return [key for key in keys if key in self.refuses]


class FakeListings:
    """Both buckets, listed a few objects at a time, all of them stored at the same time unless told."""

    def __init__(self, incoming: FakeIncoming, media: FakeMedia, page: int = 1000, at: datetime = NOW) -> None:
        self._incoming, self._media, self.page, self.at = incoming, media, page, at
        self.times: dict[str, datetime] = {}

    def incoming(self, after: str | None) -> Page[StoredObject]:
        return self._list(self._incoming.objects, after)

    def media(self, after: str | None) -> Page[StoredObject]:
        return self._list(self._media.objects, after)

    def derivatives(self, upload_id: str) -> frozenset[str]:
        return frozenset(key for key in self._media.objects if key.startswith(keys.media_prefix(upload_id)))

    def _list(self, objects: Iterable[str], after: str | None) -> Page[StoredObject]:
        found = sorted(key for key in objects if key > (after or ""))
        items = [StoredObject(key, self.times.get(key, self.at)) for key in found[: self.page]]
        return Page(items, items[-1].key if len(found) > self.page else None)


class FakeScans:
    """Both tables, scanned a few rows at a time."""

    def __init__(self, tables: FakeTables, page: int = 500) -> None:
        self._tables, self.page = tables, page

    def uploads(self, at: str | None, ids: UploadIdRange = ALL_UPLOAD_IDS) -> Page[Upload]:
        after, until = ids.after or "", ids.until or "g"
        page = self._scan({"\n".join(key): upload for key, upload in self._tables.uploads.items()}, at)
        return Page([each for each in page.items if after < each.upload_id <= until], page.next)

    def profiles(self, at: str | None) -> Page[Profile]:
        return self._scan(self._tables.profiles, at)

    def _scan[Item](self, rows: Mapping[str, Item], at: str | None) -> Page[Item]:
        found = sorted(key for key in rows if key > (at or ""))
        last = found[self.page - 1] if len(found) > self.page else None
        return Page([rows[key] for key in found[: self.page]], last)


class FakeCheckpoints:
    """Where passes stand."""

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


class FakeGrants:
    """Grants that say what they were asked for."""

    def presign(self, upload: Upload, signed_at: datetime, expires_at: datetime) -> PresignedPost:
        fields = {"key": keys.incoming_key(upload.owner_id, upload.upload_id), "signed": signed_at.isoformat()}
        return PresignedPost("https://uploads.example.com/", fields, expires_at)


class FakeImages:
    """Makes two derivatives out of any bytes, but for those that begin with a reason to refuse them."""

    def identify(self, content: bytes) -> ContentType:
        if content.startswith(b"text"):
            raise ImageUnacceptable(Reason.UNSUPPORTED_FORMAT)
        return ContentType.JPEG

    def render(self, content: bytes, declared: ContentType, slot: Slot) -> Rendered:
        for reason in Reason:
            if content.startswith(reason.encode()):
                raise ImageUnacceptable(reason, "as the test wants it")
        made = []
        for name, width in (("full", 512), ("thumb", 256)):
            data = f"{slot}:{name}:".encode() + content
            derivative = Derivative(name, keys.digest(data), ContentType.WEBP, width, width, len(data))
            made.append((derivative, data))
        return Rendered(declared, 40, 30, tuple(made), DecodeCost(cpu_ms=1, peak_mib=1))


def attachment_of(upload: Upload) -> Attachment:
    """What a slot holds once the upload is bound."""
    return Attachment(upload.upload_id, upload.derivatives)


def a_swap(upload: Upload, held: _Held = None, now: datetime = NOW) -> SlotChange:
    """Binding an upload to a slot that holds something, far from any limit."""
    profile = Profile(upload.owner_id)
    if held:
        profile = profile.with_attachment(upload.slot, held, NOW)
    return SlotChange(profile, upload.slot, attachment_of(upload), WriteLimit(upload.owner_id, 1000), now)
