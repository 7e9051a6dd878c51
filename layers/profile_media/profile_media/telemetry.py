"""Log records and metrics, both written by Powertools as one JSON object per line on stdout.

Never log tokens, signatures, upload policies or whole events. Pass values that a client sent as fields, not inside the
message: fields are cut to 1 KB and escaped, so a client cannot forge a second record.
"""

import json
import os
import warnings
from collections.abc import Mapping
from typing import Any, Protocol

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

MAX_FIELD = 1024
"""Characters of one string in a record, at any depth."""

MAX_TRACE = 16 * MAX_FIELD
"""Characters of a stack trace. Its message can contain client input as well, so it is cut too."""


def _serialize(record: dict[str, Any]) -> str:
    """Serialize a record as ASCII with long strings cut, so that line separators such as U+2028 arrive escaped."""
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


logger = Logger(json_serializer=_serialize, log_uncaught_exceptions=False, use_rfc3339=True, utc=True)

# Two stacks in one account must not add to the same metric, or an alarm of one would fire for the other.
_STACK = {"stack": os.environ.get("STACK_NAME", "stack_undefined")}
metrics = Metrics()
metrics.set_default_dimensions(**_STACK)
# Most invocations count nothing, and Powertools would warn on stderr each time.
warnings.filterwarnings("ignore", "No application metrics to publish")


def count(name: str, amount: int = 1) -> None:
    """Add to a CloudWatch metric of this stack."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=amount)


def count_slot(name: str, slot: str) -> None:
    """Add one to a CloudWatch metric of this stack and this slot, which is billed as a metric of its own."""
    with single_metric(name, MetricUnit.Count, 1, default_dimensions={**_STACK, "slot": slot}):
        pass


def measure(name: str, milliseconds: int) -> None:
    """Add a duration to a CloudWatch metric of this stack."""
    metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=milliseconds)


class LambdaContext(Protocol):
    """The attributes of Lambda's context object that this service and Powertools use."""

    @property
    def function_name(self) -> str: ...
    @property
    def aws_request_id(self) -> str: ...
    @property
    def memory_limit_in_mb(self) -> int: ...
    @property
    def invoked_function_arn(self) -> str: ...
    def get_remaining_time_in_millis(self) -> int: ...


def audit_bind(slot: str, owner_id: str, actor: str, upload_id: str | None, previous_upload_id: str | None) -> None:
    """Log one audit record per bind or unbind: who changed which user's picture, and from what to what."""
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
