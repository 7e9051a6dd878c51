"""Uploads table stream, removed rows: enqueue each removed upload for deletion."""

from profile_media.triggers.records import Failures, failures, removed_uploads
from profile_media.triggers.trigger import Event, trigger
from profile_media.wiring import deletion


@trigger
def handler(event: Event) -> Failures:
    return failures(deletion.release(removed_uploads(event)))
