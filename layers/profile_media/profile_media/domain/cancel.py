"""Give up an upload that no slot shows: delete its row, whose removal starts the purge of its objects.

A picture that arrives or is processed later finds no row: its event deletes the original and requests the purge again.
"""

from profile_media.domain.access import Access
from profile_media.domain.errors import UploadBound
from profile_media.domain.model import State, Upload
from profile_media.domain.ports import Uploads


def cancel(uploads: Uploads, access: Access, upload_id: str) -> Upload | None:
    """Delete the owner's upload and free its place among the open intents.

    Return the upload as it was; None if there is none. Raises UploadBound.
    """
    upload = uploads.get(access.owner_id, upload_id)
    if upload is None:
        return None
    if upload.state is State.BOUND or not uploads.delete(upload):
        raise UploadBound(upload_id)
    return upload
