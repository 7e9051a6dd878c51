"""Everything an event function does around its own few lines: its records begin and end, and failures are logged."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Protocol

from profile_media.telemetry import began, count, ended, logger

type Event = Mapping[str, Any]


class LambdaContext(Protocol):
    """What is used of Lambda's own context."""

    @property
    def function_name(self) -> str: ...
    @property
    def aws_request_id(self) -> str: ...


def trigger[Result](react: Callable[[Event], Result]) -> Callable[[Event, LambdaContext], Result]:
    """Makes a Lambda handler of a function of the event. What it raises, the platform retries."""

    @wraps(react)
    def handler(event: Event, context: LambdaContext) -> Result:
        began(context.function_name, context.aws_request_id)
        try:
            return react(event)
        except Exception:
            logger.exception("failed; the platform tries again")
            count("UnexpectedErrors")
            raise
        finally:
            ended()

    return handler
