"""Making derivatives of what browsers stored."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.clock import SystemClock
from profile_media.aws.objects import S3Incoming, S3Media
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.keys import parse_incoming_key
from profile_media.domain.process import IncomingProcessor, UploadProcessor
from profile_media.imaging import PillowImages
from profile_media.telemetry import logger
from profile_media.wiring.reporting import report


def process(bucket: str, key: str) -> None:
    """Settles the upload an object was stored for; objects that are no upload's are passed over."""
    owned = parse_incoming_key(key)
    if bucket != settings.load(settings.ProcessingSettings).uploads_bucket or owned is None:
        logger.warning("not an upload's object", bucket=bucket, key=key)
        return
    owner_id, upload_id = owned
    report(owner_id, _processing().process(owner_id, upload_id), upload_id)


@cache
def _processing() -> IncomingProcessor:
    chosen = settings.load(settings.ProcessingSettings)
    settling = UploadProcessor(
        uploads=DynamoUploads(chosen.uploads_table),
        media=S3Media(chosen.media_bucket),
        images=PillowImages(keep_master=chosen.keep_master),
        purge_queue=SqsPurgeQueue(chosen.purge_queue_url),
        clock=SystemClock(),
        lifetimes=chosen.lifetimes,
    )
    return IncomingProcessor(S3Incoming(chosen.uploads_bucket), settling)
