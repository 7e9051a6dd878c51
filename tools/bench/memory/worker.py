"""One function in a fresh process: what initialising it, its first call and warm calls take, of CPU and of memory.

python -m tools.bench.memory.worker FUNCTION REPETITIONS <event.json >measured.json
"""

import contextlib
import importlib
import json
import os
import resource
import sys
import time
from typing import Any

from tools.bench.context import context


def main(function: str, repetitions: int) -> None:
    """Invokes the function's handler, and prints what that took."""
    event, given = json.load(sys.stdin), context(function, 1769)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        started = _cpu_ms()
        handler = importlib.import_module(f"functions.{function}.app").handler
        init = _cpu_ms() - started
        answers: list[Any] = []
        calls = [_timed(handler, event, given, answers) for _ in range(1 + repetitions)]
    _check(answers)
    measured = {
        "init_ms": init,
        "first_ms": calls[0],
        "warm_ms": calls[1:],
        "peak_mib": _peak_mib(),
        "child_peak_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    print(json.dumps(measured))


def _timed(handler: Any, event: Any, context: Any, answers: list[Any]) -> float:
    started = _cpu_ms()
    answers.append(handler(event, context))
    return _cpu_ms() - started


def _cpu_ms() -> float:
    """Of this process and of the children it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() * 1000 + (children.ru_utime + children.ru_stime) * 1000


def _peak_mib() -> float:
    """Of this process; getrusage would tell of whoever started it, where that one was larger."""
    with open("/proc/self/status") as status:
        [line] = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _check(answers: list[Any]) -> None:
    """A call that failed took another way, and measures nothing."""
    for answer in answers:
        if isinstance(answer, dict) and answer.get("statusCode", 200) >= 300:
            raise SystemExit(f"the function answered {answer}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
