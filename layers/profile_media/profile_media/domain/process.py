"""Turn a received picture into derivatives, and settle its upload.

Needs no lock: rendering is deterministic, keys name the bytes, and the last step is one conditional write. Events that
are duplicated, late or out of order find the upload settled, or gone, and only clear away what came in.
"""

from base64 import b64encode
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from profile_media.domain.errors import ImageUnacceptable, Unavailable
from profile_media.domain.lifecycle import expiry, is_expired
from profile_media.domain.model import DecodeCost, Derivative, Reason, State, Upload
from profile_media.domain.policy import Lifetimes
from profile_media.domain.ports import Clock, Images, Incoming, Media, PurgeQueue, PurgeRequest, Rendered, Uploads

type Contents = tuple[tuple[Derivative, bytes], ...]


class Outcome(StrEnum):
    """What processing an event came to."""

    READY = "ready"
    REJECTED = "rejected"
    STALE = "stale"
    """The upload was settled already, is gone, or its picture is: there was nothing to do."""
    LOST = "lost"
    """Another event, or time, settled the upload meanwhile; what was stored in vain is gone."""


@dataclass(frozen=True, slots=True)
class Processed:
    """What happened, for the log."""

    outcome: Outcome
    upload: Upload | None
    digest: str | None = None
    """Of the original, in hex; tells repeated pictures apart without keeping them."""
    detail: str = ""
    rendered: Rendered | None = None
    cost: DecodeCost | None = None
    """Of decoding it; None where it did not come to that."""


@dataclass(frozen=True, slots=True)
class IncomingProcessor:
    """Settles the uploads that browsers stored pictures for."""

    incoming: Incoming
    settling: "UploadProcessor"

    def process(self, owner_id: str, upload_id: str) -> Processed:
        """Makes the derivatives of a pending upload and marks it ready, or rejected; the original goes either way."""
        upload = self.settling.uploads.get(owner_id, upload_id)
        if upload is None or is_expired(upload, self.settling.clock.now()) or upload.state is not State.PENDING:
            self._clear(owner_id, upload_id, upload)
            return Processed(Outcome.STALE, upload)
        original = self.incoming.fetch(owner_id, upload_id, upload.content_length)
        if original is None:
            return Processed(Outcome.STALE, upload, detail="the original is gone")
        processed = self.settling.settle(upload, original)
        self.incoming.discard(owner_id, upload_id)
        return processed

    def _clear(self, owner_id: str, upload_id: str, upload: Upload | None) -> None:
        """Deletes the original. Where the row is gone its purge may have passed already, so another one follows."""
        self.incoming.discard(owner_id, upload_id)
        if upload is None:
            self.settling.purge_again(owner_id, upload_id)


@dataclass(frozen=True, slots=True)
class UploadProcessor:
    """Makes of an original what becomes of its upload."""

    uploads: Uploads
    media: Media
    images: Images
    purge_queue: PurgeQueue
    clock: Clock
    lifetimes: Lifetimes

    def settle(self, upload: Upload, original: bytes) -> Processed:
        """Stores the derivatives and marks a pending upload ready, or rejected; takes back what comes too late."""
        settled, contents, processed = self._render(upload, original)
        self.media.store(upload.upload_id, contents)
        if self.uploads.settle(settled, self.clock.now()):
            return processed
        current = self.uploads.get(upload.owner_id, upload.upload_id)
        if current == settled:
            return processed  # The write got through, and its answer was lost on the way.
        if current:
            # What the row names by now is another event's doing, and stays.
            self.media.discard(upload.upload_id, set(settled.derivatives) - set(current.derivatives))
        else:
            self.purge_again(upload.owner_id, upload.upload_id)
        return replace(processed, outcome=Outcome.LOST)

    def purge_again(self, owner_id: str, upload_id: str) -> None:
        """Queues an upload whose row is gone, in case its purge has passed already."""
        if self.purge_queue.enqueue([PurgeRequest(owner_id, upload_id)]):
            raise Unavailable("the delete queue took nothing")

    def _render(self, upload: Upload, original: bytes) -> tuple[Upload, Contents, Processed]:
        """The upload as it will be, what to store for it, and the record of how it came to that."""
        expires_at = expiry(self.clock.now(), self.lifetimes.settled)
        digest = sha256(original)
        try:
            _check_promise(upload, original, digest.digest())
            rendered = self.images.render(original, upload.content_type, upload.slot)
        except ImageUnacceptable as error:
            rejected = replace(upload, state=State.REJECTED, reason=error.reason, expires_at=expires_at)
            return (
                rejected,
                (),
                Processed(Outcome.REJECTED, rejected, digest.hexdigest(), error.detail, cost=error.cost),
            )
        ready = replace(
            upload,
            state=State.READY,
            expires_at=expires_at,
            width=rendered.width,
            height=rendered.height,
            derivatives=tuple(derivative for derivative, _ in rendered.derivatives),
        )
        processed = Processed(Outcome.READY, ready, digest.hexdigest(), rendered=rendered, cost=rendered.cost)
        return ready, rendered.derivatives, processed


def _check_promise(upload: Upload, original: bytes, digest: bytes) -> None:
    """The bytes must be those the grant was for; S3 saw to it, unless something else wrote here."""
    if len(original) > upload.content_length:
        raise ImageUnacceptable(Reason.TOO_LARGE, f"more than {upload.content_length} bytes")
    if upload.checksum_sha256 and b64encode(digest).decode() != upload.checksum_sha256:
        raise ImageUnacceptable(Reason.CHECKSUM_MISMATCH)
