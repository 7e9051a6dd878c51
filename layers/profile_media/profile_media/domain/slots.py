"""Find slots that hold an upload which is not bound, or whose derivatives differ from its row."""

from dataclasses import dataclass

from profile_media.domain.findings import Finding, FindingKind, PageResult, Report
from profile_media.domain.model import Attachment, Slot, State, Upload
from profile_media.domain.ports import Attachments, Checkpoint, TableScans, Uploads


@dataclass(frozen=True, slots=True)
class SlotsCheck:
    """Checks all profiles against the rows of their uploads."""

    scans: TableScans
    uploads: Uploads
    attachments: Attachments
    report: Report

    def check_page(self, checkpoint: Checkpoint) -> PageResult:
        """Check one page of profiles."""
        page = self.scans.profiles(checkpoint.position)
        findings = [
            Finding(FindingKind.SLOT_WITHOUT_ROW, profile.user_id, content.upload_id, slot=slot)
            for profile in page.items
            for slot, content in profile.attachments.items()
            if isinstance(content, Attachment) and self._has_no_row(profile.user_id, slot, content)
        ]
        for finding in findings:
            self.report(finding)
        return PageResult(findings, page.next, checkpoint.suspects)

    def _has_no_row(self, user_id: str, slot: Slot, content: Attachment) -> bool:
        """Return whether slot and row differ. Confirm a difference by reading both again, at one instant."""
        if _matches(self.uploads.get(user_id, content.upload_id), slot, content):
            return False
        profile, upload = self.attachments.read(user_id, content.upload_id)
        current = profile.attachments.get(slot)
        if not isinstance(current, Attachment) or current.upload_id != content.upload_id:
            return False
        return not _matches(upload, slot, current)


def _matches(upload: Upload | None, slot: Slot, content: Attachment) -> bool:
    """Return whether the upload is bound, does not expire, and is shown in the same way in its row and in the slot."""
    if upload is None or upload.state is not State.BOUND or upload.expires_at is not None:
        return False
    return upload.slot is slot and upload.attachment == content
