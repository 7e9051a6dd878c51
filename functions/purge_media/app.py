"""Delete queue: delete the objects of removed uploads."""

from profile_media.triggers.messages import each_message
from profile_media.triggers.records import Failures
from profile_media.triggers.trigger import Event, trigger
from profile_media.wiring import deletion


@trigger
def handler(event: Event) -> Failures:
    return each_message(event, deletion.purge)
