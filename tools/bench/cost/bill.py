"""What the steps of a life take of each thing that AWS asks money for, and what that comes to at list prices."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from profile_media.aws.objects import STORES
from tools.bench.cost.lives import Step
from tools.bench.memory.model import ONE_CPU, parameter, waiting

PRICES = Path(__file__).parents[1] / "prices.toml"

CALL_MS = 1.0
"""CPU of one call to AWS with all that a handler does around it, either way. Taken as a round figure; tools/bench/warm finds
0.6 to 1.4 for handlers of one call, and the difference comes to cents a million."""

PUTS = frozenset({"PutObject", "ListObjectsV2"})
GETS = frozenset({"GetObject"})
"""S3's two classes of requests; deleting is free."""

AT_API = frozenset({"create_upload_intent", "get_upload", "get_profile", "bind_avatar", "upload_avatar"})
RENDERING = frozenset({"process_upload", "upload_avatar"})
RECEIVES_AND_DELETES = 2
"""Requests by which Lambda takes a batch off a queue."""


@dataclass(frozen=True)
class Bill:
    """Quantities, each with a price of its own."""

    api_requests: float = 0
    invocations: float = 0
    gb_seconds: float = 0
    read_units: float = 0
    write_units: float = 0
    s3_puts: float = 0
    s3_gets: float = 0
    sqs_requests: float = 0
    log_gb: float = 0

    def __add__(self, other: "Bill") -> "Bill":
        return Bill(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def parts(self, architecture: str = "arm64") -> Mapping[str, float]:
        """Dollars by what they are for."""
        price = unit_prices(architecture)
        return {each.name: getattr(self, each.name) * price[each.name] for each in fields(self)}

    def dollars(self, architecture: str = "arm64") -> float:
        return sum(self.parts(architecture).values())


def total(bills: Iterable[Bill]) -> Bill:
    """All of them together."""
    return sum(bills, Bill())


@cache
def listed() -> Mapping[str, Any]:
    """The list prices."""
    return tomllib.loads(PRICES.read_text())


def unit_prices(architecture: str) -> Mapping[str, float]:
    """Dollars for one of each."""
    price = listed()
    return {
        "api_requests": price["api_gateway"]["request"],
        "invocations": price["lambda"]["request"],
        "gb_seconds": price["lambda"]["gb_second"][architecture],
        "read_units": price["dynamodb"]["read_unit"],
        "write_units": price["dynamodb"]["write_unit"],
        "s3_puts": price["s3"]["put"],
        "s3_gets": price["s3"]["get"],
        "sqs_requests": price["sqs"]["request"],
        "log_gb": price["logs"]["gb"],
    }


def storage(stored: int, months: float) -> float:
    """Dollars for so many bytes in S3 for so long."""
    price: float = listed()["s3"]["gb_month"]
    return stored / 2**30 * price * months


BROWSERS_UPLOAD = Bill(s3_puts=1)
AUTHORIZER = Bill(invocations=1, gb_seconds=CALL_MS / 1000 * ONE_CPU / 1024)
"""One call: API Gateway keeps its answer for a minute."""


def bill(step: Step, rendering_ms: float, size: int, *, at_once: int = STORES) -> Bill:
    """Of one invocation; `rendering_ms` is the CPU of making the derivatives, `size` the bytes of the original."""
    names = step.operations
    queues = names.count("SendMessageBatch") + (RECEIVES_AND_DELETES if step.function == "purge_media" else 0)
    return Bill(
        api_requests=int(step.function in AT_API),
        invocations=1,
        gb_seconds=_gb_seconds(step, rendering_ms if step.function in RENDERING else 0, size, at_once),
        read_units=step.read_units,
        write_units=step.write_units,
        s3_puts=sum(name in PUTS for name in names),
        s3_gets=sum(name in GETS for name in names),
        sqs_requests=queues,
        log_gb=step.logged / 2**30,
    )


def _gb_seconds(step: Step, rendering_ms: float, size: int, at_once: int) -> float:
    mib = parameter("ProcessMemorySize" if rendering_ms else "ApiMemorySize").default
    cpu_ms = rendering_ms + CALL_MS * max(1, len(step.calls))
    ms = cpu_ms / min(1.0, mib / ONE_CPU) + waiting(_kinds(step), size, at_once)
    return ms / 1000 * mib / 1024


KINDS = {"PutObject": "PUT", "GetObject": "GET"}


def _kinds(step: Step) -> Sequence[str]:
    """As the model of waiting knows calls."""
    return [
        f"DynamoDB {call.operation}" if call.service == "dynamodb" else KINDS.get(call.operation, call.operation)
        for call in step.calls
    ]
