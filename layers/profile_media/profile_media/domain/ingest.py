"""Create and process an upload in one call, from a picture that was sent through the API."""

from dataclasses import dataclass

from profile_media.domain.access import Access
from profile_media.domain.errors import ImageUnacceptable, Unavailable
from profile_media.domain.framing import Framing
from profile_media.domain.intend import IntentRequest, PendingUploads
from profile_media.domain.model import Slot, Upload
from profile_media.domain.ports import Images
from profile_media.domain.process import Outcome, Processed, UploadProcessor


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """Creates and processes uploads. After a failed call the pending row expires, and its removal starts the purge."""

    pending_uploads: PendingUploads
    processor: UploadProcessor
    images: Images

    def ingest(
        self, access: Access, slot: Slot, content: bytes, framing: Framing = None, *, trace_id: str | None = None
    ) -> Processed:
        """Create an upload and process it.

        Raises ImageUnacceptable if the format is not supported, and the errors of `PendingUploads.create`.
        """
        content_type = self.images.identify(content)
        request = IntentRequest(slot, content_type, len(content), framing=framing, trace_id=trace_id)
        upload = self.pending_uploads.create(access, request)
        return self.processor.process(upload, content)


def require_ready(processed: Processed) -> Upload:
    """Return the upload, which is ready to be bound. Raises ImageUnacceptable if the picture was rejected."""
    upload = processed.upload
    if upload and upload.reason:
        raise ImageUnacceptable(upload.reason, processed.detail)
    if upload is None or processed.outcome is not Outcome.READY:
        raise Unavailable("the upload expired while its picture was processed")
    return upload
