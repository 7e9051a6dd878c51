"""Compute what a step uses of everything that AWS bills, and its price."""

import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.bench.cost.lives import Step, Stored

HERE = Path(__file__).parents[1]
ASSUMED = tomllib.loads((HERE / "assumptions.toml").read_text())
LISTED = tomllib.loads((HERE / "prices.toml").read_text())

type Usage = Mapping[str, float]
"""Quantities by the name of their price."""

PRICES: Mapping[str, float] = {
    "API requests": LISTED["api_gateway"]["request"],
    "Lambda requests": LISTED["lambda"]["request"],
    "Lambda GB-s": LISTED["lambda"]["gb_second"],
    "DynamoDB reads": LISTED["dynamodb"]["read_unit"],
    "DynamoDB writes": LISTED["dynamodb"]["write_unit"],
    "S3 PUT, LIST": LISTED["s3"]["put"],
    "S3 PUT, infrequent access": LISTED["s3"]["put_infrequent"],
    "S3 GET": LISTED["s3"]["get"],
    "SQS requests": LISTED["sqs"]["request"],
    "Logs, GB": LISTED["logs"]["gb"],
    "X-Ray traces": LISTED["xray"]["trace"],
}

S3_PUTS, S3_GETS = frozenset({"PutObject", "ListObjectsV2"}), frozenset({"GetObject"})
QUEUE_REQUESTS = 2
"""Lambda receives a batch from a queue and deletes it."""


@dataclass(frozen=True)
class Deployment:
    """The facts about the functions that the bill needs."""

    memory_mib: Mapping[str, int]
    api: frozenset[str]
    """Functions that API Gateway calls."""
    traced: bool
    connection_ms: float
    rendering_ms: float
    """CPU of rendering, in the functions that `renders` names."""
    renders: frozenset[str]
    picture_bytes: int


def usage(step: Step, deployment: Deployment, sampled: float) -> Usage:
    """Return what one invocation uses. `sampled` is the share of traces that X-Ray records."""
    names = Counter(step.operations)
    infrequent = sum(call.infrequent for call in step.calls)
    polls = step.function == "get_upload"
    receives = QUEUE_REQUESTS if step.function == "purge_media" else 0
    return {
        "API requests": int(step.function in deployment.api),
        "Lambda requests": 1,
        "Lambda GB-s": _gb_seconds(step, deployment),
        "DynamoDB reads": step.read_units * (ASSUMED["poll"]["reads"] if polls else 1),
        "DynamoDB writes": step.write_units,
        "S3 PUT, LIST": sum(names[each] for each in S3_PUTS) - infrequent,
        "S3 PUT, infrequent access": infrequent,
        "S3 GET": sum(names[each] for each in S3_GETS),
        "SQS requests": names["SendMessageBatch"] + receives,
        "Logs, GB": step.logged / 2**30,
        "X-Ray traces": sampled if deployment.traced else 0,
    }


def _gb_seconds(step: Step, deployment: Deployment) -> float:
    cpu_ms = ASSUMED["lambda"]["handler_ms"] * max(1, len(step.calls))
    cpu_ms += _connections(step) * ASSUMED["connections"]["new_share"] * deployment.connection_ms
    if step.function in deployment.renders:
        cpu_ms += deployment.rendering_ms
    waits = ASSUMED["poll"]["held_ms"] if step.function == "get_upload" else waiting_ms(step, deployment.picture_bytes)
    return gb_seconds(cpu_ms, waits, deployment.memory_mib[step.function])


def gb_seconds(cpu_ms: float, waits_ms: float, memory_mib: int) -> float:
    """Return billed memory times duration. Below one CPU the CPU time stretches; waiting does not."""
    cpus: float = min(1.0, memory_mib / ASSUMED["lambda"]["one_cpu_mib"])
    billed_ms = math.ceil(cpu_ms / cpus + waits_ms)
    return billed_ms / 1000 * memory_mib / 1024


def _stores_at_once(step: Step) -> int:
    """Return how many objects the function stores in parallel. moto is so fast that it may see fewer threads."""
    threads = {call.thread for call in step.calls if call.operation == "PutObject"}
    return int(ASSUMED["lambda"]["parallel_stores"]) if len(threads) > 1 else 1


def _connections(step: Step) -> int:
    """Return the connections that the function opens: one per service, and one more per parallel store."""
    services = len({call.service for call in step.calls})
    return services + _stores_at_once(step) if _stores_at_once(step) > 1 else services


def waiting_ms(step: Step, picture_bytes: int) -> float:
    """Return how long the function waits for AWS. Stores overlap, all other calls follow one another."""
    waits, names = ASSUMED["waits"], Counter(step.operations)
    alone = sum(waits[call.service] for call in step.calls if call.operation != "PutObject")
    stores = math.ceil(names["PutObject"] / _stores_at_once(step)) * waits["s3"]
    fetched = picture_bytes / waits["fetched"] / 1000 if names["GetObject"] else 0
    return float(alone + stores + fetched)


def preflight(memory_mib: int | None, deployment: Deployment, sampled: float) -> Usage:
    """Return the usage of a CORS preflight. `memory_mib` is None if API Gateway answers it without a function."""
    used = {"API requests": 1.0, "X-Ray traces": sampled if deployment.traced else 0}
    if memory_mib is not None:
        used |= {"Lambda requests": 1, "Lambda GB-s": gb_seconds(ASSUMED["lambda"]["handler_ms"], 0, memory_mib)}
    return used


def authorization(memory_mib: int) -> Usage:
    """Return the usage of the Lambda authorizer. API Gateway caches its answer for the calls that follow."""
    return {"Lambda requests": 1, "Lambda GB-s": gb_seconds(ASSUMED["lambda"]["handler_ms"], 0, memory_mib)}


def sampled_share(requests_per_second: float) -> float:
    """Return the share of requests that X-Ray records.

    >>> sampled_share(21)
    0.05
    """
    first, share = ASSUMED["tracing"]["per_second"], ASSUMED["tracing"]["share"]
    if requests_per_second <= first:  # also avoids a division by zero
        return 1.0
    return float((first + share * (requests_per_second - first)) / requests_per_second)


def dollars(used: Usage) -> float:
    return sum(quantity * PRICES[name] for name, quantity in used.items())


def total(lines: Iterable[Usage]) -> Usage:
    """Add usages up."""
    added: Counter[str] = Counter()
    for line in lines:
        added.update(line)
    return added


def storage_dollars(stored: Stored, months: float) -> float:
    prices = LISTED["s3"]
    month = stored.standard * prices["gb_month"] + stored.infrequent * prices["gb_month_infrequent"]
    return float(month / 2**30 * months)
