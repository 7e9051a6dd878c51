"""The bursts that docs/scale.md tells of: what is turned, what becomes of everybody, and what it costs."""

import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from tools.bench.scale.limits import deployment, parameters
from tools.bench.scale.simulation import PROCESS, Burst, Outcome, percentile, simulate
from tools.bench.scale.times import TIMES

BURST = Burst(users=100_000, seconds=60, bystanders=50)
SMALL = Burst(users=5_000, seconds=60, bystanders=50)
"""What a machine plays in seconds."""

PRICES = tomllib.loads((Path(__file__).parents[1] / "prices.toml").read_text())["lambda"]


@dataclass(frozen=True)
class Scenario:
    """Template parameters, and an account's quota, that are not as they are by default."""

    name: str
    throttle_rate: float | None = None
    process_concurrency: int | None = None
    poll_concurrency: int | None = None
    concurrency: int | None = None

    def turned(self) -> dict[str, float]:
        given = {
            "throttle_rate": self.throttle_rate,
            "throttle_burst": self.throttle_rate and 2 * self.throttle_rate,
            "process_concurrency": self.process_concurrency,
            "poll_concurrency": self.poll_concurrency,
            "concurrency": self.concurrency,
        }
        return {name: value for name, value in given.items() if value is not None}


SCENARIOS = (
    Scenario("as it comes"),
    Scenario("`ThrottleRate=2000`", 2000),
    Scenario("the same, `PollConcurrency=0`", 2000, None, 0),
    Scenario("`ThrottleRate=2000`, `ProcessConcurrency=300`", 2000, 300),
    Scenario("quota of 3,000, `ThrottleRate=2500`, both `…Concurrency=1000`", 2500, 1000, 1000, 2999),
)


@dataclass(frozen=True)
class Played:
    """A scenario and what came of it."""

    scenario: Scenario
    outcome: Outcome


def play(burst: Burst) -> tuple[Played, ...]:
    """All of them with the same burst."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as cores:
        return tuple(cores.map(_played, SCENARIOS, repeat(burst)))


def _played(scenario: Scenario, burst: Burst) -> Played:
    return Played(scenario, simulate(burst, deployment(**scenario.turned()), TIMES))


def starved(burst: Burst) -> tuple[float, float]:
    """What share of bystanders waits for longer than a second: with what is reserved by default, and with nothing."""
    shares = []
    for turned in ({}, {"process_concurrency": 0, "poll_concurrency": 0}):
        unthrottled = {"throttle_rate": 2000, "throttle_burst": 4000}
        slow = replace(TIMES, process=(2.0,))  # large pictures: what is processed is more than the account has room for
        outcome = simulate(burst, deployment(**unthrottled, **turned), slow)
        shares.append(1 - sum(seconds < 1 for seconds in outcome.profile) / max(1, len(outcome.profile)))
    return shares[0], shares[1]


def dollars(outcome: Outcome) -> float:
    """Of Lambda: what was waited in polls is paid for as well as what was processed."""
    chosen = parameters()
    gb_seconds = sum(
        seconds * chosen["ProcessMemorySize" if name == PROCESS else "ApiMemorySize"] / 1024
        for name, seconds in outcome.busy_seconds.items()
    )
    each, requests = float(PRICES["gb_second"]["arm64"]), float(PRICES["request"])
    return gb_seconds * each + outcome.runs * requests


def bursts_table(played: tuple[Played, ...]) -> str:
    """A row for each scenario."""
    head = "| Turned | Intent granted | Picture ready | Avatar shown | 429 | 5xx | Others wait | Too late | Lambda |"
    return "\n".join([head, "|---|---:|---:|---:|---:|---:|---:|---:|---:|", *map(_row, played)])


def _row(played: Played) -> str:
    outcome = played.outcome
    cells = [
        played.scenario.name,
        *(_waits(each) for each in (outcome.granted, outcome.ready, outcome.shown)),
        f"{sum(outcome.throttled.values()):,}",
        f"{sum(outcome.refused.values()):,}",
        _waits(outcome.profile),
        f"{outcome.expired:,}",
        f"${dollars(outcome):,.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _waits(values: list[float]) -> str:
    return " / ".join(_time(percentile(values, share)) for share in (0.5, 0.99))


def _time(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
