"""Purge derivatives that have no row.

**Objects of an upload that has a row are never queued for deletion.** `merge` collects suspects: uploads that have
objects but no row in the index. The index is eventually consistent and leaves out rows of version 0.1.0, so one
strongly consistent scan of the table removes every suspect that has a row. Rows are written before their objects and
upload ids are never used twice, so the remaining suspects will never have a row.

Most suspects are about to be purged anyway. They are checked after the grace period of a purge, and only those that
still have objects are findings.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from profile_media.domain.errors import Unavailable
from profile_media.domain.findings import Finding, FindingKind, GracePeriods, PageResult, RepairAction, Report
from profile_media.domain.ports import Checkpoint, Clock, ObjectListings, PurgeQueue, PurgeRequest, TableScans

SUSPECTS_PER_PAGE = 100
"""Each costs one listing."""


@dataclass(frozen=True, slots=True)
class OrphansCheck:
    """Confirms suspects and enqueues their purge."""

    listings: ObjectListings
    scans: TableScans
    purge_queue: PurgeQueue
    clock: Clock
    grace: GracePeriods
    report: Report
    repairs: bool

    def confirm_page(self, checkpoint: Checkpoint) -> PageResult | None:
        """Remove suspects that are in one page of the scan. Return None while their purges may still be queued."""
        suspects = checkpoint.suspects
        if not suspects:
            return PageResult((), None)
        if checkpoint.suspected_at and self.clock.now() < checkpoint.suspected_at + self.grace.purge:
            return None
        page = self.scans.upload_ids(checkpoint.position)
        named = frozenset(page.items)
        left = tuple(upload_id for upload_id in suspects if upload_id not in named)
        return PageResult((), page.next if left else None, left)

    def purge_page(self, checkpoint: Checkpoint) -> PageResult:
        """Enqueue the purge of suspects that still have objects."""
        checked, rest = checkpoint.suspects[:SUSPECTS_PER_PAGE], checkpoint.suspects[SUSPECTS_PER_PAGE:]
        orphans = {upload_id: keys for upload_id in checked if (keys := self.listings.derivatives(upload_id))}
        mended = self._enqueue(orphans) if self.repairs and orphans else None
        findings = [
            Finding(FindingKind.OBJECTS_WITHOUT_ROW, upload_id=upload_id, detail=f"{len(keys)} objects", mended=mended)
            for upload_id, keys in orphans.items()
        ]
        for finding in findings:
            self.report(finding)
        return PageResult(findings, "more" if rest else None, rest)

    def _enqueue(self, orphans: Mapping[str, object]) -> RepairAction:
        if self.purge_queue.enqueue([PurgeRequest(None, upload_id) for upload_id in orphans]):
            raise Unavailable("the delete queue refused some requests")
        return RepairAction.QUEUED
