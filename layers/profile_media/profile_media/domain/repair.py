"""Repair a bound upload whose derivatives are missing: make them again, or clear its slot."""

from collections.abc import Callable
from dataclasses import dataclass

from profile_media.domain.bind import clear_unrecoverable
from profile_media.domain.errors import ImageUnacceptable, Unavailable
from profile_media.domain.findings import RepairAction
from profile_media.domain.keys import media_key, possible_keys
from profile_media.domain.model import MASTER, Derivative, Upload
from profile_media.domain.ports import Attachments, Clock, Images, Media, PurgeQueue, PurgeRequest, Uploads


@dataclass(frozen=True, slots=True)
class Repair:
    """Restores what a slot shows.

    Deletes no object, and clears a slot only if its picture cannot be restored.
    """

    uploads: Uploads
    attachments: Attachments
    media: Media
    images: Callable[[], Images]
    """Called when the first picture is made, because most runs make none."""
    purge_queue: PurgeQueue
    clock: Clock

    def restore(self, upload: Upload, present: frozenset[str]) -> RepairAction | None:
        """Make the missing derivatives of a bound upload, given the keys that exist. Return None if nothing changed.

        A missing master alone changes nothing, because no client sees it.
        """
        lost = [each for each in upload.shown if media_key(upload.upload_id, each) not in present]
        if not lost:
            return None
        master = next((each for each in upload.derivatives if each.name == MASTER), None)
        content = None
        if master and not present.isdisjoint(possible_keys(upload.upload_id, master)):
            content = self.media.fetch(upload.upload_id, master)
        if master is None or content is None:
            return RepairAction.CLEARED if clear_unrecoverable(self.attachments, self.clock, upload) else None
        return self._remake(upload, lost, content, master)

    def _remake(
        self, upload: Upload, lost: list[Derivative], content: bytes, master: Derivative
    ) -> RepairAction | None:
        """Make the lost derivatives from the master. A master that cannot be decoded is left for an operator."""
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
        if self.attachments.replace_derivatives(upload, derivatives):
            return RepairAction.REMADE
        return self._check_replaced(upload, derivatives)

    def _check_replaced(self, upload: Upload, derivatives: tuple[Derivative, ...]) -> RepairAction | None:
        """Find out why the row was not written. If it is gone, its purge may have run before the objects existed."""
        current = self.uploads.get(upload.owner_id, upload.upload_id)
        if current is None and self.purge_queue.enqueue([PurgeRequest(upload.owner_id, upload.upload_id)]):
            raise Unavailable("the delete queue refused the request")
        return RepairAction.REMADE if current and current.derivatives == derivatives else None
