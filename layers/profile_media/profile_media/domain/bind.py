"""Point a slot at a picture, or at none, and let go of the one it held, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from profile_media.domain.errors import (
    AttachmentChanged,
    LimitExceeded,
    ReferenceInvalid,
    SlotMismatch,
    UploadNotFound,
    UploadNotReady,
    UploadRejected,
)
from profile_media.domain.keys import media_key
from profile_media.domain.lifecycle import is_expired
from profile_media.domain.model import Attachment, Caller, ExternalPicture, Profile, Slot, State, Upload
from profile_media.domain.ports import Attachments, Clock, Profiles, SlotChange, SlotChangeResult, WriteLimit
from profile_media.domain.references import Reference
from profile_media.domain.users import check_tenant

ATTEMPTS = 4
"""Each lost race means that another bind of the same user won, so several in a row are rare."""

type Held = Attachment | ExternalPicture | None


@dataclass(frozen=True, slots=True)
class BindResult:
    """The profile after a change, and the upload that was let go of."""

    profile: Profile
    replaced_upload_id: str | None = None


@dataclass(frozen=True, slots=True)
class SlotBinder:
    """Changes slots, within the caller's limit.

    The same call twice gives the same answer. Raises AttachmentChanged where others kept changing the slot, and
    LimitExceeded where the caller makes too many changes, and UserNotFound for a user of another tenant.
    """

    attachments: Attachments
    profiles: Profiles
    clock: Clock
    caller: Caller
    per_minute: int
    """Changes that the caller may make."""

    def bind(self, owner_id: str, slot: Slot, reference: Reference) -> BindResult:
        """Binds the referenced upload.

        Raises UploadNotFound, SlotMismatch, UploadNotReady or UploadRejected where the upload will not do, and
        ReferenceInvalid where the reference claims a binding that is not.
        """
        if reference.owner_id != owner_id:
            # Stops a caller from binding what another user uploaded; that row is never even looked for.
            raise UploadNotFound("another owner's")
        if reference.bound_slot not in (None, slot):
            raise SlotMismatch(reference.bound_slot)

        def wanted(profile: Profile, upload: Upload | None) -> Held:
            held = profile.attachments.get(slot)
            if profile.bound_upload_id(slot) != reference.upload_id:
                if reference.bound_slot:
                    raise ReferenceInvalid("not bound any more")
                held = _attachable(upload, slot, self.clock.now())
            _check_derivative(reference, held)
            return held

        return self._change(owner_id, slot, reference.upload_id, wanted)

    def bind_external(self, owner_id: str, slot: Slot, url: str) -> BindResult:
        """Points the slot at a picture elsewhere."""
        return self._change(owner_id, slot, None, lambda _, __: ExternalPicture(url))

    def unbind(self, owner_id: str, slot: Slot) -> BindResult:
        """Clears the slot."""
        return self._change(owner_id, slot, None, lambda _, __: None)

    def _change(
        self, owner_id: str, slot: Slot, upload_id: str | None, wanted: Callable[[Profile, Upload | None], Held]
    ) -> BindResult:
        """Brings the slot to what is wanted, reading back after each lost race; no write where it is so already."""
        replaced_upload_id = None
        for _ in range(ATTEMPTS):
            profile, upload = self._read(owner_id, upload_id)
            check_tenant(self.caller, profile)
            attachment = wanted(profile, upload)
            held = profile.attachments.get(slot)
            if held == attachment:
                return BindResult(profile, replaced_upload_id)
            replaced_upload_id = profile.bound_upload_id(slot)
            swap = self._swap(profile, slot, attachment)
            match self.attachments.change_slot(swap):
                case SlotChangeResult.DONE:
                    return BindResult(swap.changed, replaced_upload_id)
                case SlotChangeResult.LIMITED:
                    raise LimitExceeded("changes_per_minute", 60 - swap.now.second)
        raise AttachmentChanged(slot)

    def _swap(self, profile: Profile, slot: Slot, attachment: Held) -> SlotChange:
        """The change; a caller's own also brings the row up to date with the caller's token."""
        limit, now = WriteLimit(self.caller.user_id, self.per_minute), self.clock.now()
        if profile.user_id != self.caller.user_id:
            return SlotChange(profile, slot, attachment, limit, now, tenant=self.caller.tenant)
        identity = profile.identity.merged_with(self.caller.identity)
        news = identity if identity != profile.identity else None
        return SlotChange(profile, slot, attachment, limit, now, news, self.caller.tenant)

    def _read(self, owner_id: str, upload_id: str | None) -> tuple[Profile, Upload | None]:
        if upload_id is None:
            return self.profiles.get(owner_id), None
        return self.attachments.read(owner_id, upload_id)


def _check_derivative(reference: Reference, held: Held) -> None:
    """A reference that names a derivative must name one of those the upload has to show."""
    shown = held.shown if isinstance(held, Attachment) else ()
    if reference.media_key and reference.media_key not in {media_key(reference.upload_id, each) for each in shown}:
        raise ReferenceInvalid("no such derivative")


def _attachable(upload: Upload | None, slot: Slot, now: datetime) -> Attachment:
    """What the slot will hold; raises where the upload is not ready, for this slot, and there to stay."""
    if upload is None or is_expired(upload, now):
        raise UploadNotFound("expired" if upload else "no such upload of this owner")
    if upload.slot is not slot:
        raise SlotMismatch(upload.slot)
    if upload.state is State.PENDING:
        raise UploadNotReady(upload.upload_id)
    if upload.reason:
        raise UploadRejected(upload.reason)
    return Attachment(upload.upload_id, upload.derivatives)
