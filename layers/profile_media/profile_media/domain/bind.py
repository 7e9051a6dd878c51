"""Change what a slot points at, and delete the row of the upload it pointed at, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from profile_media.domain.access import Access
from profile_media.domain.errors import (
    AttachmentChanged,
    Limit,
    LimitExceeded,
    ReferenceInvalid,
    SlotMismatch,
    UploadNotFound,
    UploadNotReady,
    UploadRejected,
)
from profile_media.domain.keys import media_key
from profile_media.domain.lifecycle import is_expired
from profile_media.domain.model import Attachment, ChangeCount, ExternalPicture, Profile, Slot, State, Upload
from profile_media.domain.ports import Attachments, Clock, Profiles, SlotChange
from profile_media.domain.references import Reference
from profile_media.domain.users import check_tenant

ATTEMPTS = 4
"""Attempts to make one change. An attempt fails only if another change of the same user succeeded."""

type SlotContent = Attachment | ExternalPicture | None


@dataclass(frozen=True, slots=True)
class BindResult:
    """A changed slot, with what the audit record needs."""

    profile: Profile
    """The profile after the change."""
    slot: Slot
    actor_id: str
    replaced_upload_id: str | None = None

    @property
    def upload_id(self) -> str | None:
        """The upload that is bound now."""
        return self.profile.bound_upload_id(self.slot)


@dataclass(frozen=True, slots=True)
class SlotBinder:
    """Changes slots within the limit of changes per user and minute.

    Repeating a call gives the same result. Every method raises AttachmentChanged if other requests kept changing
    the user's pictures, LimitExceeded, and UserNotFound for an owner of another tenant.
    """

    attachments: Attachments
    profiles: Profiles
    clock: Clock
    per_minute: int
    """Changes of one user's pictures, whoever makes them."""

    def bind(self, access: Access, slot: Slot, reference: Reference) -> BindResult:
        """Bind the referenced upload.

        Raises UploadNotFound, SlotMismatch, UploadNotReady or UploadRejected if the upload cannot be bound, and
        ReferenceInvalid if the reference claims a binding that does not exist.
        """
        if reference.owner_id != access.owner_id:
            # Stops a caller from binding another user's upload. Its row is not even read.
            raise UploadNotFound("another owner's")
        if reference.bound_slot not in (None, slot):
            raise SlotMismatch(reference.bound_slot)

        def decide(profile: Profile, upload: Upload | None) -> SlotContent:
            content = profile.attachments.get(slot)
            if profile.bound_upload_id(slot) != reference.upload_id:
                if reference.bound_slot:
                    raise ReferenceInvalid("not bound any more")
                content = _new_attachment(upload, slot, self.clock.now())
            _check_derivative(reference, content)
            return content

        return self._change(access, slot, reference.upload_id, decide)

    def bind_external(self, access: Access, slot: Slot, url: str) -> BindResult:
        """Point the slot at a picture on another host."""
        return self._change(access, slot, None, lambda _, __: ExternalPicture(url))

    def unbind(self, access: Access, slot: Slot) -> BindResult:
        """Clear the slot."""
        return self._change(access, slot, None, lambda _, __: None)

    def _change(
        self,
        access: Access,
        slot: Slot,
        upload_id: str | None,
        decide: Callable[[Profile, Upload | None], SlotContent],
    ) -> BindResult:
        """Read, decide and write until the write succeeds. Write nothing if the slot already has the wanted content."""
        actor_id, replaced_upload_id = access.caller.user_id, None
        for _ in range(ATTEMPTS):
            profile, upload = self._read(access.owner_id, upload_id)
            check_tenant(access.caller, profile)
            content = decide(profile, upload)
            if profile.attachments.get(slot) == content:
                # After a failed attempt this can be our own write, if only its answer was lost. It replaced an upload.
                return BindResult(profile, slot, actor_id, replaced_upload_id)
            replaced_upload_id = profile.bound_upload_id(slot)
            change = self._slot_change(access, profile, slot, content)
            if self.attachments.change_slot(change):
                return BindResult(change.changed, slot, actor_id, replaced_upload_id)
        raise AttachmentChanged(slot)

    def _slot_change(self, access: Access, profile: Profile, slot: Slot, content: SlotContent) -> SlotChange:
        """Return the change. A user's own change also saves new identity fields of the user's token."""
        caller, now = access.caller, self.clock.now()
        changes = count_change(profile.changes, now, self.per_minute)
        identity = profile.identity
        if profile.user_id == caller.user_id:
            identity = identity.merged_with(caller.identity)
        news = identity if identity != profile.identity else None
        return SlotChange(profile, slot, content, changes, now, news, caller.tenant)

    def _read(self, owner_id: str, upload_id: str | None) -> tuple[Profile, Upload | None]:
        if upload_id is None:
            return self.profiles.get(owner_id), None
        return self.attachments.read(owner_id, upload_id)


def clear_unrecoverable(attachments: Attachments, clock: Clock, upload: Upload) -> bool:
    """Clear the slot of an upload whose pictures are lost. Return False if the slot does not hold it any more.

    This is the only change that the service makes by itself: no caller asks for it, so there is no access to check and
    no limit to count.
    """
    profile, _ = attachments.read(upload.owner_id, upload.upload_id)
    if profile.bound_upload_id(upload.slot) != upload.upload_id:
        return False
    return attachments.change_slot(SlotChange(profile, upload.slot, None, None, clock.now()))


def count_change(changes: ChangeCount | None, now: datetime, per_minute: int) -> ChangeCount:
    """Return the count including one more change. Raises LimitExceeded if the minute's limit is reached.

    A count of the next minute, written by a host whose clock is ahead, is continued and not reset.
    """
    seconds = int(now.timestamp())
    minute, count = seconds // 60, 0
    if changes and changes.minute in (minute, minute + 1):
        minute, count = changes.minute, changes.count
    if count >= per_minute:
        raise LimitExceeded(Limit.CHANGES_PER_MINUTE, 60 * (minute + 1) - seconds)
    return ChangeCount(minute, count + 1)


def _check_derivative(reference: Reference, content: SlotContent) -> None:
    """Raise ReferenceInvalid if the reference names a derivative that the upload does not show."""
    shown = content.shown if isinstance(content, Attachment) else ()
    if reference.media_key and reference.media_key not in {media_key(reference.upload_id, each) for each in shown}:
        raise ReferenceInvalid("no such derivative")


def _new_attachment(upload: Upload | None, slot: Slot, now: datetime) -> Attachment:
    """Return the new content of the slot. Raises if the upload is not ready, not for this slot or expired."""
    if upload is None or is_expired(upload, now):
        raise UploadNotFound("expired" if upload else "no such upload of this owner")
    if upload.slot is not slot:
        raise SlotMismatch(upload.slot)
    if upload.state is State.PENDING:
        raise UploadNotReady(upload.upload_id)
    if upload.reason:
        raise UploadRejected(upload.reason)
    return upload.attachment
