"""Small functions and templates of the tests' own, so that the local stack is tested apart from the service."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.runner import Function, Runner

type StartRunner = Callable[..., Runner]


@pytest.fixture
def write_function(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a function's folder and returns it."""

    def write(name: str, source: str) -> Path:
        folder = tmp_path / "functions" / name
        folder.mkdir(parents=True)
        (folder / "app.py").write_text(textwrap.dedent(source))
        return folder

    return write


@pytest.fixture
def start_runner(tmp_path: Path) -> Iterator[StartRunner]:
    """Starts runners, and ends them with the test."""
    started: list[Runner] = []

    def start(*functions: Function) -> Runner:
        started.append(Runner({function.name: function for function in functions}, tmp_path / "logs"))
        return started[-1]

    yield start
    for runner in started:
        runner.stop()
