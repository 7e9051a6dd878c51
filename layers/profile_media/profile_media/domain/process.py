"""Turn an original into derivatives, write the result to the upload's row and, if the intent asked for it, bind it.

No lock is needed: rendering is deterministic, keys contain the digest of the bytes, and the result is one conditional
write. A duplicate, late or reordered event finds the upload processed, or gone, and only deletes the original.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from profile_media.domain import access
from profile_media.domain.bind import BindResult, SlotBinder
from profile_media.domain.errors import (
    AttachmentChanged,
    ErrorCode,
    ImageUnacceptable,
    LimitExceeded,
    Unavailable,
    UploadNotFound,
    UserNotFound,
)
from profile_media.domain.keys import media_key
from profile_media.domain.lifecycle import expiry, is_expired
from profile_media.domain.model import DecodeCost, Derivative, Reason, State, Upload
from profile_media.domain.policy import Lifetimes
from profile_media.domain.ports import Clock, Images, Incoming, Media, PurgeQueue, PurgeRequest, Rendered, Uploads
from profile_media.domain.references import Reference

type Contents = tuple[tuple[Derivative, bytes], ...]


class Outcome(StrEnum):
    """The outcome of processing one event."""

    READY = "ready"
    REJECTED = "rejected"
    STALE = "stale"
    """Nothing to do: the upload was processed already, or its row or its original no longer exists."""
    LOST = "lost"
    """Another event was faster, or the upload expired. The derivatives that no row names were deleted."""


@dataclass(frozen=True, slots=True)
class Processed:
    """The result of processing, for the log."""

    outcome: Outcome
    upload: Upload | None
    digest: str | None = None
    """SHA-256 of the original, in hex: identifies repeated pictures without keeping them."""
    detail: str = ""
    rendered: Rendered | None = None
    cost: DecodeCost | None = None
    """None if nothing was decoded."""
    bound: BindResult | None = None
    """Set if the upload was bound at once."""
    bind_error: ErrorCode | None = None
    """Why the upload was not bound though the intent asked for it."""


@dataclass(frozen=True, slots=True)
class IncomingProcessor:
    """Processes the originals that browsers stored."""

    incoming: Incoming
    processor: "UploadProcessor"
    binder: SlotBinder
    arrived: Callable[[Upload], None] = lambda _: None
    """Called before an original is processed; again if its event is repeated after an error."""

    def process(self, owner_id: str, upload_id: str) -> Processed:
        """Process the original of a pending upload, bind the upload if its intent says so, and delete the original."""
        upload = self.processor.uploads.get(owner_id, upload_id)
        if upload is None or is_expired(upload, self.processor.clock.now()) or upload.state is not State.PENDING:
            return self._finish(owner_id, upload_id, upload)
        original = self.incoming.fetch(owner_id, upload_id, upload.content_length)
        if original is None:
            return Processed(Outcome.STALE, upload, detail="the original is gone")
        self.arrived(upload)
        processed = self.processor.process(upload, original)
        if processed.outcome is Outcome.READY and processed.upload:
            processed = self._bind(processed, processed.upload)
        self.incoming.delete(owner_id, upload_id)
        return processed

    def _finish(self, owner_id: str, upload_id: str, upload: Upload | None) -> Processed:
        """Complete the work of an earlier event: bind a ready upload, delete the original.

        If the row is gone, its purge may have run before derivatives were stored, so it is requested again.
        """
        processed = Processed(Outcome.STALE, upload)
        if upload and upload.state is State.READY:
            processed = self._bind(processed, upload)
        self.incoming.delete(owner_id, upload_id)
        if upload is None:
            self.processor.request_purge(owner_id, upload_id)
        return processed

    def _bind(self, processed: Processed, upload: Upload) -> Processed:
        """Bind an upload whose intent asked for it. An upload that cannot be bound stays ready.

        Unavailable is not caught: the event is retried, and the next attempt binds the upload.
        """
        if upload.auto_bind is None:
            return processed
        permission = access.grant_recorded(upload.auto_bind, upload.owner_id)
        reference = Reference(upload.owner_id, upload.upload_id)
        try:
            return replace(processed, bound=self.binder.bind(permission, upload.slot, reference))
        except (AttachmentChanged, LimitExceeded, UploadNotFound, UserNotFound) as error:
            return replace(processed, bind_error=error.code)


@dataclass(frozen=True, slots=True)
class UploadProcessor:
    """Makes the derivatives of a pending upload and writes the result to its row."""

    uploads: Uploads
    media: Media
    images: Images
    purge_queue: PurgeQueue
    clock: Clock
    lifetimes: Lifetimes

    def process(self, upload: Upload, original: bytes) -> Processed:
        """Store the derivatives and mark the upload ready, or mark it rejected.

        Derivatives that are stored too late are deleted again.
        """
        result, contents, processed = self._render(upload, original)
        self.media.store(upload.upload_id, contents)
        if self.uploads.save_result(result, self.clock.now()):
            return processed
        current = self.uploads.get(upload.owner_id, upload.upload_id)
        if current == result:
            return processed  # The write succeeded, but its answer was lost.
        if current:
            # Another event wrote the row: keep the derivatives that it names.
            unnamed = set(result.derivatives) - set(current.derivatives)
            self.media.delete([media_key(upload.upload_id, each) for each in unnamed])
        else:
            self.request_purge(upload.owner_id, upload.upload_id)
        return replace(processed, outcome=Outcome.LOST)

    def request_purge(self, owner_id: str, upload_id: str) -> None:
        """Enqueue a purge of an upload whose row is gone, because the earlier purge may have run too soon."""
        if self.purge_queue.enqueue([PurgeRequest(owner_id, upload_id)]):
            raise Unavailable("the delete queue refused the request")

    def _render(self, upload: Upload, original: bytes) -> tuple[Upload, Contents, Processed]:
        """Return the upload's new row, the derivatives to store and the record for the log."""
        expires_at = expiry(self.clock.now(), self.lifetimes.settled)
        checksum = sha256(original)
        digest = checksum.hexdigest()
        try:
            _check_declared(upload, original, checksum.digest())
            rendered = self.images.render(original, upload.slot, upload.framing)
        except ImageUnacceptable as error:
            rejected = replace(upload, state=State.REJECTED, reason=error.reason, expires_at=expires_at)
            return rejected, (), Processed(Outcome.REJECTED, rejected, digest, error.detail, cost=error.cost)
        ready = replace(
            upload,
            state=State.READY,
            expires_at=expires_at,
            content_type=rendered.content_type,
            width=rendered.width,
            height=rendered.height,
            derivatives=tuple(derivative for derivative, _ in rendered.derivatives),
            placeholder=rendered.placeholder,
        )
        processed = Processed(Outcome.READY, ready, digest, rendered=rendered, cost=rendered.cost)
        return ready, rendered.derivatives, processed


def _check_declared(upload: Upload, original: bytes, digest: bytes) -> None:
    """Check the declared length and checksum, in case the object was stored without the presigned POST."""
    if len(original) > upload.content_length:
        raise ImageUnacceptable(Reason.TOO_LARGE, f"more than {upload.content_length} bytes")
    if upload.checksum_sha256 and b64encode(digest).decode() != upload.checksum_sha256:
        raise ImageUnacceptable(Reason.CHECKSUM_MISMATCH)
