"""Put right a bound upload whose pictures are missing: make them anew, or show none."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from profile_media.domain.errors import ImageUnacceptable, Unavailable
from profile_media.domain.keys import media_key
from profile_media.domain.model import MASTER, Derivative, Upload
from profile_media.domain.ports import (
    Attachments,
    Clock,
    Images,
    Media,
    PurgeQueue,
    PurgeRequest,
    SlotChange,
    SlotChangeResult,
    Uploads,
)


class RepairAction(StrEnum):
    """What was done about a finding."""

    REDRIVEN = "redriven"
    """The original's event was queued again."""
    QUEUED = "queued"
    """The upload is on the delete queue."""
    REMADE = "remade"
    """What was missing was made from the master."""
    CLEARED = "cleared"
    """The slot is empty, and the upload's row is gone."""


@dataclass(frozen=True, slots=True)
class Repair:
    """Restores what a slot shows.

    Deletes no object, and clears a slot only where it shows a picture that is gone for good.
    """

    uploads: Uploads
    attachments: Attachments
    media: Media
    images: Callable[[], Images]
    """Made when the first picture is: most runs have none to make."""
    purge_queue: PurgeQueue
    clock: Clock

    def restore(self, upload: Upload, present: frozenset[str]) -> RepairAction | None:
        """Makes the missing derivatives of a bound upload, given the keys that are there; None where nothing was done.

        Only the master missing is no reason to touch anything: what is shown is all there.
        """
        lost = [each for each in upload.shown if media_key(upload.upload_id, each) not in present]
        if not lost:
            return None
        master = next((each for each in upload.derivatives if each.name == MASTER), None)
        content = None
        if master and media_key(upload.upload_id, master) in present:
            content = self.media.fetch(upload.upload_id, master)
        if master is None or content is None:
            return self._clear(upload)
        return self._remake(upload, lost, content, master)

    def _remake(
        self, upload: Upload, lost: list[Derivative], content: bytes, master: Derivative
    ) -> RepairAction | None:
        """A master that cannot be decoded stays as it is, for a person to look at."""
        try:
            rendered = self.images().render(content, master.content_type, upload.slot)
        except ImageUnacceptable:
            return None
        wanted = {each.name for each in lost}
        remade = {made.name: (made, data) for made, data in rendered.derivatives if made.name in wanted}
        if remade.keys() != wanted:
            return None
        self.media.store(upload.upload_id, [*remade.values()])
        derivatives = tuple(remade[each.name][0] if each.name in remade else each for each in upload.derivatives)
        if self.attachments.rename(upload, derivatives):
            return RepairAction.REMADE
        return self._take_back(upload, derivatives)

    def _take_back(self, upload: Upload, derivatives: tuple[Derivative, ...]) -> RepairAction | None:
        """Where the row went meanwhile its purge may have passed already, so another one follows."""
        current = self.uploads.get(upload.owner_id, upload.upload_id)
        if current is None and self.purge_queue.enqueue([PurgeRequest(upload.owner_id, upload.upload_id)]):
            raise Unavailable("the delete queue took nothing")
        return RepairAction.REMADE if current and current.derivatives == derivatives else None

    def _clear(self, upload: Upload) -> RepairAction | None:
        """As its user would take the picture off, if the slot still holds this upload."""
        profile, _ = self.attachments.read(upload.owner_id, upload.upload_id)
        if profile.bound_upload_id(upload.slot) != upload.upload_id:
            return None
        swap = SlotChange(profile, upload.slot, None, None, self.clock.now())
        return RepairAction.CLEARED if self.attachments.change_slot(swap) is SlotChangeResult.DONE else None
