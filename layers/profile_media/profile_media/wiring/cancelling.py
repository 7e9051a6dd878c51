"""Give up uploads."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain import cancel as cancelling
from profile_media.domain.access import Access
from profile_media.telemetry import count, logger


def cancel(access: Access, upload_id: str) -> None:
    """Give up the owner's upload, if there is one."""
    if upload := cancelling.cancel(_uploads(), access, upload_id):
        logger.info(
            "upload cancelled",
            owner=access.owner_id,
            upload_id=upload_id,
            trace_id=upload.trace_id,
            state=upload.state.value,
        )
        count("UploadsCancelled")


@cache
def _uploads() -> DynamoUploads:
    return DynamoUploads(settings.load(settings.CancellingSettings).uploads_table)
