"""S3 ObjectCreated under incoming/: make the derivatives, and bind the upload if its intent says so."""

from profile_media.triggers.records import created_objects
from profile_media.triggers.trigger import Event, trigger
from profile_media.wiring import processing


@trigger
def handler(event: Event) -> None:
    for stored in created_objects(event):
        processing.process(stored.bucket, stored.key, stored.stored_at)
