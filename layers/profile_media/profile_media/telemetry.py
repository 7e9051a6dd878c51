"""What operators see: one JSON object a line for logs, and metrics in the same stream (CloudWatch's embedded format).

Never logged: tokens, signatures, policies, whole events. Values that came from a client go in fields, cut to 1 KB,
where JSON escapes them, so that no name can forge a second line.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

MAX_FIELD = 1024
"""Characters of one text in a record, however deep inside."""

MAX_TRACE = 16 * MAX_FIELD
"""Characters of a stack trace; its message can hold what a client sent, too."""


def _one_line(record: dict[str, Any]) -> str:
    """Pure ASCII: U+2028, escape sequences and line ends arrive in CloudWatch as text."""
    cut = {name: _cut(value, MAX_TRACE if name == "exception" else MAX_FIELD) for name, value in record.items()}
    return json.dumps(cut, ensure_ascii=True)


def _cut(value: object, longest: int = MAX_FIELD) -> object:
    if isinstance(value, str):
        return value[:longest]
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name)[:longest]: _cut(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(member) for member in value]
    return str(value)[:longest]


logger = Logger(json_serializer=_one_line, log_uncaught_exceptions=False, use_rfc3339=True, utc=True)
metrics = Metrics()


def count(name: str, amount: int = 1) -> None:
    """Adds to a CloudWatch metric of the service's namespace."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=amount)


class LambdaContext(Protocol):
    """What is used of Lambda's own context."""

    @property
    def function_name(self) -> str: ...
    @property
    def aws_request_id(self) -> str: ...
    def get_remaining_time_in_millis(self) -> int: ...


def began(context: LambdaContext, correlation_id: str | None = None) -> None:
    """Starts an invocation's records: clears what the last one left, and says which this is."""
    logger.clear_state()
    logger.append_keys(
        function_name=context.function_name,
        function_request_id=context.aws_request_id,
        correlation_id=correlation_id or context.aws_request_id,
    )


def ended() -> None:
    """Writes the invocation's metrics, if it counted anything."""
    if metrics.metric_set:
        print(json.dumps(metrics.serialize_metric_set()))  # noqa: T201 - the embedded metric format is a line on stdout
        metrics.clear_metrics()


def audit_bind(slot: str, owner_id: str, actor: str, upload_id: str | None, previous_upload_id: str | None) -> None:
    """Records who changed whose picture: one audit line per bind, alike in every dialect."""
    logger.info(
        f"[{slot}] Updated for user {owner_id}",
        audit={
            "owner": owner_id,
            "actor": actor,
            "slot": slot,
            "upload_id": upload_id,
            "previous_upload_id": previous_upload_id,
        },
    )
