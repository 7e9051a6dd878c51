"""Run Python in fresh processes, and measure what they use."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON = os.path.realpath(sys.executable)
CACHEGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_TOTAL = re.compile(r"I\s+refs:\s+([\d,]+)")


@dataclass(frozen=True)
class Command:
    """A Python process to start: its arguments, its whole environment and its input.

    Python runs isolated and writes no bytecode, as in Lambda, where the files of a function are read-only.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdin: str = ""

    def run(self, *prefix: str) -> subprocess.CompletedProcess[str]:
        """Run the process. Raise RuntimeError if it fails."""
        done = subprocess.run(
            [*prefix, PYTHON, "-I", "-S", "-B", *self.arguments],
            input=self.stdin,
            env={"PATH": os.defpath, "PYTHONHASHSEED": "0", **self.environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(self.arguments)}: {done.stderr[-2000:]}{done.stdout[-500:]}")
        return done


@dataclass(frozen=True)
class Measured:
    """One run of a process. CPU time includes its children; instructions do not."""

    done: subprocess.CompletedProcess[str]
    instructions: int = 0
    cpu_ms: float = 0


def count_instructions(command: Command) -> Measured:
    """Run the process under valgrind."""
    with tempfile.TemporaryDirectory() as folder:
        done = command.run(*CACHEGRIND, f"--log-file={folder}/%p")
        # One log per process; the lowest process id is the parent's.
        first = min(Path(folder).iterdir(), key=lambda log: int(log.name))
        total = _TOTAL.findall(first.read_text())[-1]
    return Measured(done, instructions=int(total.replace(",", "")))


def measure_cpu(command: Command) -> Measured:
    """Run the process, and return its user and system time."""
    before = os.times()
    done = command.run()
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(done, cpu_ms=seconds * 1000)
