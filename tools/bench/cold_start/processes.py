"""Fresh processes, and what they took: instructions under valgrind, CPU seconds, and the time of each import."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from tests.cold_start.processes import ISOLATED, Command

VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")
_IMPORTED = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def counted(command: Command) -> tuple[int, subprocess.CompletedProcess[str]]:
    """The instructions of the whole process, the interpreter's own start included, and what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        done = command.run(*VALGRIND, f"--log-file={folder}/%p")
        # Of the process itself: a function's children, if it has any, write logs of their own.
        logs = sorted(Path(folder).iterdir(), key=lambda log: int(log.name))
        found = _COUNTED.findall(logs[0].read_text())
    return int(found[-1].replace(",", "")), done


def instructions(command: Command) -> int:
    """The instructions of the whole process."""
    return counted(command)[0]


def cpu_seconds(command: Command) -> float:
    """User and system time of a fresh process and its children."""
    before = os.times()
    command.run()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def import_times(command: Command, rounds: int) -> dict[str, float]:
    """Milliseconds of each module's own import, the least of several runs: what disturbs only ever adds."""
    least: dict[str, float] = {}
    for _ in range(rounds):
        said = command.run(options=(*ISOLATED, "-X", "importtime")).stderr
        for microseconds, module in _IMPORTED.findall(said):
            least[module] = min(least.get(module, float("inf")), int(microseconds) / 1000)
    return least
