"""Every few minutes: send lost events again, and once a day hold buckets and tables against each other."""

from profile_media.triggers.trigger import TimeLeft, scheduled
from profile_media.wiring import reconciling


@scheduled
def handler(time_left: TimeLeft) -> None:
    reconciling.reconcile(time_left)
