"""Compare buckets and tables."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

from profile_media.aws import settings
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.checkpoints import DynamoCheckpoints
from profile_media.aws.clock import SystemClock
from profile_media.aws.objects import S3Media, S3ObjectListings
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.redrive_queue import SqsRedriveQueue
from profile_media.aws.table_scans import DynamoTableScans
from profile_media.aws.upload_index import DynamoUploadIndex
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.findings import ACTOR, METRICS, Finding, GracePeriods, Report
from profile_media.domain.ports import Checkpoint, Checkpoints
from profile_media.domain.reconcile import Reconciler, RemainingTime
from profile_media.domain.repair import Repair
from profile_media.imaging import PillowImages
from profile_media.telemetry import audit_bind, count, logger


def reconcile(remaining_time: RemainingTime) -> None:
    """Run all passes that are due, within the remaining time."""
    chosen = settings.load(settings.ReconcilingSettings)
    grace = GracePeriods.after_purge_delay(timedelta(seconds=chosen.purge_delay_seconds))
    checkpoints = DynamoCheckpoints(chosen.uploads_table)
    make_reconciler(_report, _report_end, checkpoints, grace, mends=chosen.reconcile_mends).run(remaining_time)


def make_reconciler(
    report: Report,
    report_end: Callable[[Checkpoint], None],
    checkpoints: Checkpoints,
    grace: GracePeriods,
    *,
    mends: bool,
) -> Reconciler:
    """Return a reconciler of this deployment. It repairs nothing unless `mends` is set."""
    chosen = settings.load(settings.ReconcilingSettings)
    uploads, profiles = DynamoUploads(chosen.uploads_table), DynamoProfiles(chosen.users_table)
    attachments = DynamoAttachments(chosen.users_table, chosen.uploads_table)
    purge_queue, clock = SqsPurgeQueue(chosen.purge_queue_url), SystemClock()
    repair = Repair(uploads, attachments, S3Media(chosen.media_bucket), _images, purge_queue, clock)
    return Reconciler(
        listings=S3ObjectListings(chosen.uploads_bucket, chosen.media_bucket),
        index=DynamoUploadIndex(chosen.uploads_table),
        scans=DynamoTableScans(chosen.users_table, chosen.uploads_table),
        uploads=uploads,
        profiles=profiles,
        attachments=attachments,
        redrive_queue=SqsRedriveQueue(chosen.redrive_queue_url, chosen.uploads_bucket),
        purge_queue=purge_queue,
        checkpoints=checkpoints,
        clock=clock,
        repair=repair if mends else None,
        report=report,
        report_end=report_end,
        grace=grace,
    )


def _report(finding: Finding) -> None:
    """Log a finding and count it. A slot that was cleared is put in the audit record."""
    logger.warning(
        "reconcile found",
        kind=finding.kind.value,
        owner=finding.owner_id,
        upload_id=finding.upload_id,
        key=finding.key,
        slot=finding.slot.value if finding.slot else None,
        detail=finding.detail,
        mended=finding.mended.value if finding.mended else None,
    )
    count(METRICS[finding.kind])
    if finding.needs_attention:
        count("ReconcileFindings")
    if finding.cleared_slot and finding.owner_id:
        audit_bind(finding.cleared_slot, finding.owner_id, ACTOR, None, finding.upload_id)


def _report_end(checkpoint: Checkpoint) -> None:
    """Log the end of a pass. Passes over events run often, so they are logged only if they found something."""
    if checkpoint.name == "pictures" or checkpoint.found:
        logger.info("reconcile finished", which=checkpoint.name, began=checkpoint.began, found=checkpoint.found)


@cache
def _images() -> PillowImages:
    # Missing derivatives are made from the master, which is not made again.
    return PillowImages(keep_master=False)
