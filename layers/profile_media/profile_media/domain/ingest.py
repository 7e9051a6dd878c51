"""Take a picture that came through the API itself: the same life as through an intent, in one call."""

from dataclasses import dataclass

from profile_media.domain.errors import ImageUnacceptable, Unavailable
from profile_media.domain.intend import IntentRequest, PendingUploads
from profile_media.domain.model import Slot, Upload
from profile_media.domain.ports import Images
from profile_media.domain.process import Outcome, Processed, UploadProcessor


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """Settles pictures at hand. Dying half-way leaves a row that expires, and takes everything along."""

    promises: PendingUploads
    settling: UploadProcessor
    images: Images

    def ingest(self, owner_id: str, actor_id: str, slot: Slot, content: bytes) -> Processed:
        """What became of the picture.

        Raises ImageUnacceptable for bytes that announce no picture, and what `Promises.promise` does.
        """
        content_type = self.images.identify(content)
        request = IntentRequest(owner_id, actor_id, slot, content_type, len(content))
        return self.settling.settle(self.promises.create(request), content)


def accepted(processed: Processed) -> Upload:
    """The upload, to be bound; raises ImageUnacceptable where the picture was refused."""
    upload = processed.upload
    if upload and upload.reason:
        raise ImageUnacceptable(upload.reason, processed.detail)
    if upload is None or processed.outcome is not Outcome.READY:
        raise Unavailable("the upload expired while its picture was processed")
    return upload
