"""Every few minutes: send lost events again, and once a day compare buckets and tables."""

from profile_media.triggers.trigger import RemainingTime, scheduled
from profile_media.wiring import reconciling


@scheduled
def handler(remaining_time: RemainingTime) -> None:
    reconciling.reconcile(remaining_time)
