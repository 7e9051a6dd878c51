"""Create upload intents: a pending upload row, and a presigned POST that lets the browser store the picture."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from profile_media.domain.access import Access
from profile_media.domain.errors import IdempotencyConflict, Limit, LimitExceeded, Unavailable, UploadTooLarge
from profile_media.domain.formats import ContentType
from profile_media.domain.framing import Framing, format_framing
from profile_media.domain.lifecycle import expiry, is_expired, is_open, open_until, post_expiry
from profile_media.domain.model import (
    AutoBind,
    PresignedPost,
    Slot,
    State,
    Upload,
)
from profile_media.domain.policy import Lifetimes, Limits
from profile_media.domain.ports import (
    Clock,
    IdempotencyKeyInUse,
    IdempotencyRecord,
    Presigner,
    QuotaEntry,
    QuotaExceeded,
    QuotaUsage,
    Uploads,
)

WINDOW = timedelta(hours=1)
"""The period of the limit `intents_per_hour`."""

RENEWAL = timedelta(minutes=1)
"""A repeated request within this period gets an identical presigned POST. A later one gets a new presigned POST,
because each expires within minutes. The period is half of that lifetime if that is shorter, so that no client gets an
expired one."""

ATTEMPTS = 4
"""Attempts to create an upload: deleting an expired key takes one, and removing stale quota entries another."""


@dataclass(frozen=True, slots=True)
class IntentRequest:
    """The picture that a client wants to upload."""

    slot: Slot
    content_type: ContentType
    content_length: int
    checksum_sha256: str | None = None
    idempotency_key: str | None = None
    bind: bool = False
    """Whether processing binds the upload as soon as it is ready."""
    framing: Framing = None
    alt_text: str | None = None
    trace_id: str | None = None
    """The correlation id of the client's request."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A pending upload and the presigned POST for its picture."""

    upload: Upload
    post: PresignedPost


@dataclass(frozen=True, slots=True)
class IntentIssuer:
    """Issues intents."""

    pending_uploads: "PendingUploads"
    presigner: Presigner

    def issue(self, access: Access, request: IntentRequest) -> Intent:
        """Return a new intent, or the earlier one for a repeated idempotency key.

        Raises the errors of `PendingUploads.create`.
        """
        upload = self.pending_uploads.create(access, request)
        lifetimes = self.pending_uploads.lifetimes
        elapsed = self.pending_uploads.clock.now() - upload.created_at
        renewal = min(RENEWAL, lifetimes.grant / 2)
        signed_at = upload.created_at + elapsed // renewal * renewal
        expires_at = post_expiry(upload, lifetimes, signed_at)
        return Intent(upload, self.presigner.presign(upload, signed_at, expires_at))


@dataclass(frozen=True, slots=True)
class PendingUploads:
    """Creates pending uploads within the owner's limits."""

    uploads: Uploads
    clock: Clock
    limits: Limits
    lifetimes: Lifetimes

    def create(self, access: Access, request: IntentRequest) -> Upload:
        """Create a pending upload, or return the earlier one for a repeated idempotency key.

        Raises UploadTooLarge, LimitExceeded, or IdempotencyConflict if the key was used with another request.
        """
        if request.content_length > self.limits.max_bytes[request.slot]:
            raise UploadTooLarge(self.limits.max_bytes[request.slot])
        upload = self._pending(access, request)
        record = self._idempotency_record(access, request, upload)
        for _ in range(ATTEMPTS):
            try:
                self.uploads.create(
                    upload,
                    record,
                    open_limit=self.limits.open_intents,
                    recent_limit=self.limits.intents_per_hour,
                )
            except IdempotencyKeyInUse:
                if record and (earlier := self._find_earlier(access.owner_id, record)):
                    return earlier
            except QuotaExceeded:
                self._remove_stale_entries(access.owner_id)
            else:
                return upload
        raise Unavailable("concurrent intents kept changing the owner's quota")

    def _pending(self, access: Access, request: IntentRequest) -> Upload:
        now = self.clock.now()
        return Upload(
            owner_id=access.owner_id,
            upload_id=str(uuid.uuid4()),
            slot=request.slot,
            state=State.PENDING,
            content_type=request.content_type,
            content_length=request.content_length,
            checksum_sha256=request.checksum_sha256,
            created_at=now,
            expires_at=expiry(now, self.lifetimes.pending),
            auto_bind=AutoBind(access.caller.user_id, access.caller.tenant) if request.bind else None,
            trace_id=request.trace_id,
            framing=request.framing,
            alt_text=request.alt_text,
        )

    def _idempotency_record(self, access: Access, request: IntentRequest, upload: Upload) -> IdempotencyRecord | None:
        if request.idempotency_key is None:
            return None
        return IdempotencyRecord(
            actor_id=access.caller.user_id,
            key_hash=_hash(request.idempotency_key),
            request_hash=_hash(
                access.owner_id,
                request.slot,
                request.content_type,
                str(request.content_length),
                request.checksum_sha256 or "",
                *(["bind"] if request.bind else []),
                *([format_framing(request.framing)] if request.framing else []),
                *(["alt", request.alt_text] if request.alt_text else []),
            ),
            upload_id=upload.upload_id,
            expires_at=expiry(upload.created_at, self.lifetimes.idempotency),
        )

    def _find_earlier(self, owner_id: str, record: IdempotencyRecord) -> Upload | None:
        """Return the upload that this key created before. Delete the key if that upload no longer exists."""
        earlier = self.uploads.find_idempotency_record(record.actor_id, record.key_hash)
        if earlier is None:
            return None
        if earlier.request_hash != record.request_hash:
            raise IdempotencyConflict
        upload = self.uploads.get(owner_id, earlier.upload_id)
        if upload and not is_expired(upload, self.clock.now()):
            return upload
        self.uploads.delete_idempotency_record(earlier)
        return None

    def _remove_stale_entries(self, owner_id: str) -> None:
        """Remove stale quota entries. Raises LimitExceeded if a limit is reached without them."""
        now = self.clock.now()
        quota = self.uploads.quota_usage(owner_id)
        recent = {entry for entry in quota.recent if entry.at > now - WINDOW}
        if len(recent) >= self.limits.intents_per_hour:
            first = min(entry.at for entry in recent)
            raise LimitExceeded(Limit.INTENTS_PER_HOUR, _seconds(first + WINDOW - now))
        open_ = {entry for entry in quota.open if self._is_open(owner_id, entry, now)}
        if len(open_) >= self.limits.open_intents:
            first = min(entry.at for entry in open_)
            raise LimitExceeded(Limit.OPEN_INTENTS, _seconds(open_until(first, self.lifetimes) - now))
        self.uploads.remove_quota_entries(owner_id, QuotaUsage(open=quota.open - open_, recent=quota.recent - recent))

    def _is_open(self, owner_id: str, entry: QuotaEntry, now: datetime) -> bool:
        """Return whether the entry's upload is open. Rows of old entries are not read."""
        if now >= open_until(entry.at, self.lifetimes):
            return False
        return is_open(self.uploads.get(owner_id, entry.upload_id), self.lifetimes, now)


def _hash(*parts: str) -> str:
    """Hash a request so that it can be compared without being stored. No part can contain the separator."""
    return sha256("\0".join(parts).encode()).hexdigest()


def _seconds(wait: timedelta) -> int:
    return max(1, -int(-wait.total_seconds() // 1))
