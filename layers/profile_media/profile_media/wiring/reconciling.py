"""Holding buckets and tables against each other."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from profile_media.aws import settings
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.checkpoints import DynamoCheckpoints
from profile_media.aws.clock import SystemClock
from profile_media.aws.objects import S3Listings, S3Media
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.redrive_queue import SqsRedriveQueue
from profile_media.aws.scans import DynamoScans
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.mend import Mended, Mending
from profile_media.domain.ports import Checkpoint, Checkpoints
from profile_media.domain.reconcile import Finding, Kind, Patience, Reconciling, TimeLeft
from profile_media.imaging import PillowImages
from profile_media.telemetry import audit_bind, count, logger

METRICS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.EVENT_LOST: "UploadsRedriven",
        Kind.ORIGINAL_LEFT: "OriginalsLeft",
        Kind.KEY_UNKNOWN: "KeysUnknown",
        Kind.OBJECTS_WITHOUT_ROW: "ObjectsWithoutRow",
        Kind.ROW_WITHOUT_OBJECTS: "RowsWithoutObjects",
        Kind.ROW_WITHOUT_SLOT: "RowsWithoutSlot",
        Kind.SLOT_WITHOUT_ROW: "SlotsWithoutRow",
        Kind.LATE: "PassesLate",
    }
)

ACTOR = "reconcile"
"""Who cleared a slot, in the audit record."""


def reconcile(time_left: TimeLeft) -> None:
    """Does what is due, in the time there is."""
    chosen = settings.load(settings.Reconciling)
    checkpoints = DynamoCheckpoints(chosen.uploads_table)
    reconciling(_found, _finished, checkpoints, mends=chosen.reconcile_mends).run(time_left)


def reconciling(
    found: Callable[[Finding], None],
    finished: Callable[[Checkpoint], None],
    checkpoints: Checkpoints,
    *,
    mends: bool,
    patience: Patience | None = None,
) -> Reconciling:
    """What reconciles this deployment, telling of what it finds."""
    chosen = settings.load(settings.Reconciling)
    uploads, profiles = DynamoUploads(chosen.uploads_table), DynamoProfiles(chosen.users_table)
    attachments = DynamoAttachments(chosen.users_table, chosen.uploads_table)
    purge_queue, clock = SqsPurgeQueue(chosen.purge_queue_url), SystemClock()
    mending = Mending(uploads, attachments, S3Media(chosen.media_bucket), _images, purge_queue, clock)
    return Reconciling(
        listings=S3Listings(chosen.uploads_bucket, chosen.media_bucket),
        scans=DynamoScans(chosen.users_table, chosen.uploads_table),
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
        patience=patience or Patience(),
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
    if finding.kind is not Kind.EVENT_LOST:
        count("ReconcileFindings")
    if finding.mended is Mended.CLEARED and finding.slot and finding.owner_id:
        audit_bind(finding.slot, finding.owner_id, ACTOR, None, finding.upload_id)


def _finished(checkpoint: Checkpoint) -> None:
    """One line for each pass over the pictures, and for those over events that found any."""
    if checkpoint.name == "pictures" or checkpoint.found:
        logger.info("reconcile finished", which=checkpoint.name, began=checkpoint.began, found=checkpoint.found)


@cache
def _images() -> PillowImages:
    # What is lost is made anew from the master, which is not made from itself.
    return PillowImages(keep_master=False)
