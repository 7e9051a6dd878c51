"""Repair a bound upload whose derivatives are missing: make them again, or clear its slot."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from profile_media.domain.bind import clear_unrecoverable
from profile_media.domain.errors import ImageUnacceptable, Unavailable
from profile_media.domain.findings import RepairAction
from profile_media.domain.framing import scale_framing
from profile_media.domain.keys import media_key, possible_keys, with_new_digest
from profile_media.domain.model import MASTER, Derivative, Profile, Upload
from profile_media.domain.ports import Attachments, Clock, Images, Media, PurgeQueue, PurgeRequest, Revision, Uploads


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

        A missing master alone changes nothing, because no client sees it. A missing animated derivative is removed from
        the row, because only the original, which is gone, could replace it.
        """
        missing = [each for each in upload.shown if media_key(upload.upload_id, each) not in present]
        lost = [each for each in missing if not each.is_animated]
        if not lost:
            return self._drop(upload, missing) if missing else None
        master = next((each for each in upload.derivatives if each.name == MASTER), None)
        content = None
        if master and not present.isdisjoint(possible_keys(upload.upload_id, master)):
            content = self.media.fetch(upload.upload_id, master)
        if master is None or content is None:
            return RepairAction.CLEARED if clear_unrecoverable(self.attachments, self.clock, upload) else None
        return self._remake(upload, lost, content, master)

    def discard(self, upload: Upload, keys: tuple[str, ...]) -> RepairAction:
        """Queue the deletion of objects that the upload does not name."""
        if self.purge_queue.enqueue([PurgeRequest(upload.owner_id, upload.upload_id, keys, upload.trace_id)]):
            raise Unavailable("the delete queue refused the request")
        return RepairAction.QUEUED

    def _drop(self, upload: Upload, missing: list[Derivative]) -> RepairAction | None:
        """Remove derivatives from the row and the slot, unless either has changed meanwhile."""
        kept = tuple(each for each in upload.derivatives if each not in missing)
        revision = Revision(Profile(upload.owner_id), upload, replace(upload, derivatives=kept), None, self.clock.now())
        return RepairAction.DROPPED if self.attachments.revise(revision) else None

    def _remake(
        self, upload: Upload, lost: list[Derivative], content: bytes, master: Derivative
    ) -> RepairAction | None:
        """Make the lost derivatives from the master. A master that cannot be decoded is left for an operator."""
        try:
            size = (upload.width or master.width, upload.height or master.height)
            framing = scale_framing(upload.framing, size, (master.width, master.height))
            rendered = self.images().render(content, upload.slot, framing)
        except ImageUnacceptable:
            return None
        wanted = {each.name for each in lost}
        remade = {
            made.name: (with_new_digest(made, data), data) for made, data in rendered.derivatives if made.name in wanted
        }
        if remade.keys() != wanted:
            return None
        self.media.store(upload.upload_id, [*remade.values()])
        derivatives = tuple(remade[each.name][0] if each.name in remade else each for each in upload.derivatives)
        revised = replace(upload, derivatives=derivatives)
        profile = Profile(upload.owner_id)  # The change is not counted, so nothing else of the profile matters.
        if self.attachments.revise(Revision(profile, upload, revised, None, self.clock.now())):
            return RepairAction.REMADE
        return self._check_replaced(upload, tuple(made for made, _ in remade.values()))

    def _check_replaced(self, upload: Upload, made: tuple[Derivative, ...]) -> RepairAction | None:
        """Find out why the row was not written, and purge what was made if the row does not name it.

        If the row is gone, its purge may have run before the objects existed.
        """
        current = self.uploads.get(upload.owner_id, upload.upload_id)
        if current and set(made).intersection(current.derivatives):
            return RepairAction.REMADE
        keys = tuple(media_key(upload.upload_id, each) for each in made) if current else None
        if self.purge_queue.enqueue([PurgeRequest(upload.owner_id, upload.upload_id, keys, upload.trace_id)]):
            raise Unavailable("the delete queue refused the request")
        return None
