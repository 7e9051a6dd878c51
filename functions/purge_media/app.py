"""Delete queue: delete everything that belonged to removed uploads."""

from profile_media.triggers.messages import each_message
from profile_media.triggers.records import Failures
from profile_media.triggers.trigger import Event, trigger
from profile_media.wiring import purging


@trigger
def handler(event: Event) -> Failures:
    return each_message(event, purging.purge)
