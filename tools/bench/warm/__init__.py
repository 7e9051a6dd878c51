"""CPU of a warm invocation, ours against a handler by hand with boto3's clients that makes the same calls."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cloud import ENVIRONMENT
from tools.bench.report import Goal, Section

ROOT = Path(__file__).parents[3]
COMMAND = "python -m tools.bench.warm"

GOALS = {"create_upload_intent": 0.8, "bind_avatar": 1.0, "get_upload": 1.0, "get_profile": 1.0}
ROUNDS, QUICK_ROUNDS, BLOCK = 31, 7, 40

INTRODUCTION = """\
One process holds both handlers, and an AWS that answers below botocore's HTTP layer with canned bytes, the same to
both. They take turns, {rounds} rounds of {block} calls each. The handler by hand is in `tools/bench/warm/peers.py`: boto3's
clients as they come, the same calls with the same conditions and the same answers, and of a change a line of log and a
metric. botocore's C extension for signing is off: the layer is without it.
"""


@dataclass(frozen=True)
class Measured:
    """One function: milliseconds a call in each round, and the calls it makes to AWS."""

    function: str
    ms: Mapping[str, Sequence[float]]
    calls: Mapping[str, Sequence[str]]

    @property
    def ratios(self) -> list[float]:
        return [one / other for one, other in zip(self.ms["ours"], self.ms["peer"], strict=True)]

    @property
    def spread(self) -> str:
        low, _, high = statistics.quantiles(self.ratios, n=4)
        return f"{low:.2f}-{high:.2f}"


def run(quick: bool) -> Section:
    """Measures each function beside its peer."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    every = [_measure(function, rounds) for function in GOALS]
    introduction = INTRODUCTION.format(rounds=rounds, block=BLOCK)
    goals = [
        Goal(
            f"{each.function} ÷ the same by hand, CPU of a warm call",
            GOALS[each.function],
            statistics.median(each.ratios),
            spread=each.spread,
        )
        for each in every
    ]
    return Section("Warm calls", COMMAND, f"{introduction}\n{_table(every)}\n", goals=tuple(goals))


def _measure(function: str, rounds: int) -> Measured:
    found = json.loads(_worker(function, str(rounds), str(BLOCK)))
    if found["calls"]["ours"] != found["calls"]["peer"]:
        raise RuntimeError(f"{function} and its peer make other calls: {found['calls']}")
    return Measured(function, found["ms"], found["calls"])


def _worker(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.warm.worker", *arguments],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, "BOTO_DISABLE_CRT": "true", "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
    return done.stdout


def _table(every: Sequence[Measured]) -> str:
    rows = ["| function | its calls | ours, ms | by hand, ms | ÷ |", "|---|---|---:|---:|---:|"]
    return "\n".join([*rows, *(_row(each) for each in every)])


def _row(each: Measured) -> str:
    mine, theirs = (statistics.median(each.ms[side]) for side in ("ours", "peer"))
    ratio = f"{statistics.median(each.ratios):.2f} ({each.spread})"
    return f"| `{each.function}` | {', '.join(each.calls['ours'])} | {mine:.2f} | {theirs:.2f} | {ratio} |"
