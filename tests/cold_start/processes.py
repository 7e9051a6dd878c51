"""Run Python in fresh processes, isolated like a Lambda function."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PYTHON = os.path.realpath(sys.executable)
ISOLATED = ("-I", "-S", "-B")
"""Nothing from the environment or the user's folders, and no bytecode written: Lambda's files are read-only."""


@dataclass(frozen=True)
class Command:
    """What to run, the same every time, so that counts repeat."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdin: str = ""

    def run(self, *before: str, options: Sequence[str] = ISOLATED) -> subprocess.CompletedProcess[str]:
        """Run it. Raise RuntimeError if it fails."""
        done = subprocess.run(
            [*before, PYTHON, *options, *self.arguments],
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
