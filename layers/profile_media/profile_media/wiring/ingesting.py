"""Taking pictures that come through the API itself."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.clock import SystemClock
from profile_media.aws.objects import S3Media
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.ingest import DirectUpload, accepted
from profile_media.domain.intend import PendingUploads
from profile_media.domain.model import Caller, Profile, Slot
from profile_media.domain.process import UploadProcessor
from profile_media.domain.references import Reference
from profile_media.http.links import Links
from profile_media.imaging import PillowImages
from profile_media.wiring import attachments
from profile_media.wiring.reporting import report


def ingest(caller: Caller, slot: Slot, content: bytes, owner_id: str | None = None) -> Profile:
    """Makes an upload of the picture and binds it."""
    owner_id = owner_id or caller.user_id
    processed = _ingest().ingest(owner_id, caller.user_id, slot, content)
    report(owner_id, processed)
    return attachments.bind(caller, slot, Reference(owner_id, accepted(processed).upload_id), owner_id)


def links() -> Links:
    """How this deployment names pictures."""
    return attachments.links()


@cache
def _ingest() -> DirectUpload:
    chosen, clock = settings.load(settings.DirectUploadSettings), SystemClock()
    images = PillowImages(keep_master=chosen.keep_master)
    uploads = DynamoUploads(chosen.uploads_table)
    return DirectUpload(
        PendingUploads(uploads, clock, chosen.limits, chosen.lifetimes),
        UploadProcessor(
            uploads,
            S3Media(chosen.media_bucket),
            images,
            SqsPurgeQueue(chosen.purge_queue_url),
            clock,
            chosen.lifetimes,
        ),
        images,
    )
