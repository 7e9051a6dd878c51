"""Promise an upload before any byte arrives: a row that waits for it, and a grant to store it."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from profile_media.domain.errors import IdempotencyConflict, LimitExceeded, Unavailable, UploadTooLarge
from profile_media.domain.lifecycle import expiry, is_expired, is_open, post_expiry
from profile_media.domain.model import ContentType, PresignedPost, Slot, State, Upload
from profile_media.domain.policy import Lifetimes, Limits
from profile_media.domain.ports import (
    Clock,
    IdempotencyKeyInUse,
    IdempotencyRecord,
    Presigner,
    QuotaExceeded,
    QuotaUsage,
    Uploads,
)

WINDOW = timedelta(hours=1)
"""What `intents_per_hour` counts over."""

RENEWAL = timedelta(minutes=1)
"""Replays of an intent within this get the same grant, to the byte; later ones a fresh one, as grants live minutes.
Where they live less, it is half their life, so that nobody gets one that is over."""

ATTEMPTS = 4
"""A create is tried again once a lapsed key is freed or stale counts are pruned; more only where others race."""


@dataclass(frozen=True, slots=True)
class IntentRequest:
    """What a client wants to upload, for whom, and the key by which it may ask again."""

    owner_id: str
    actor_id: str
    slot: Slot
    content_type: ContentType
    content_length: int
    checksum_sha256: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A promised upload and the right to store it."""

    upload: Upload
    grant: PresignedPost


@dataclass(frozen=True, slots=True)
class IntentIssuer:
    """Makes intents."""

    promises: "PendingUploads"
    grants: Presigner

    def issue(self, request: IntentRequest) -> Intent:
        """The intent for this request, the same one again for a repeated key; raises what `promise` does."""
        upload = self.promises.create(request)
        elapsed = self.promises.clock.now() - upload.created_at
        renewal = min(RENEWAL, self.promises.lifetimes.grant / 2)
        signed_at = upload.created_at + elapsed // renewal * renewal
        expires_at = post_expiry(upload, self.promises.lifetimes, signed_at)
        return Intent(upload, self.grants.presign(upload, signed_at, expires_at))


@dataclass(frozen=True, slots=True)
class PendingUploads:
    """Makes rows for uploads to come, within limits."""

    uploads: Uploads
    clock: Clock
    limits: Limits
    lifetimes: Lifetimes

    def create(self, request: IntentRequest) -> Upload:
        """A pending upload, the same one again for a repeated key.

        Raises UploadTooLarge, IdempotencyConflict (the key came with another request) or LimitExceeded.
        """
        if request.content_length > self.limits.max_bytes[request.slot]:
            raise UploadTooLarge(self.limits.max_bytes[request.slot])
        upload = self._pending(request)
        remembered = self._remember(request, upload)
        for _ in range(ATTEMPTS):
            try:
                self.uploads.create(
                    upload,
                    remembered,
                    open_limit=self.limits.open_intents,
                    recent_limit=self.limits.intents_per_hour,
                )
            except IdempotencyKeyInUse:
                if remembered and (earlier := self._replayed(request.owner_id, remembered)):
                    return earlier
            except QuotaExceeded:
                self._make_room(request.owner_id)
            else:
                return upload
        raise Unavailable("others kept changing the owner's counts")

    def _pending(self, request: IntentRequest) -> Upload:
        now = self.clock.now()
        return Upload(
            owner_id=request.owner_id,
            upload_id=str(uuid.uuid4()),
            slot=request.slot,
            state=State.PENDING,
            content_type=request.content_type,
            content_length=request.content_length,
            checksum_sha256=request.checksum_sha256,
            created_at=now,
            expires_at=expiry(now, self.lifetimes.pending),
        )

    def _remember(self, request: IntentRequest, upload: Upload) -> IdempotencyRecord | None:
        if request.idempotency_key is None:
            return None
        return IdempotencyRecord(
            actor_id=request.actor_id,
            key_hash=_hash(request.idempotency_key),
            request_hash=_hash(
                request.owner_id,
                request.slot,
                request.content_type,
                str(request.content_length),
                request.checksum_sha256 or "",
            ),
            upload_id=upload.upload_id,
            expires_at=expiry(upload.created_at, self.lifetimes.idempotency),
        )

    def _replayed(self, owner_id: str, asked: IdempotencyRecord) -> Upload | None:
        """The upload this key made before; None, with the key freed, where that is gone by now."""
        earlier = self.uploads.find_idempotency_record(asked.actor_id, asked.key_hash)
        if earlier is None:
            return None
        if earlier.request_hash != asked.request_hash:
            raise IdempotencyConflict
        upload = self.uploads.get(owner_id, earlier.upload_id)
        if upload and not is_expired(upload, self.clock.now()):
            return upload
        self.uploads.delete_idempotency_record(earlier)
        return None

    def _make_room(self, owner_id: str) -> None:
        """Takes what is stale off the owner's counts; raises LimitExceeded where a limit is met even so."""
        now = self.clock.now()
        quota = self.uploads.quota_usage(owner_id)
        recent = {asked for asked in quota.recent if asked.at > now - WINDOW}
        if len(recent) >= self.limits.intents_per_hour:
            raise LimitExceeded("intents_per_hour", _seconds(min(asked.at for asked in recent) + WINDOW - now))
        waiting = {asked: self.uploads.get(owner_id, asked.upload_id) for asked in quota.open}
        open_ = {asked: upload for asked, upload in waiting.items() if upload and is_open(upload, now)}
        if len(open_) >= self.limits.open_intents:
            soonest = min(upload.expires_at for upload in open_.values() if upload.expires_at)
            raise LimitExceeded("open_intents", _seconds(soonest - now))
        self.uploads.remove_quota_entries(
            owner_id, QuotaUsage(open=quota.open - set(open_), recent=quota.recent - recent)
        )


def _hash(*parts: str) -> str:
    """Tells requests apart without keeping them; the separator cannot stand in any part."""
    return sha256("\0".join(parts).encode()).hexdigest()


def _seconds(wait: timedelta) -> int:
    return max(1, -int(-wait.total_seconds() // 1))
