"""Find originals whose event was lost, and originals that were not deleted."""

from dataclasses import dataclass, replace

from profile_media.domain.findings import Finding, FindingKind, GracePeriods, PageResult, RepairAction, Report
from profile_media.domain.keys import parse_incoming_key
from profile_media.domain.lifecycle import is_pending
from profile_media.domain.ports import Checkpoint, Clock, ObjectListings, RedriveQueue, StoredObject, Uploads


@dataclass(frozen=True, slots=True)
class OriginalsCheck:
    """Checks `incoming/` and enqueues the event of every original that was stored too long ago.

    Repeating the event is always safe: processing deletes an original whose upload is not pending.
    """

    listings: ObjectListings
    uploads: Uploads
    redrive_queue: RedriveQueue
    clock: Clock
    grace: GracePeriods
    report: Report

    def check_page(self, checkpoint: Checkpoint) -> PageResult:
        """Check one page of the listing."""
        page = self.listings.incoming(checkpoint.position)
        found = [finding for stored in page.items if (finding := self._check(stored))]
        keys = [finding.key for finding in found if finding.key and finding.upload_id]
        refused = set(self.redrive_queue.redrive(keys)) if keys else set()
        findings = [
            replace(finding, mended=RepairAction.REDRIVEN)
            if finding.upload_id and finding.key not in refused
            else finding
            for finding in found
        ]
        for finding in findings:
            self.report(finding)
        return PageResult(findings, page.next)

    def _check(self, stored: StoredObject) -> Finding | None:
        now = self.clock.now()
        if stored.at > now - self.grace.event:
            return None
        owned = parse_incoming_key(stored.key)
        if owned is None:
            return Finding(FindingKind.KEY_UNKNOWN, key=stored.key)
        upload = self.uploads.get(*owned)
        if is_pending(upload, now):
            return Finding(FindingKind.EVENT_LOST, *owned, key=stored.key)
        if stored.at > now - self.grace.original:
            return None
        state = upload.state.value if upload else "no row"
        return Finding(FindingKind.ORIGINAL_LEFT, *owned, key=stored.key, detail=state)
