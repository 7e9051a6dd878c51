"""Has contenders do jobs, each in a process of its own that stays, in turns: what disturbs one disturbs all.

A question is a line of JSON: contender, path, content_type, job, and out, a folder for the files or null. The answer
is one too: cpu and wall in ms, for the job alone; peak, in KiB, of the process since it began; bytes of each file.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import MappingProxyType, TracebackType
from typing import Self

from tools.bench.derivatives.contenders import CONTENDERS
from tools.bench.derivatives.jobs import Job

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

OURS, GUARDED, FLOOR = "this pipeline", "this pipeline, guarded", "the floor"
TUTORIAL = "tutorial Pillow"
USUAL, USUAL_FINE = "sharp, usual", "sharp, usual, high quality"
BEST, BEST_FINE = "sharp, best", "sharp, best, high quality"
BY_SHARP = (BEST_FINE, BEST, USUAL_FINE, USUAL)


@dataclass(frozen=True)
class Task:
    """One picture and what is to be made of it."""

    source: str
    path: Path
    content_type: str
    job: Job
    master_side: int


@dataclass(frozen=True)
class Cost:
    """What one contender's work cost, time after time."""

    cpu: tuple[float, ...]
    wall: tuple[float, ...]
    bytes: tuple[int, ...]
    """Of each file."""

    @property
    def ms(self) -> float:
        return median(self.cpu)


class Worker:
    """One contender's process."""

    def __init__(self, contender: str, cores: Iterable[int]) -> None:
        self._contender = contender
        allowed = set(cores)
        program = (
            ["node", "sharp.mjs"] if contender in BY_SHARP else [sys.executable, "-m", "tools.bench.derivatives.worker"]
        )
        self._process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=HERE if contender in BY_SHARP else ROOT,
            env={**os.environ, "VIPS_CONCURRENCY": str(len(allowed)), "PYTHONWARNINGS": "ignore"},
            text=True,
        )
        os.sched_setaffinity(self._process.pid, allowed)

    def ask(self, task: Task, out: Path | None = None) -> dict[str, object]:
        question = {
            "contender": self._contender,
            "path": str(task.path),
            "content_type": task.content_type,
            "job": task.job.said(task.master_side),
            "out": str(out) if out else None,
        }
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipes")
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._contender} failed at {task.source}")
        told: dict[str, object] = json.loads(answer)
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._process.communicate()


def contenders() -> tuple[str, ...]:
    """Everyone who can do this here."""
    return (*CONTENDERS, *(BY_SHARP if has_sharp() else ()))


def has_sharp() -> bool:
    return shutil.which("node") is not None and (ROOT / "tools/bench/node_modules/sharp").is_dir()


@contextmanager
def workers(names: Iterable[str], cores: Iterable[int]) -> Iterator[MappingProxyType[str, Worker]]:
    with ExitStack() as stack:
        yield MappingProxyType({name: stack.enter_context(Worker(name, cores)) for name in names})


def compare(task: Task, rounds: int, cores: Iterable[int], out: Path | None = None) -> dict[str, Cost]:
    """Everyone's cost; a first round is for warming up, and for the files."""
    names = contenders()
    answers: dict[str, list[dict[str, object]]] = {name: [] for name in names}
    with workers(names, cores) as asked:
        for name, worker in asked.items():
            folder = out / name if out else None
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
            worker.ask(task, folder)
        for at in range(rounds):
            for name in names[at % len(names) :] + names[: at % len(names)]:
                answers[name].append(asked[name].ask(task))
    return {name: _cost(told) for name, told in answers.items()}


def _cost(told: list[dict[str, object]]) -> Cost:
    cpu, wall = ([float(str(each[what])) for each in told] for what in ("cpu", "wall"))
    sizes = told[-1]["bytes"]
    return Cost(tuple(cpu), tuple(wall), tuple(sizes) if isinstance(sizes, list) else ())


def peaks(task: Task, cores: Iterable[int]) -> dict[str, float]:
    """MiB that a fresh process of each contender holds at most while it does the job once."""
    found = {}
    for name in contenders():
        with Worker(name, cores) as worker:
            found[name] = float(str(worker.ask(task)["peak"])) / 1024
    return found


def ratio(one: Cost, other: Cost) -> tuple[float, str]:
    """How much the one costs of the other: the medians' ratio, and the middle half of each round's."""
    each = sorted(a / b for a, b in zip(one.cpu, other.cpu, strict=True))
    return one.ms / other.ms, f"{each[len(each) // 4]:.2f}-{each[-1 - len(each) // 4]:.2f}"
