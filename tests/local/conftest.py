"""Small functions and templates, so that the local stack is tested apart from the service."""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.local.standins import eventually
from tools.local import aws
from tools.local.browser import send
from tools.local.runner import Function, Runner
from tools.local.serving import listen, port_of
from tools.template import Template, read

type StartRunner = Callable[..., Runner]
type ReadTemplate = Callable[..., Template]


@pytest.fixture
def write_function(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a function's folder and return it."""

    def write(name: str, source: str) -> Path:
        folder = tmp_path / "functions" / name
        folder.mkdir(parents=True)
        (folder / "app.py").write_text(textwrap.dedent(source))
        return folder

    return write


@pytest.fixture
def start_runner(tmp_path: Path) -> Iterator[StartRunner]:
    """Start runners, and stop them after the test."""
    started: list[Runner] = []

    def start(*functions: Function, debug_port: int | None = None) -> Runner:
        named = {function.name: function for function in functions}
        started.append(Runner(named, tmp_path / "logs", slow_imports=(), debug_port=debug_port))
        return started[-1]

    yield start
    for runner in started:
        runner.stop()


@pytest.fixture
def read_template(tmp_path: Path) -> ReadTemplate:
    """Write a template and read it as the stack does."""

    def read_text(
        text: str, given: Mapping[str, str] | None = None, endpoint: str = "http://aws", **local: str
    ) -> Template:
        path = tmp_path / "template.yaml"
        path.write_text(textwrap.dedent(text))
        return read(path, given or {}, endpoint, aws.REGION, local)

    return read_text


@pytest.fixture(scope="session")
def aws_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running moto."""
    listener = listen(0)
    endpoint = f"http://127.0.0.1:{port_of(listener)}"
    process = aws.start(listener, tmp_path_factory.mktemp("aws") / "aws.log")
    eventually(lambda: _answers(endpoint))
    yield endpoint
    process.kill()
    process.communicate()


@pytest.fixture
def empty_aws(aws_process: str) -> str:
    """The address of an empty moto."""
    assert send("POST", f"{aws_process}/moto-api/reset", b"").status == HTTPStatus.OK
    return aws_process


def _answers(endpoint: str) -> bool:
    try:
        return send("GET", f"{endpoint}/moto-api/data.json").status == HTTPStatus.OK
    except OSError:
        return False
