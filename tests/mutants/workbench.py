"""Tries a seeded bug out on a copy of the project: the tests that should notice it are run there, in a new process."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = "layers/profile_media"
TIME_LIMIT = 600
"""Seconds for one bug. Its tests take a few, and a machine may be busy."""

_CAUGHT = re.compile(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Bug:
    """A text of the project, what to put in its place, and the tests that should notice."""

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]
    also: tuple["Bug", ...] = ()
    """What is wrong at the same time, where one check makes up for another. Their tests are not run."""

    @property
    def changes(self) -> tuple["Bug", ...]:
        """All that is wrong."""
        return (self, *self.also)

    def applied(self, content: str) -> str:
        """The file with the bug in it; raises ValueError unless the text is there exactly once."""
        if (times := content.count(self.text)) != 1:
            raise ValueError(f"{self.name}: the text is in {self.file} {times} times, not once")
        if self.text == self.instead:
            raise ValueError(f"{self.name}: nothing would change")
        return content.replace(self.text, self.instead)


class Verdict(NamedTuple):
    """What the tests said."""

    exit_code: int
    caught_by: str
    output: str
    seconds: float


class Workbench:
    """The copy; the tree itself is never touched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        leftovers = shutil.ignore_patterns(".*", "__pycache__", "build", "node_modules")
        shutil.copytree(ROOT, folder, ignore=leftovers, dirs_exist_ok=True)
        (folder / ".venv").symlink_to(ROOT / ".venv")

    def package(self) -> Path:
        """Where the tests here get the package from."""
        found = self._python("-c", "import profile_media; print(profile_media.__file__)")
        return Path(found.stdout.strip())

    @contextmanager
    def holding(self, bug: Bug) -> Iterator[None]:
        """Has the bug in the copy meanwhile."""
        before = {self.folder / change.file: (self.folder / change.file).read_text() for change in bug.changes}
        try:
            for change in bug.changes:
                file = self.folder / change.file
                file.write_text(change.applied(file.read_text()))
            yield
        finally:
            for file, content in before.items():
                file.write_text(content)

    def run(self, tests: Sequence[str]) -> Verdict:
        """Runs tests up to the first that fails."""
        began = time.monotonic()
        pytest = ("-m", "pytest", "-x", "-q", "--tb=short", "-rfE", "-p", "no:cacheprovider", "-n", "0")
        done = self._python(*pytest, *tests)
        caught = _CAUGHT.search(done.stdout)
        return Verdict(done.returncode, caught[1] if caught else "", done.stdout, time.monotonic() - began)

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        passed_on = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
        # Ahead of the package that is installed. No byte code: it is told by its second and its size, as bugs are not.
        ours = {"PYTHONPATH": str(self.folder / PACKAGE), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=passed_on | ours,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
