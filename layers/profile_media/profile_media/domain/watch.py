"""Poll an upload until it is processed."""

from datetime import timedelta

from profile_media.domain.errors import UploadNotFound
from profile_media.domain.lifecycle import is_expired, is_settled
from profile_media.domain.model import Upload
from profile_media.domain.ports import Clock, Uploads

FIRST_PAUSE = 0.25
"""Seconds between the first two reads. Most pictures are processed within two reads."""

LONGEST_PAUSE = 1.0
"""Seconds. A wait of 20 s costs about two dozen reads at most."""


def watch(uploads: Uploads, clock: Clock, owner_id: str, upload_id: str, patience: float) -> Upload:
    """Return the upload as soon as it is processed (and bound, if the intent says so), or after `patience` seconds.

    Raises UploadNotFound if this owner has no such upload, or it has expired.
    """
    deadline = clock.now() + timedelta(seconds=patience)
    pause = FIRST_PAUSE
    while True:
        upload = uploads.get(owner_id, upload_id)
        now = clock.now()
        if upload is None or is_expired(upload, now):
            raise UploadNotFound("expired" if upload else "no such upload of this owner")
        left = (deadline - now).total_seconds()
        if is_settled(upload) or left <= 0:
            return upload
        clock.wait(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)
