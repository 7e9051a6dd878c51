"""Uploads table stream, removed rows: put each removed upload on the delete queue."""

from profile_media.triggers.records import Failures, failures, removed_uploads
from profile_media.triggers.trigger import Event, trigger
from profile_media.wiring import releasing


@trigger
def handler(event: Event) -> Failures:
    return failures(releasing.release(removed_uploads(event)))
