"""Point a slot at a ready upload, and let go of the picture it replaces, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from profile_media.domain.errors import (
    AttachmentChanged,
    ReferenceInvalid,
    SlotMismatch,
    UploadNotFound,
    UploadNotReady,
    UploadRejected,
)
from profile_media.domain.lifecycle import is_gone
from profile_media.domain.model import Attachment, Profile, Slot, State, Upload
from profile_media.domain.ports import Attachments, Clock, Swap
from profile_media.domain.references import Reference

ATTEMPTS = 4
"""Each lost race means that another bind of the same user won, so several in a row are rare."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The profile after a bind, and the upload it let go of."""

    profile: Profile
    superseded: str | None = None


def bind(attachments: Attachments, clock: Clock, owner_id: str, slot: Slot, reference: Reference) -> Bound:
    """Binds the referenced upload; the same call twice gives the same answer.

    Raises UploadNotFound, SlotMismatch, UploadNotReady or UploadRejected where the upload will not do, ReferenceInvalid
    where the reference claims a binding that is not, and AttachmentChanged where others kept changing the slot.
    """
    if reference.owner_id != owner_id:
        # Stops a caller from binding what another user uploaded; that row is never even looked for.
        raise UploadNotFound("another owner's")
    if reference.bound_slot not in (None, slot):
        raise SlotMismatch(reference.bound_slot)
    superseded = None
    for _ in range(ATTEMPTS):
        profile, upload = attachments.read(owner_id, reference.upload_id)
        if profile.bound_to(slot) == reference.upload_id:
            return Bound(profile, superseded)
        if reference.bound_slot:
            raise ReferenceInvalid("not bound any more")
        now = clock.now()
        attachment = _attachable(upload, slot, now)
        superseded = profile.bound_to(slot)
        if attachments.swap(Swap(owner_id, slot, attachment, superseded, now)):
            return Bound(profile.with_attachment(slot, attachment, now), superseded)
    raise AttachmentChanged(slot)


def _attachable(upload: Upload | None, slot: Slot, now: datetime) -> Attachment:
    """What the slot will hold; raises where the upload is not ready, for this slot, and there to stay."""
    if upload is None or is_gone(upload, now):
        raise UploadNotFound("expired" if upload else "no such upload of this owner")
    if upload.slot is not slot:
        raise SlotMismatch(upload.slot)
    if upload.state is State.PENDING:
        raise UploadNotReady(upload.upload_id)
    if upload.reason:
        raise UploadRejected(upload.reason)
    return Attachment(upload.upload_id, upload.derivatives)
