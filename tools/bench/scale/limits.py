"""What AWS and the template allow, what one changed picture takes of it, and at how many changes a day it is met.

Everything that docs/scale.md says in numbers comes from these tables and from the template's own defaults.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean

from samcli.yamlhelper import yaml_parse

from profile_media.dialects.native.showing import LONGEST_WAIT
from tools.bench.scale.simulation import Deployment, looks_within
from tools.bench.scale.times import PROCESS_MEAN, QUANTILES, TIMES

ROOT = Path(__file__).parents[3]

PEAK = 4
"""The busiest hour has so many times the changes of an average one."""

DAYS = (1_000, 100_000, 10_000_000)
"""Changes a day that the page answers for."""

RELEASE_SECONDS = 0.1  # a batch of 100
PURGE_SECONDS = 0.3  # a batch of 10
PREFLIGHT_SECONDS = 0.005
ACCOUNT_CONCURRENCY = 1000
SCALING, SCALING_SECONDS = 1000, 10
FIRST_PARTITIONS = 4
"""Of a new on-demand table, from what it takes at first and what a partition takes."""

METHODS = 4
"""An intent, a poll, a bind, and a look at the profile; a browser asks before each whether it may."""

UPLOADS_WRITES = {"intent: row and quota, in a transaction": 4, "settle": 1, "bind: new, old, count": 6}
UPLOADS_READS = {"process": 1, "bind, in a transaction": 2}
MEDIA_WRITES = {"four sizes and the master": 5, "the same, deleted": 5}
INCOMING_WRITES = {"posted": 1, "deleted": 1}

AWS = "https://docs.aws.amazon.com/"
PAGES = {
    "Lambda quotas": f"{AWS}lambda/latest/dg/gettingstarted-limits.html",
    "Lambda concurrency": f"{AWS}lambda/latest/dg/lambda-concurrency.html",
    "Lambda scaling": f"{AWS}lambda/latest/dg/scaling-behavior.html",
    "Lambda's asynchronous retries": f"{AWS}lambda/latest/dg/invocation-async-error-handling.html",
    "Lambda on queues": f"{AWS}lambda/latest/dg/services-sqs-scaling.html",
    "Lambda on streams": f"{AWS}lambda/latest/dg/services-ddb-params.html",
    "API Gateway quotas": f"{AWS}apigateway/latest/developerguide/limits.html",
    "DynamoDB quotas": f"{AWS}amazondynamodb/latest/developerguide/ServiceQuotas.html",
    "DynamoDB on demand": f"{AWS}amazondynamodb/latest/developerguide/on-demand-capacity-mode.html",
    "DynamoDB partitions": f"{AWS}amazondynamodb/latest/developerguide/bp-partition-key-design.html",
    "S3 request rates": f"{AWS}AmazonS3/latest/userguide/optimizing-performance.html",
    "SQS quotas": f"{AWS}AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html",
}


@dataclass(frozen=True)
class Limit:
    """One thing there is only so much of; what a change a second takes of it is in the same unit."""

    what: str
    allows: float
    unit: str
    takes: float
    page: str  # of PAGES; empty for a parameter of the template's
    turn: str

    def share(self, changes_a_day: float) -> float:
        """Of what is allowed, in the busiest hour."""
        return self.takes * changes_a_day * PEAK / 86_400 / self.allows

    @property
    def met_at(self) -> float:
        """Changes a day."""
        return 1 / self.share(1) if self.takes else math.inf


@cache
def parameters() -> dict[str, float]:
    """The template's numbers, by the name of the parameter."""
    declared = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
    return {name: float(body["Default"]) for name, body in declared.items() if body["Type"] == "Number"}


def deployment(**turned: float) -> Deployment:
    """An account with AWS's own quotas and a stack with the template's defaults, but for what is turned."""
    chosen = parameters()
    given = {
        "throttle_rate": chosen["ThrottleRate"],
        "throttle_burst": chosen["ThrottleBurst"],
        "process_concurrency": int(chosen["ProcessConcurrency"]),
        "poll_concurrency": int(chosen["PollConcurrency"]),
        "api_rate": 10_000,
        "api_burst": 5_000,
        "concurrency": ACCOUNT_CONCURRENCY - 1,  # reconcile keeps one to itself
        "scaling": SCALING,
        "scaling_seconds": SCALING_SECONDS,
        "pending_ttl": chosen["PendingTtlSeconds"],
        **turned,
    }
    return Deployment(**given)  # type: ignore[arg-type]


def poll() -> tuple[int, float]:
    """How often a poll looks at the row where nobody is before it, and how long it holds its function: means."""
    looks = looks_within(LONGEST_WAIT)
    settled = (TIMES.notice * scatter + seconds for scatter in QUANTILES for seconds in TIMES.process)
    last = [bisect_left(looks, at) for at in settled]
    return math.ceil(fmean(last) + 1), fmean(looks[each] for each in last) + TIMES.read


def shared_seconds() -> float:
    """Of the concurrency that functions with none of their own share, for one change."""
    calls = TIMES.authorize + TIMES.intent + TIMES.bind + TIMES.profile + METHODS * PREFLIGHT_SECONDS
    return calls + RELEASE_SECONDS / 100 + PURGE_SECONDS / 10


def limits() -> tuple[Limit, ...]:
    """All of them, the one that is met first at the top."""
    return tuple(sorted((*_api(), *_lambda(), *_tables(), *_storage()), key=lambda limit: limit.met_at))


def _api() -> Iterator[Limit]:
    rate = parameters()["ThrottleRate"]
    yield Limit("API Gateway, each method", rate, "requests/s", 1, "", "`ThrottleRate`, `ThrottleBurst`")
    turn = "quota *Throttle rate*; 2,500 in some regions"
    yield Limit("API Gateway, the account", 10_000, "requests/s", 2 * METHODS, "API Gateway quotas", turn)


def _lambda() -> Iterator[Limit]:
    process, polls = parameters()["ProcessConcurrency"], parameters()["PollConcurrency"]
    yield Limit("Lambda, `process_upload`", process, "at a time", PROCESS_MEAN, "", "`ProcessConcurrency`")
    yield Limit("Lambda, `get_upload`", polls, "at a time", poll()[1], "", "`PollConcurrency`")
    left = ACCOUNT_CONCURRENCY - process - polls - 1
    turn = "quota *Concurrent executions*"
    yield Limit("Lambda, all others together", left, "at a time", shared_seconds(), "Lambda quotas", turn)
    calls = 2 * METHODS + 2 + 1 / 10 + 1 / 100
    rate = 10 * ACCOUNT_CONCURRENCY
    yield Limit("Lambda, calls", rate, "calls/s", calls, "Lambda concurrency", "ten times the quota above")
    purges = PURGE_SECONDS / 10
    yield Limit("Lambda, `purge_media`", 1250, "at a time", purges, "Lambda on queues", "`BatchSize` of its source")


def _tables() -> Iterator[Limit]:
    writes, reads = sum(UPLOADS_WRITES.values()), sum(UPLOADS_READS.values()) + poll()[0]
    new, quota = "warms itself: twice the last peak; or set *warm throughput*", "quota of the table"
    yield Limit("DynamoDB, uploads, new: writes", 4000, "WRU/s", writes, "DynamoDB on demand", new)
    yield Limit("DynamoDB, uploads, new: reads", 12_000, "RRU/s", reads, "DynamoDB on demand", new)
    yield Limit("DynamoDB, uploads: writes", 40_000, "WRU/s", writes, "DynamoDB quotas", quota)
    yield Limit("DynamoDB, uploads: reads", 40_000, "RRU/s", reads, "DynamoDB quotas", quota)
    removed = FIRST_PARTITIONS * 100 / RELEASE_SECONDS
    turn = "`ParallelizationFactor`; more shards as the table grows"
    yield Limit("DynamoDB's stream, removed rows", removed, "rows/s", 1, "Lambda on streams", turn)


def _storage() -> Iterator[Limit]:
    split = "S3 splits the prefix by itself, in minutes; owners and ids spread evenly"
    incoming, media = sum(INCOMING_WRITES.values()), sum(MEDIA_WRITES.values())
    yield Limit("S3, `incoming/`, unsplit: writes", 3500, "requests/s", incoming, "S3 request rates", split)
    yield Limit("S3, `media/`, unsplit: writes", 3500, "requests/s", media, "S3 request rates", split)
    held = PURGE_SECONDS + 5  # with the window in which Lambda fills a batch
    turn = "`MaximumBatchingWindowInSeconds`"
    yield Limit("SQS, deletions being worked on", 120_000, "messages", held, "SQS quotas", turn)
