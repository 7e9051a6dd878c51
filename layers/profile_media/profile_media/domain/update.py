"""Change how a processed upload is shown: crop its picture again, or describe it.

The new derivatives get keys of their own and are stored first. One transaction then changes the upload's row and, if
the upload is bound, its slot, on condition that both are as they were read. Only after that the replaced objects are
queued for deletion. After a crash in between, `reconcile` finds the objects that no row names.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from profile_media.domain.access import Access
from profile_media.domain.bind import ATTEMPTS, count_change
from profile_media.domain.errors import (
    AttachmentChanged,
    CropUnavailable,
    ImageUnacceptable,
    Unavailable,
    UploadNotFound,
    UploadNotReady,
    UploadRejected,
)
from profile_media.domain.framing import Crop, Framing, scale_framing
from profile_media.domain.keys import media_key, with_new_digest
from profile_media.domain.lifecycle import is_expired
from profile_media.domain.model import MASTER, Derivative, Profile, Reason, State, Upload
from profile_media.domain.ports import (
    Attachments,
    Clock,
    Images,
    Media,
    PurgeQueue,
    PurgeRequest,
    Rendered,
    Revision,
    Uploads,
)
from profile_media.domain.users import check_tenant


class Unchanged(Enum):
    """The type of UNCHANGED."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
"""What a request does not mention. None is a value: the default crop, or no text."""


@dataclass(frozen=True, slots=True)
class UploadChange:
    """What a request changes of an upload."""

    framing: Framing | Unchanged = UNCHANGED
    alt_text: str | Unchanged | None = UNCHANGED

    def apply(self, upload: Upload) -> Upload:
        """Return the upload with these values. Its derivatives are not changed."""
        framing = upload.framing if isinstance(self.framing, Unchanged) else self.framing
        alt_text = upload.alt_text if isinstance(self.alt_text, Unchanged) else self.alt_text
        return replace(upload, framing=framing, alt_text=alt_text)


@dataclass(frozen=True, slots=True)
class UploadUpdater:
    """Changes uploads within the limit of changes per user and minute. Repeating a call gives the same result."""

    uploads: Uploads
    attachments: Attachments
    media: Media
    images: Callable[[], Images]
    """Called when a picture is cropped. Changing a text needs no decoder."""
    purge_queue: PurgeQueue
    clock: Clock
    per_minute: int
    """Changes of one user's pictures. Those of an upload that is not bound do not count."""

    def update(self, access: Access, upload_id: str, change: UploadChange) -> Upload:
        """Change the owner's upload and return it.

        Raises UploadNotFound, UploadNotReady or UploadRejected for an upload that has no derivatives, ImageUnacceptable
        for a crop outside of the picture, CropUnavailable if the picture is not kept, LimitExceeded, AttachmentChanged
        if other requests kept changing the upload, and UserNotFound for an owner of another tenant.
        """
        for _ in range(ATTEMPTS):
            profile, found = self.attachments.read(access.owner_id, upload_id)
            check_tenant(access.caller, profile)
            upload = self._require_processed(found)
            if change.apply(upload) == upload:
                return upload  # After a failed attempt this can be our own write, if only its answer was lost.
            if updated := self._try(profile, upload, change.apply(upload)):
                return updated
        raise AttachmentChanged(upload.slot)

    def _require_processed(self, upload: Upload | None) -> Upload:
        if upload is None or is_expired(upload, self.clock.now()):
            raise UploadNotFound("expired" if upload else "no such upload of this owner")
        if upload.state is State.PENDING:
            raise UploadNotReady(upload.upload_id)
        if upload.reason:
            raise UploadRejected(upload.reason)
        return upload

    def _try(self, profile: Profile, upload: Upload, wanted: Upload) -> Upload | None:
        """Store derivatives of a new crop and write the row. Return None if something was changed meanwhile."""
        now, changes = self.clock.now(), None
        if upload.state is State.BOUND:
            changes = count_change(profile.changes, now, self.per_minute)
        revised = wanted if wanted.framing == upload.framing else self._crop_again(upload, wanted)
        if self.attachments.revise(Revision(profile, upload, revised, changes, now)):
            self._purge(upload, revised)
            return revised
        current = self.uploads.get(upload.owner_id, upload.upload_id)
        made = set(revised.derivatives) - set(upload.derivatives)
        if current and made.intersection(current.derivatives):
            self._purge(upload, current)  # The write succeeded, but its answer was lost.
            return current
        self._purge(revised, upload)
        return None

    def _crop_again(self, upload: Upload, wanted: Upload) -> Upload:
        """Make the derivatives from the master and store them."""
        rendered = self._render(upload, wanted.framing)
        shown = [(with_new_digest(each, data), data) for each, data in rendered.derivatives if each.name != MASTER]
        self.media.store(upload.upload_id, shown)
        kept = tuple(each for each in upload.derivatives if each.name == MASTER)
        return replace(wanted, derivatives=(*(each for each, _ in shown), *kept), placeholder=rendered.placeholder)

    def _render(self, upload: Upload, framing: Framing) -> Rendered:
        original = (upload.width or 0, upload.height or 0)
        if isinstance(framing, Crop) and not framing.fits(original):
            raise ImageUnacceptable(Reason.CROP_OUTSIDE, f"{framing} of {original[0]} x {original[1]}")
        master = next((each for each in upload.derivatives if each.name == MASTER), None)
        content = self.media.fetch(upload.upload_id, master) if master else None
        if master is None or content is None:
            raise CropUnavailable(upload.upload_id)
        scaled = scale_framing(framing, original, (master.width, master.height))
        try:
            return self.images().render(content, upload.slot, scaled)
        except ImageUnacceptable as unreadable:
            raise CropUnavailable(upload.upload_id) from unreadable

    def _purge(self, replaced: Upload, current: Upload) -> None:
        """Queue the objects of derivatives that are not current any more."""
        gone: list[Derivative] = [each for each in replaced.derivatives if each not in current.derivatives]
        keys = tuple(media_key(replaced.upload_id, each) for each in gone)
        request = PurgeRequest(replaced.owner_id, replaced.upload_id, keys, replaced.trace_id)
        if keys and self.purge_queue.enqueue([request]):
            raise Unavailable("the delete queue refused the request")
