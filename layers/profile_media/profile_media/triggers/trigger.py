"""Everything an event function does around its own few lines: its records begin and end, and failures are logged."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any

from profile_media.telemetry import LambdaContext, began, count, ended, logger

type Event = Mapping[str, Any]
type RemainingTime = Callable[[], timedelta]


def trigger[Result](react: Callable[[Event], Result]) -> Callable[[Event, LambdaContext], Result]:
    """Makes a Lambda handler of a function of the event. What it raises, the platform retries."""

    @wraps(react)
    def handler(event: Event, context: LambdaContext) -> Result:
        return _recorded(context, lambda: react(event))

    return handler


def scheduled[Result](act: Callable[[RemainingTime], Result]) -> Callable[[Event, LambdaContext], Result]:
    """Makes a Lambda handler of a function that works for as long as it may."""

    @wraps(act)
    def handler(_: Event, context: LambdaContext) -> Result:
        return _recorded(context, lambda: act(lambda: timedelta(milliseconds=context.get_remaining_time_in_millis())))

    return handler


def _recorded[Result](context: LambdaContext, work: Callable[[], Result]) -> Result:
    began(context)
    try:
        return work()
    except Exception:
        logger.exception("failed; the platform tries again")
        count("UnexpectedErrors")
        raise
    finally:
        ended()
