"""Everything an event function does around its own few lines: its records begin and end, and failures are logged."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from profile_media.telemetry import LambdaContext, began, count, ended, logger

type Event = Mapping[str, Any]


def trigger[Result](react: Callable[[Event], Result]) -> Callable[[Event, LambdaContext], Result]:
    """Makes a Lambda handler of a function of the event. What it raises, the platform retries."""

    @wraps(react)
    def handler(event: Event, context: LambdaContext) -> Result:
        began(context)
        try:
            return react(event)
        except Exception:
            logger.exception("failed; the platform tries again")
            count("UnexpectedErrors")
            raise
        finally:
            ended()

    return handler
