"""Let every contender do the same job in a process of its own, in turns.

A request is one line of JSON: `path`, `content_type`, `job`, `sizes`, `names`, `quality`, `master_side` (0 for none)
and `out`, a folder for the files or null. The answer is one line: `cpu` and `wall` in milliseconds, and `bytes`
of each file.
"""

import json
import os
import shutil
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from tools.bench.derivatives.contenders import CONTENDERS, OURS, QUALITY, Job
from tools.bench.report import ROOT

HERE = Path(__file__).parent
BEST, BEST_FINE, USUAL = "sharp, best", "sharp, best, high quality", "sharp, usual"
SHARP = (BEST, BEST_FINE, USUAL)
QUALITIES = range(QUALITY - 6, QUALITY + 10)
"""Among these, the one is taken with which sharp's files are as large as ours."""


@dataclass(frozen=True)
class Task:
    """One picture and one job."""

    source: str
    path: Path
    content_type: str
    job: Job
    master_side: int


@dataclass(frozen=True)
class Cost:
    """What one contender used in each round, and the bytes of its files at that quality."""

    cpu: tuple[float, ...]
    wall: tuple[float, ...]
    bytes: tuple[int, ...]
    quality: int

    @property
    def ms(self) -> float:
        return median(self.cpu)


class Worker:
    """The process of one contender, on one core."""

    def __init__(self, contender: str) -> None:
        is_sharp = contender in SHARP
        program = ["node", "sharp.mjs"] if is_sharp else [sys.executable, "-m", "tools.bench.derivatives.worker"]
        self._process = subprocess.Popen(
            [*program, contender],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=HERE if is_sharp else ROOT,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            text=True,
        )
        os.sched_setaffinity(self.pid, {min(os.sched_getaffinity(0))})

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, task: Task, quality: int = QUALITY, out: Path | None = None) -> dict[str, Any]:
        """Do the job once, in the process."""
        request = {
            "path": str(task.path),
            "content_type": task.content_type,
            "job": task.job.name,
            "sizes": [{"width": size.width, "height": size.height} for size in task.job.sizes],
            "names": task.job.names,
            "quality": quality,
            "master_side": task.master_side if task.job.master else 0,
            "out": str(out) if out else None,
        }
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker failed with {task.source}")
        told: dict[str, Any] = json.loads(answer)
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._process.communicate()


def contenders() -> tuple[str, ...]:
    """Return the contenders that are installed."""
    has_sharp = shutil.which("node") is not None and (ROOT / "tools/bench/node_modules/sharp").is_dir()
    return (*CONTENDERS, *(SHARP if has_sharp else ()))


def compare(task: Task, rounds: int, out: Path) -> dict[str, Cost]:
    """Measure every contender. Their files are in the folders of `out`, named after them."""
    names = contenders()
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(name)) for name in names}
        target = shown_bytes(task.job, workers[OURS].ask(task)["bytes"])
        qualities = {name: _quality(workers[name], task, target) if name in SHARP else QUALITY for name in names}
        answers: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for name in names:
            folder = out / name
            folder.mkdir(parents=True, exist_ok=True)
            workers[name].ask(task, qualities[name], folder)
        for number in range(rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                answers[name].append(workers[name].ask(task, qualities[name]))
    return {name: _cost(answers[name], qualities[name]) for name in names}


def shown_bytes(job: Job, sizes: Sequence[int]) -> int:
    """Return the bytes of all files but the master."""
    return sum(sizes[: len(job.sizes)])


def _quality(worker: Worker, task: Task, target: int) -> int:
    """Return the encoder quality with which the files come closest to so many bytes."""

    @cache
    def total(quality: int) -> int:
        return shown_bytes(task.job, worker.ask(task, quality)["bytes"])

    above = bisect_left(QUALITIES, target, hi=len(QUALITIES) - 1, key=total)
    return min(QUALITIES[max(above - 1, 0)], QUALITIES[above], key=lambda each: abs(total(each) - target))


def _cost(answers: Sequence[dict[str, Any]], quality: int) -> Cost:
    cpu, wall = (tuple(float(each[what]) for each in answers) for what in ("cpu", "wall"))
    return Cost(cpu, wall, tuple(answers[-1]["bytes"]), quality)


def peak_memory(task: Task, contender: str) -> float:
    """Return the most MiB that a fresh process holds during one job, plus what its child holds of its own.

    The kernel records the peak of the process. The child's pages are sampled, because it is gone afterwards.
    """
    with Worker(contender) as worker:
        samples, done = [0.0], Event()

        def watch() -> None:
            while not done.wait(0.001):
                samples.extend(map(_private_mib, _children(worker.pid)))

        watcher = Thread(target=watch)
        watcher.start()
        worker.ask(task)
        done.set()
        watcher.join()
        return _mib(Path(f"/proc/{worker.pid}/status"), "VmHWM:") + max(samples)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _private_mib(pid: int) -> float:
    """Return the memory that a process does not share with its parent."""
    try:
        return _mib(Path(f"/proc/{pid}/smaps_rollup"), "Private_Dirty:", "Private_Clean:")
    except OSError:  # it has just ended
        return 0.0


def _mib(table: Path, *names: str) -> float:
    lines = (line.split() for line in table.read_text().splitlines())
    return sum(int(line[1]) / 1024 for line in lines if line[0] in names)
