"""Holding buckets and tables against each other."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from profile_media.aws import settings
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.checkpoints import DynamoCheckpoints
from profile_media.aws.clock import SystemClock
from profile_media.aws.objects import S3Media, S3ObjectListings
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.redrive_queue import SqsRedriveQueue
from profile_media.aws.table_scans import DynamoTableScans
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.ports import Checkpoint, Checkpoints
from profile_media.domain.reconcile import Finding, FindingKind, GracePeriods, Reconciler, RemainingTime
from profile_media.domain.repair import Repair, RepairAction
from profile_media.imaging import PillowImages
from profile_media.telemetry import audit_bind, count, logger

METRICS: Mapping[FindingKind, str] = MappingProxyType(
    {
        FindingKind.EVENT_LOST: "UploadsRedriven",
        FindingKind.ORIGINAL_LEFT: "OriginalsLeft",
        FindingKind.KEY_UNKNOWN: "KeysUnknown",
        FindingKind.OBJECTS_WITHOUT_ROW: "ObjectsWithoutRow",
        FindingKind.ROW_WITHOUT_OBJECTS: "RowsWithoutObjects",
        FindingKind.ROW_WITHOUT_SLOT: "RowsWithoutSlot",
        FindingKind.SLOT_WITHOUT_ROW: "SlotsWithoutRow",
        FindingKind.LATE: "PassesLate",
    }
)

ACTOR = "reconcile"
"""Who cleared a slot, in the audit record."""


def reconcile(remaining_time: RemainingTime) -> None:
    """Does what is due, in the time there is."""
    chosen = settings.load(settings.ReconcilingSettings)
    checkpoints = DynamoCheckpoints(chosen.uploads_table)
    reconciling(_found, _finished, checkpoints, mends=chosen.reconcile_mends).run(remaining_time)


def reconciling(
    found: Callable[[Finding], None],
    finished: Callable[[Checkpoint], None],
    checkpoints: Checkpoints,
    *,
    mends: bool,
    patience: GracePeriods | None = None,
) -> Reconciler:
    """What reconciles this deployment, telling of what it finds."""
    chosen = settings.load(settings.ReconcilingSettings)
    uploads, profiles = DynamoUploads(chosen.uploads_table), DynamoProfiles(chosen.users_table)
    attachments = DynamoAttachments(chosen.users_table, chosen.uploads_table)
    purge_queue, clock = SqsPurgeQueue(chosen.purge_queue_url), SystemClock()
    mending = Repair(uploads, attachments, S3Media(chosen.media_bucket), _images, purge_queue, clock)
    return Reconciler(
        listings=S3ObjectListings(chosen.uploads_bucket, chosen.media_bucket),
        scans=DynamoTableScans(chosen.users_table, chosen.uploads_table),
        uploads=uploads,
        profiles=profiles,
        attachments=attachments,
        redrive_queue=SqsRedriveQueue(chosen.redrive_queue_url, chosen.uploads_bucket),
        purge_queue=purge_queue,
        checkpoints=checkpoints,
        clock=clock,
        mending=mending if mends else None,
        found=found,
        finished=finished,
        patience=patience or GracePeriods(),
    )


def _found(finding: Finding) -> None:
    """One line for each, a count of its kind, and one of those that an operator is to look at."""
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
    if finding.kind is not FindingKind.EVENT_LOST:
        count("ReconcileFindings")
    if finding.mended is RepairAction.CLEARED and finding.slot and finding.owner_id:
        audit_bind(finding.slot, finding.owner_id, ACTOR, None, finding.upload_id)


def _finished(checkpoint: Checkpoint) -> None:
    """One line for each pass over the pictures, and for those over events that found any."""
    if checkpoint.name == "pictures" or checkpoint.found:
        logger.info("reconcile finished", which=checkpoint.name, began=checkpoint.began, found=checkpoint.found)


@cache
def _images() -> PillowImages:
    # What is lost is made anew from the master, which is not made from itself.
    return PillowImages(keep_master=False)
