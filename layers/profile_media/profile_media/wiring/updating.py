"""Crop pictures again, and describe them."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.clock import SystemClock
from profile_media.aws.objects import S3Media
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.access import Access
from profile_media.domain.model import Upload
from profile_media.domain.update import UploadChange, UploadUpdater
from profile_media.imaging import PillowImages
from profile_media.telemetry import count, logger


def update(access: Access, upload_id: str, change: UploadChange) -> Upload:
    """Change how the owner's upload is shown."""
    upload = _updater(settings.load(settings.UpdatingSettings)).update(access, upload_id, change)
    logger.info(
        "upload updated",
        owner=upload.owner_id,
        upload_id=upload.upload_id,
        state=upload.state.value,
        framing=str(upload.framing) if upload.framing else None,
        described=upload.alt_text is not None,
    )
    count("UploadsUpdated")
    return upload


@cache
def _updater(chosen: settings.UpdatingSettings) -> UploadUpdater:
    return UploadUpdater(
        uploads=DynamoUploads(chosen.uploads_table),
        attachments=DynamoAttachments(chosen.users_table, chosen.uploads_table),
        media=S3Media(chosen.media_bucket),
        images=_images,
        purge_queue=SqsPurgeQueue(chosen.purge_queue_url),
        clock=SystemClock(),
        per_minute=chosen.writes_per_minute,
    )


@cache
def _images() -> PillowImages:
    # The master stays; only the derivatives are made again.
    return PillowImages(keep_master=False)
