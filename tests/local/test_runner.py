"""The runner behaves as Lambda: isolation, concurrency, timeouts, crashes, error messages."""

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.local.standins import DEADLINE_SECONDS
from tools.local.runner import MAX_PAYLOAD, Function, PayloadTooLarge, Runner

WriteFunction = Callable[[str, str], Path]
StartRunner = Callable[..., Runner]


def test_handler_gets_event_context_and_its_own_environment(
    write_function: WriteFunction, start_runner: StartRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "leaks")
    code = write_function(
        "echo",
        """
        import os

        def handler(event, context):
            return {
                "event": event,
                "request": context.aws_request_id,
                "name": context.function_name,
                "memory": context.memory_limit_in_mb,
                "remaining": context.get_remaining_time_in_millis(),
                "environment": dict(os.environ),
            }
        """,
    )
    function = Function("EchoFunction", "app.handler", code, {"TABLE": "uploads"}, timeout=60, memory=512)
    outcome = start_runner(function).invoke("EchoFunction", '{"a": 1}', request_id="r-1")
    answer = json.loads(outcome.payload)
    assert not outcome.failed
    assert (answer["event"], answer["request"], answer["name"], answer["memory"]) == (
        {"a": 1},
        "r-1",
        "EchoFunction",
        "512",
    )
    assert 0 < answer["remaining"] <= 60_000
    assert answer["environment"]["TABLE"] == "uploads"
    assert answer["environment"]["AWS_LAMBDA_FUNCTION_NAME"] == "EchoFunction"
    assert "SECRET_OF_THE_DEVELOPER" not in answer["environment"]
    assert "HOME" not in answer["environment"]


def test_idle_worker_is_reused_and_busy_ones_run_in_parallel(
    write_function: WriteFunction, start_runner: StartRunner, tmp_path: Path
) -> None:
    code = write_function(
        "meet",
        """
        import os, pathlib, time

        def handler(event, context):
            folder = pathlib.Path(event["folder"])
            (folder / f"{os.getpid()}").touch()
            while len(list(folder.iterdir())) < event["wanted"] and context.get_remaining_time_in_millis() > 100:
                time.sleep(0.01)
            return os.getpid()
        """,
    )
    runner = start_runner(Function("MeetFunction", "app.handler", code, {}, timeout=300))
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    alone = [runner.invoke("MeetFunction", json.dumps({"folder": str(first), "wanted": 1})).payload for _ in range(3)]
    assert len(set(alone)) == 1, "an idle worker is reused"
    with ThreadPoolExecutor(4) as threads:
        event = json.dumps({"folder": str(second), "wanted": 4})
        together = list(threads.map(lambda _: runner.invoke("MeetFunction", event).payload, range(4)))
    assert len(set(together)) == 4, "each handler waited for three others, so all four ran at once"


def test_worker_over_its_timeout_is_killed_with_its_children(
    write_function: WriteFunction, start_runner: StartRunner, tmp_path: Path
) -> None:
    code = write_function(
        "slow",
        """
        import os, pathlib, time

        def handler(event, context):
            child = os.fork()
            if child == 0:
                time.sleep(600)
            pathlib.Path(event).write_text(str(child))
            os.waitpid(child, 0)
        """,
    )
    runner = start_runner(Function("SlowFunction", "app.handler", code, {}, timeout=3))
    outcome = runner.invoke("SlowFunction", json.dumps(str(tmp_path / "child")), request_id="r-2")
    error = json.loads(outcome.payload)
    assert outcome.failed
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"] == "RequestId: r-2 Error: Task timed out after 3.00 seconds"
    assert _dies(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize(
    ("source", "type_", "message"),
    [
        ("def handler(event, context):\n    raise ValueError('no')", "ValueError", "no"),
        ("def handler(event, context):\n    raise Exception('Unauthorized')", "Exception", "Unauthorized"),
        ("def handler(event, context):\n    return object()", "Runtime.MarshalError", "not JSON serializable"),
        ("import nothing_of_this_name", "Runtime.ImportModuleError", "nothing_of_this_name"),
        ("import os\ndef handler(event, context):\n    os._exit(3)", "Runtime.ExitError", "exited"),
    ],
)
def test_failure_is_described_as_lambda_describes_it(
    source: str, type_: str, message: str, write_function: WriteFunction, start_runner: StartRunner
) -> None:
    runner = start_runner(Function("FailingFunction", "app.handler", write_function("failing", source), {}))
    for _ in range(2):  # a new worker replaces a dead one
        outcome = runner.invoke("FailingFunction", "{}")
        error = json.loads(outcome.payload)
        assert outcome.failed
        assert error["errorType"] == type_
        assert message in error["errorMessage"]
        assert outcome.error_message == error["errorMessage"]


def test_handlers_output_and_report_are_in_the_functions_log(
    write_function: WriteFunction, start_runner: StartRunner, tmp_path: Path
) -> None:
    code = write_function("talk", 'def handler(event, context):\n    print(\'{"said": "hello"}\')')
    start_runner(Function("TalkFunction", "app.handler", code, {})).invoke("TalkFunction", "{}", request_id="r-3")
    said, report = map(json.loads, (tmp_path / "logs" / "TalkFunction.log").read_text().splitlines())
    assert said == {"said": "hello"}
    assert report["type"] == "platform.report"
    assert (report["record"]["requestId"], report["record"]["status"]) == ("r-3", "success")


def test_event_over_six_megabytes_is_refused(write_function: WriteFunction, start_runner: StartRunner) -> None:
    code = write_function("size", "def handler(event, context):\n    return len(event)")
    runner = start_runner(Function("SizeFunction", "app.handler", code, {}))
    assert runner.invoke("SizeFunction", json.dumps("x" * (MAX_PAYLOAD - 2))).payload == str(MAX_PAYLOAD - 2)
    with pytest.raises(PayloadTooLarge):
        runner.invoke("SizeFunction", json.dumps("x" * MAX_PAYLOAD))


def test_workers_end_with_the_runner(write_function: WriteFunction, start_runner: StartRunner) -> None:
    code = write_function("pid", "import os\ndef handler(event, context):\n    return os.getpid()")
    runner = start_runner(Function("PidFunction", "app.handler", code, {}))
    pid = int(runner.invoke("PidFunction", "{}").payload)
    runner.stop()
    assert _dies(pid)


def _dies(pid: int) -> bool:
    """Return whether the process ends; a zombie counts as ended."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
    return False
