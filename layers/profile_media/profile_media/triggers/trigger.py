"""Decorators of event functions: Powertools' logging and metrics, and a logged, counted failure."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any

from profile_media.telemetry import LambdaContext, count, logger, metrics

type Event = Mapping[str, Any]
type RemainingTime = Callable[[], timedelta]


def trigger[Result](handle: Callable[[Event], Result]) -> Callable[[Event, LambdaContext], Result]:
    """Make a Lambda handler from a function that takes the event. Lambda retries if the function raises an error."""

    @wraps(handle)
    @logger.inject_lambda_context(clear_state=True)
    @metrics.log_metrics(capture_cold_start_metric=True)
    def handler(event: Event, context: LambdaContext) -> Result:
        return _run_logged(context, lambda: handle(event))

    return handler


def scheduled[Result](work: Callable[[RemainingTime], Result]) -> Callable[[Event, LambdaContext], Result]:
    """Make a Lambda handler from a function that works until it is done or its remaining time is used up."""

    @wraps(work)
    @logger.inject_lambda_context(clear_state=True)
    @metrics.log_metrics(capture_cold_start_metric=True)
    def handler(_: Event, context: LambdaContext) -> Result:
        return _run_logged(
            context, lambda: work(lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()))
        )

    return handler


def _run_logged[Result](context: LambdaContext, work: Callable[[], Result]) -> Result:
    logger.set_correlation_id(context.aws_request_id)
    try:
        return work()
    except Exception:
        logger.exception("Invocation failed; Lambda will retry it")
        count("UnexpectedErrors")
        raise
