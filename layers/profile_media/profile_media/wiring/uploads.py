"""Showing an upload to its owner."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.clock import SystemClock
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.model import Upload
from profile_media.domain.watch import watch
from profile_media.http.links import Links


def find(owner_id: str, upload_id: str, patience: float) -> Upload:
    """The owner's upload, as soon as it is settled or `patience` seconds are over."""
    return watch(_uploads(), SystemClock(), owner_id, upload_id, patience)


def links() -> Links:
    """How this deployment names pictures."""
    chosen = settings.load(settings.UploadReadingSettings)
    return Links(chosen.app_name, chosen.media_base_url)


@cache
def _uploads() -> DynamoUploads:
    return DynamoUploads(settings.load(settings.UploadReadingSettings).uploads_table)
