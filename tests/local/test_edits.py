"""An edit takes effect with the next call: functions, their packages, the authorizer's cache and the template."""

import json
import shutil
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from werkzeug.test import Client

from tests.local.standins import eventually
from tools.local import pools
from tools.local.addresses import Addresses
from tools.local.reload import LiveGateway
from tools.local.runner import Function, Runner
from tools.template import Template

StartRunner = Callable[..., Runner]
WriteFunction = Callable[[str, str], Path]
ReadTemplate = Callable[..., Template]

ANSWER = "def handler(event, context):\n    return {}\n"
TEMPLATE = """
    Resources:
      Api:
        Type: AWS::Serverless::Api
        Properties: {StageName: v1}
      UploadsBucket: {Type: AWS::S3::Bucket}
      EchoFunction:
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: functions/echo
          Handler: app.handler
          Timeout: 300
          Events: {Api: {Type: Api, Properties: {RestApiId: !Ref Api, Method: GET, Path: /echo}}}
          Environment: {Variables: {GREETING: hello}}
"""
ECHO = """
    import os

    def handler(event, context):
        return {"statusCode": 200, "body": os.environ["GREETING"]}
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package that functions import."""
    module = tmp_path / "layer" / "edited_package" / "rules.py"
    module.parent.mkdir(parents=True)
    (module.parent / "__init__.py").touch()
    module.write_text("ANSWER = 1\n")
    return module


@pytest.fixture
def invoke(
    write_function: WriteFunction, start_runner: StartRunner, package: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """Invoke one of two functions that return the package's answer."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    source = "from edited_package.rules import ANSWER\n\ndef handler(event, context):\n    return ANSWER\n"
    names = ("OneFunction", "TwoFunction")
    codes = [write_function(name, source) for name in names]
    layers = (package.parents[1],)
    functions = [
        Function(name, "app.handler", code, {}, timeout=300, layers=layers)
        for name, code in zip(names, codes, strict=True)
    ]
    runner = start_runner(*functions)
    return lambda name: runner.invoke(name, "{}").payload


def test_next_call_of_every_function_runs_a_saved_package(invoke: Callable[[str], str], package: Path) -> None:
    for answer in range(1, 8):  # several saves of equal size within a second, which bytecode would not show
        package.write_text(f"ANSWER = {answer}\n")
        assert [invoke("OneFunction"), invoke("TwoFunction")] == [str(answer)] * 2


def test_syntax_error_is_reported_until_it_is_mended(
    invoke: Callable[[str], str], package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package.write_text("ANSWER = (1\n")
    error = json.loads(invoke("OneFunction"))
    assert (error["errorType"], str(package) in error["stackTrace"][0]) == ("Runtime.UserCodeSyntaxError", True)
    invoke("OneFunction")
    assert capsys.readouterr().out.count("OneFunction failed:") == 1
    package.write_text("ANSWER = 2\n")
    assert invoke("OneFunction") == "2"


def test_call_that_runs_during_a_save_ends_before_new_code_answers(
    write_function: WriteFunction, start_runner: StartRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "DRAIN_SECONDS", 300)
    source = """
        import pathlib, time

        def handler(event, context):
            (folder := pathlib.Path(event)).joinpath("begun").touch()
            while not folder.joinpath("saved").exists():
                time.sleep(0.01)
            return "old"
        """
    code = write_function("wait", source)
    runner = start_runner(Function("WaitFunction", "app.handler", code, {}, timeout=300))
    ended: list[str] = []

    def call() -> None:
        ended.append(json.loads(runner.invoke("WaitFunction", json.dumps(str(tmp_path))).payload))

    with ThreadPoolExecutor(2) as threads:
        old = threads.submit(call)
        eventually((tmp_path / "begun").exists)
        loaded = f"import pathlib\npathlib.Path({str(tmp_path / 'loaded')!r}).touch()\n"
        (code / "app.py").write_text(loaded + 'def handler(event, context):\n    return "new"\n')
        new = threads.submit(call)
        eventually((tmp_path / "loaded").exists)
        (tmp_path / "saved").touch()
        old.result()
        new.result()
    assert ended == ["old", "new"]


@pytest.fixture
def live(read_template: ReadTemplate, write_function: WriteFunction, start_runner: StartRunner) -> SimpleNamespace:
    """A gateway on a template that `write` changes, with its client and what it published."""
    write_function("echo", ECHO)
    state = SimpleNamespace(text=TEMPLATE, published=0)
    addresses = Addresses("http://a", "http://p", "http://e", "http://i", "http://aws")

    def published() -> None:
        state.published += 1

    runner = start_runner(*addresses.functions(read_template(TEMPLATE)).values())
    gateway = LiveGateway(lambda: read_template(state.text), runner, addresses, published)
    state.client = Client(gateway)
    state.gateway = gateway

    def write(old: str, new: str) -> None:
        assert old in state.text
        state.text = state.text.replace(old, new)
        gateway.template.path.write_text(textwrap.dedent(state.text))
        gateway.check()

    state.write = write
    return state


def test_template_change_is_applied_to_functions_and_routes(
    live: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert live.client.get("/echo").text == "hello"
    live.gateway.check()
    assert capsys.readouterr().out == "", "nothing has changed"

    live.write("GREETING: hello", "GREETING: goodbye")
    assert live.client.get("/echo").text == "goodbye"
    live.write("Path: /echo", "Path: /greet")
    assert (live.client.get("/greet").text, live.client.get("/echo").status_code) == ("goodbye", 403)
    assert live.published == 2
    printed = capsys.readouterr().out
    assert "applied to EchoFunction\n" in printed
    assert "applied to GET /echo, GET /greet\n" in printed


def test_template_change_that_needs_a_restart_is_named(
    live: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    live.write("Type: AWS::S3::Bucket}", "Type: AWS::S3::Bucket, Properties: {BucketName: other}}")
    assert "Stop and start `make up` to change UploadsBucket\n" in capsys.readouterr().out


def test_invalid_template_keeps_the_last_one(live: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    live.write("Type: Api, Properties: {", "Type: Api, Properties: {{")
    assert "The template is invalid" in capsys.readouterr().out
    assert live.client.get("/echo").text == "hello"
    live.write("Properties: {{", "Properties: {")
    live.write("GREETING: hello", "GREETING: healed")
    assert live.client.get("/echo").text == "healed"


@pytest.mark.assurance  # debugpy takes seconds to start
def test_debugged_functions_share_a_process_and_run_saved_code_without_a_timeout(
    write_function: WriteFunction, start_runner: StartRunner, package: Path, tmp_path: Path
) -> None:
    source = """
        import os
        from edited_package.rules import ANSWER

        def handler(event, context):
            print("said")
            return [ANSWER, os.getpid(), context.get_remaining_time_in_millis() > 3_600_000]
        """
    names = ("OneFunction", "TwoFunction")
    functions = [
        Function(name, "app.handler", write_function(name, source), {}, timeout=0.001, layers=(package.parents[1],))
        for name in names
    ]
    runner = start_runner(*functions, debug_port=0)
    assert runner.debug_port()
    processes = set()
    for answer in range(1, 4):
        package.write_text(f"ANSWER = {answer}\n")
        for name in names:
            found, process, has_time = json.loads(runner.invoke(name, "{}").payload)
            assert (found, has_time) == (answer, True)
            processes.add(process)
    assert len(processes) == 1
    for name in names:
        assert (tmp_path / "logs" / f"{name}.log").read_text().count("said\n") == 3


def test_removed_file_is_reported(invoke: Callable[[str], str], package: Path) -> None:
    assert invoke("OneFunction") == "1"
    shutil.rmtree(package.parent)
    assert json.loads(invoke("OneFunction"))["errorType"] == "Runtime.ImportModuleError"
