"""What a function takes on this machine: fresh processes that run its handler against the stub."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from profile_media.aws.objects import STORES
from tests.cloud import ENVIRONMENT
from tools.bench.memory.model import Job, waiting
from tools.bench.memory.stub import Stub, serving

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Measured:
    """A job as the model takes it, and what else was seen: the spread of the CPU time, and memory at its highest."""

    job: Job
    least_ms: float
    most_ms: float
    calls: tuple[str, ...]
    peak_mib: float
    """Of the process and of its decoding child together, though they share much."""


@dataclass(frozen=True)
class Taken:
    """By one process: CPU of each phase and memory at its highest, as the worker prints it."""

    init_ms: float
    first_ms: float
    warm_ms: list[float]
    peak_mib: float
    child_peak_mib: float


@dataclass(frozen=True)
class Input:
    """What a function is invoked on."""

    name: str
    function: str
    picture: bytes = b""
    content_type: str = "image/jpeg"

    @property
    def state(self) -> str:
        return "pending" if self.function == "process_upload" else "ready"


def measure(given: Input, starts: int, repetitions: int) -> Measured:
    """Starts the function so many times, each with so many warm calls; medians."""
    with serving(given.picture, given.content_type, given.state) as stub:
        _worker(given, stub, 0)  # compiles what was not compiled yet
        calls = tuple(stub.calls)
        every = [_worker(given, stub, repetitions) for _ in range(starts)]
    warm = [ms for each in every for ms in each.warm_ms]
    low, cpu, high = statistics.quantiles(warm, n=4)  # half of them lie between the outer two
    first = statistics.median(each.first_ms for each in every) - cpu
    init = statistics.median(each.init_ms for each in every)
    # Rounded here, so that whoever reads the table can compute the rest from it.
    job = Job(given.name, _tenth(init), _tenth(max(first, 0)), _tenth(cpu), _tenth(_wait(given, calls)))
    peak = max(each.peak_mib + each.child_peak_mib for each in every)
    return Measured(job, low, high, calls, peak)


def _wait(given: Input, calls: Sequence[str]) -> float:
    return waiting(calls, len(given.picture), STORES)


def _tenth(value: float) -> float:
    return round(value, 1)


def _environment() -> dict[str, str]:
    """This process's, but for what keeps bytecode from being written: a Lambda's is there already."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _worker(given: Input, stub: Stub, repetitions: int) -> Taken:
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.memory.worker", given.function, str(repetitions)],
        cwd=ROOT,
        env={**_environment(), **ENVIRONMENT, "AWS_ENDPOINT_URL": stub.url},
        stdin=(ROOT / f"events/{given.function}.json").open(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Taken(**json.loads(done.stdout))
