"""Follow an upload until it leaves pending."""

from datetime import timedelta

from profile_media.domain.errors import UploadNotFound
from profile_media.domain.lifecycle import is_expired
from profile_media.domain.model import State, Upload
from profile_media.domain.ports import Clock, Uploads

FIRST_PAUSE = 0.25
"""Seconds between reads at first; a picture is usually ready within two of them."""

LONGEST_PAUSE = 1.0
"""Seconds; a wait of 20 s costs at most some two dozen reads."""


def watch(uploads: Uploads, clock: Clock, owner_id: str, upload_id: str, patience: float) -> Upload:
    """The upload as soon as it is not pending any more, or as it is after `patience` seconds.

    Raises UploadNotFound where this owner has no such upload, or it has expired.
    """
    deadline = clock.now() + timedelta(seconds=patience)
    pause = FIRST_PAUSE
    while True:
        upload = uploads.get(owner_id, upload_id)
        now = clock.now()
        if upload is None or is_expired(upload, now):
            raise UploadNotFound("expired" if upload else "no such upload of this owner")
        left = (deadline - now).total_seconds()
        if upload.state is not State.PENDING or left <= 0:
            return upload
        clock.wait(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)
