"""What a Lambda function takes and costs at each memory size, from the CPU time it uses and the time it waits.

Lambda gives CPU in proportion to memory, one whole CPU at 1,769 MiB. Our code computes one thing after another, so less
than one CPU stretches it and more than one changes nothing. What it waits for takes as long at any size. Billed is
memory x time, initialisation included: while CPU is what takes the time, a smaller size costs the same and takes
longer; while waiting does, it costs less and takes the same. Hence the cheapest is the smallest size that has room,
the fastest the smallest of one whole CPU, and time x price has its least where computing and waiting take alike, or
above, by what the fee of being called weighs.
"""

import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from samcli.yamlhelper import yaml_parse

HERE = Path(__file__).parent
ASSUMED = tomllib.loads((HERE / "assumptions.toml").read_text())

ONE_CPU: int = ASSUMED["lambda"]["one_cpu_mib"]
COLD_SHARE: float = ASSUMED["lambda"]["cold_share"]
INIT_CPUS: float = ASSUMED["lambda"]["init_cpus"]

SAME, ALIKE = 1.01, 1.05
"""Times within the first factor are the same, and balances within the second as good as one another."""


@dataclass(frozen=True)
class Job:
    """One invocation, as measured: CPU of initialising, of the first call on top of a warm one, of a warm call."""

    name: str
    init_ms: float
    first_ms: float
    cpu_ms: float
    wait_ms: float


@dataclass(frozen=True)
class Price:
    """What Lambda asks on one architecture, in dollars."""

    architecture: str
    gb_second: float
    request: float


def _prices() -> tuple[Price, ...]:
    listed = tomllib.loads((HERE.parent / "prices.toml").read_text())["lambda"]
    return tuple(Price(name, gb_second, listed["request"]) for name, gb_second in listed["gb_second"].items())


PRICES = _prices()


@dataclass(frozen=True)
class Parameter:
    """One of the template's memory sizes, in MiB."""

    name: str
    default: int
    least: int


def parameter(name: str) -> Parameter:
    """As the template has it."""
    written = yaml_parse((HERE.parents[2] / "template.yaml").read_text())["Parameters"][name]
    return Parameter(name, written["Default"], written["MinValue"])


@dataclass(frozen=True)
class Point:
    """One memory size: milliseconds of a warm and of a cold call, and dollars for a million, cold ones among them."""

    mib: int
    warm_ms: float
    cold_ms: float
    duration: float
    """Dollars for memory and time."""
    requests: float
    """Dollars for being called, which is the same at any size."""

    @property
    def mean_ms(self) -> float:
        return (1 - COLD_SHARE) * self.warm_ms + COLD_SHARE * self.cold_ms

    @property
    def dollars(self) -> float:
        return self.duration + self.requests

    @property
    def balance(self) -> float:
        """The less the better, where a hundredth of the time is worth a hundredth of what a call costs, fee and all.

        AWS Lambda Power Tuning leaves the fee out, and so makes much of what is little: of a short call it is most.
        """
        return self.mean_ms * self.dollars


@dataclass(frozen=True)
class Choice:
    """The sizes worth choosing, in MiB."""

    cheapest: int
    fastest: int
    balanced: tuple[int, ...]
    """Where time x its price is least, or next to it."""

    @property
    def recommended(self) -> frozenset[int]:
        return frozenset((self.cheapest, self.fastest, *self.balanced))


def point(jobs: Sequence[Job], mib: int, price: Price) -> Point:
    """What the jobs take and cost at a size, on average."""
    every = [_point(job, mib, price) for job in jobs]
    return Point(
        mib,
        fmean(each.warm_ms for each in every),
        fmean(each.cold_ms for each in every),
        fmean(each.duration for each in every),
        fmean(each.requests for each in every),
    )


def _point(job: Job, mib: int, price: Price) -> Point:
    cpus = min(1.0, mib / ONE_CPU)
    warm = job.cpu_ms / cpus + job.wait_ms
    cold = job.init_ms / INIT_CPUS + (job.first_ms + job.cpu_ms) / cpus + job.wait_ms
    billed = (1 - COLD_SHARE) * math.ceil(warm) + COLD_SHARE * math.ceil(cold)
    return Point(mib, warm, cold, 1e6 * billed / 1000 * mib / 1024 * price.gb_second, 1e6 * price.request)


def choose(points: Iterable[Point]) -> Choice:
    """The cheapest, the fastest and the balanced; of equals the smallest."""
    every = sorted(points, key=lambda each: each.mib)
    quickest = min(each.mean_ms for each in every)
    best = min(each.balance for each in every)
    return Choice(
        cheapest=min(every, key=lambda each: each.dollars).mib,
        fastest=next(each.mib for each in every if each.mean_ms <= quickest * SAME),
        balanced=tuple(each.mib for each in every if each.balance <= best * ALIKE),
    )


def waiting(calls: Sequence[str], size: int, stores_at_once: int) -> float:
    """Milliseconds that a job's calls wait, `size` bytes being fetched; its stores go out so many at a time."""
    waits = ASSUMED["waits"]
    stores = calls.count("PUT")
    rounds = math.ceil(stores / stores_at_once)
    alone = sum(waits["dynamodb"] if call.startswith("DynamoDB") else waits["s3"] for call in calls if call != "PUT")
    fetched = size / waits["fetched"] / 1000 if "GET" in calls else 0
    return float(alone + rounds * waits["s3"] + fetched)
