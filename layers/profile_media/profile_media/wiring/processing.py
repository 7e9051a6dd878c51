"""Making derivatives of what browsers stored."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.clock import SystemClock
from profile_media.aws.objects import S3Incoming, S3Media
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.keys import parse_incoming_key
from profile_media.domain.process import Outcome, Processed, Processing
from profile_media.imaging import PillowImages
from profile_media.telemetry import count, logger


def process(bucket: str, key: str) -> None:
    """Settles the upload an object was stored for; objects that are no upload's are passed over."""
    owned = parse_incoming_key(key)
    if bucket != settings.load(settings.Processing).uploads_bucket or owned is None:
        logger.warning("not an upload's object", bucket=bucket, key=key)
        return
    owner_id, upload_id = owned
    _report(owner_id, upload_id, _processing().process(owner_id, upload_id))


def _report(owner_id: str, upload_id: str, processed: Processed) -> None:
    """One line per picture, and a count of how it ended."""
    upload, rendered = processed.upload, processed.rendered
    reason = upload.reason.value if upload and upload.reason else None
    logger.info(
        "upload processed",
        owner=owner_id,
        upload_id=upload_id,
        outcome=processed.outcome.value,
        reason=reason,
        detail=processed.detail,
        sha256=processed.digest,
        content_type=upload.content_type.value if upload else None,
        width=rendered.width if rendered else None,
        height=rendered.height if rendered else None,
        cpu_ms=rendered.cpu_ms if rendered else None,
        peak_mib=rendered.peak_mib if rendered else None,
    )
    count(f"Uploads{processed.outcome.value.capitalize()}")
    if processed.outcome is Outcome.REJECTED and reason:
        count("Rejected" + "".join(word.capitalize() for word in reason.split("_")))


@cache
def _processing() -> Processing:
    chosen = settings.load(settings.Processing)
    return Processing(
        uploads=DynamoUploads(chosen.uploads_table),
        incoming=S3Incoming(chosen.uploads_bucket),
        media=S3Media(chosen.media_bucket),
        images=PillowImages(),
        purge_queue=SqsPurgeQueue(chosen.purge_queue_url),
        clock=SystemClock(),
        lifetimes=chosen.lifetimes,
    )
