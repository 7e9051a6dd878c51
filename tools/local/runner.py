"""Run the template's functions as Lambda does: in worker processes, one invocation at a time in each.

A function gets another worker when all its workers are busy; an idle worker is reused, unless the function's source
files or its configuration have changed. A worker that exceeds the function's timeout is killed, with its child
processes.
"""

import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL
from typing import Any

from tools.local import console, worker
from tools.local.pools import Pool, Throttled
from tools.local.sources import Version, version_of
from tools.template import ACCOUNT, LAYER, Template

__all__ = ["Function", "Outcome", "PayloadTooLarge", "Runner", "Throttled", "Timeout", "functions_of"]

PRELOADED = (
    "botocore.session",
    "pydantic",
    "aws_lambda_powertools",
    "PIL.Image",
    "jwt",
    "urllib.request",
)
"""Slow modules that the functions import. None of them reads the environment when it is imported."""

MAX_WORKERS = 64
"""Workers per function. Further invocations are throttled, as in Lambda."""

MAX_PAYLOAD = 6 * 1024 * 1024
"""Bytes of an event or an answer: Lambda's limit."""

DEFAULT_TIMEOUT = 3
DEFAULT_MEMORY = 128
"""Lambda's defaults: seconds and megabytes."""

DEBUG_SECONDS = 24 * 3600
"""What a debugged function is told that it has left."""

START_SECONDS = 300
"""For a worker to start and import its handler. Lambda allows 10 seconds, but does not share one machine."""


class PayloadTooLarge(Exception):
    """The event exceeds Lambda's limit."""


@dataclass(frozen=True)
class Function:
    """One function's configuration."""

    name: str
    """Its logical id and the name of its log."""
    handler: str
    code: Path
    environment: Mapping[str, str]
    timeout: float = DEFAULT_TIMEOUT
    """Seconds."""
    memory: int = DEFAULT_MEMORY
    """Megabytes. The function reads it; it is not enforced."""
    concurrency: int = MAX_WORKERS
    region: str = "us-east-1"
    layers: tuple[Path, ...] = ()
    """Folders of further packages."""

    @property
    def sources(self) -> list[Path]:
        """The folders that its modules are imported from."""
        return [self.code, *self.layers]

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{self.name}"


@dataclass(frozen=True)
class Outcome:
    """The result of an invocation: the handler's answer, or an error as Lambda describes it."""

    request_id: str
    payload: str
    """JSON."""
    failed: bool = False

    @property
    def error_message(self) -> str | None:
        """The message of the handler's exception."""
        message = json.loads(self.payload).get("errorMessage") if self.failed else None
        return None if message is None else str(message)

    @property
    def traceback(self) -> str:
        """The handler's exception as Python prints it."""
        error = json.loads(self.payload)
        return "".join([*error.get("stackTrace", ()), f"{error.get('errorType')}: {error.get('errorMessage')}"])


@dataclass(frozen=True)
class Release:
    """What a function runs: its configuration and its source files."""

    function: Function
    files: Version


class Timeout(Exception):
    """The worker exceeded its time limit."""


class InitFailed(Exception):
    """A worker started, but its handler did not load. `error` is Lambda's description."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["errorMessage"])
        self.error = error


@dataclass
class _Worker:
    connection: socket.socket
    pid: int | None
    """None for a thread of the debugged process, which ends when its socket is closed."""

    def exchange(self, message: dict[str, Any], seconds: float | None) -> dict[str, Any] | None:
        """Return the worker's answer, or None if it died. Raise Timeout."""
        self.connection.settimeout(seconds)
        try:
            worker.send(self.connection, message)
            return worker.receive(self.connection)
        except TimeoutError:
            raise Timeout from None
        except OSError:
            return None

    def end(self) -> None:
        """Kill the process and its children."""
        self.connection.close()
        if self.pid:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, SIGKILL)


class Runner:
    """Invoke functions by logical id. Threads may share a runner.

    With a debug port, all functions run in one process to which a debugger can attach, and no call is ended because of
    its time.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        logs: Path,
        slow_imports: Sequence[str] = PRELOADED,
        debug_port: int | None = None,
    ) -> None:
        self.functions = functions
        self._is_debugged = debug_port is not None
        self._logs = logs
        self._pools: defaultdict[str, Pool[_Worker]] = defaultdict(Pool)
        self._lock = threading.Lock()
        self._shown: dict[str, str] = {}
        self._orders, theirs = socket.socketpair()
        logs.mkdir(parents=True, exist_ok=True)
        with theirs, (logs / "workers.log").open("ab") as log:
            self._forker = subprocess.Popen(
                [sys.executable, *_program(debug_port), *slow_imports],
                stdin=theirs.fileno(),
                stdout=log,
                stderr=log,
                env=_environment_without_aws(),
            )

    def debug_port(self) -> int | None:
        """Return the port on which the functions wait for a debugger, once they do."""
        if not self._is_debugged:
            return None
        if (hello := worker.receive(self._orders)) is None:
            raise OSError("the functions' process did not start: see workers.log")
        return int(hello["port"])

    def invoke(self, name: str, event: str, request_id: str | None = None, within: float | None = None) -> Outcome:
        """Run the handler and return its result. Raise Throttled or PayloadTooLarge without running it.

        Raise Timeout after `within` seconds, if that is less than the function's own timeout.
        """
        if len(event) > MAX_PAYLOAD:
            raise PayloadTooLarge
        function, request_id = self.functions[name], request_id or str(uuid.uuid4())
        began = time.monotonic()
        seconds = None if self._is_debugged else min(function.timeout, within or function.timeout)
        answer, status = self._answer(function, event, request_id, seconds)
        self._report(function, request_id, status, time.monotonic() - began)
        if status == "timeout" and seconds and seconds < function.timeout:
            raise Timeout
        outcome = _outcome(function, request_id, answer, status)
        self._show_failure(function, outcome)
        return outcome

    def release(self, name: str) -> "Release":
        """Return what a call of the function that begins now will run."""
        function = self.functions[name]
        return Release(function, version_of(function.sources))

    def _answer(
        self, function: Function, event: str, request_id: str, seconds: float | None
    ) -> tuple[dict[str, Any] | None, str]:
        """Return the worker's answer, None if it died or was killed, and the status for the log."""
        pool = self._pools[function.name]
        generation, found = pool.enter(self.release(function.name), function.concurrency)
        alive = None
        try:
            found = found or self._start(function)
            pool.drain(generation)
            answer = found.exchange(invocation_of(function, event, request_id, seconds), seconds)
            alive = found if answer is not None else None
        except InitFailed as failure:
            return {"error": failure.error}, "failure"
        except Timeout:
            return None, "timeout"
        finally:
            if found and not alive:
                found.end()
            pool.leave(generation, alive)
        return answer, "failure" if answer is None or "error" in answer else "success"

    def stop(self) -> None:
        """Kill all workers and the process that forks them."""
        for pool in self._pools.values():
            pool.close()
        self._orders.close()
        self._forker.kill()
        self._forker.wait()

    def _start(self, function: Function) -> _Worker:
        ours, theirs = socket.socketpair()
        order = {
            "sources": [str(folder) for folder in function.sources],
            "handler": function.handler,
            "environment": {**function.environment, **runtime_variables(function)},
            "log": str(self._log_of(function)),
        }
        with theirs, self._lock:
            socket.send_fds(self._orders, [json.dumps(order).encode()], [theirs.fileno()])
            self._orders.recv(1)
        ours.settimeout(START_SECONDS)
        hello = worker.receive(ours)
        if hello is None:
            ours.close()
            raise InitFailed({"errorType": "Runtime.ExitError", "errorMessage": "no worker started: see workers.log"})
        started = _Worker(ours, hello["pid"])
        try:
            loaded = worker.receive(ours) or {
                "error": {"errorType": "Runtime.ExitError", "errorMessage": "init exited"}
            }
        except TimeoutError:
            loaded = {"error": {"errorType": "Sandbox.Timedout", "errorMessage": "init timed out"}}
        if "error" in loaded:
            started.end()
            raise InitFailed(loaded["error"])
        return started

    def _show_failure(self, function: Function, outcome: Outcome) -> None:
        """Print an exception on the console, once until the function succeeds or fails in another way."""
        # API Gateway documents this message as the authorizer's way to refuse a token.
        text = outcome.traceback if outcome.failed and outcome.error_message != "Unauthorized" else ""
        if text and self._shown.get(function.name) != text:
            console.say(f"{function.name} failed:\n{textwrap.indent(text, '  ')}")
        self._shown[function.name] = text

    def _report(self, function: Function, request_id: str, status: str, seconds: float) -> None:
        """Append a platform.report record to the function's log, as Lambda does."""
        record = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "type": "platform.report",
            "record": {"requestId": request_id, "status": status, "metrics": {"durationMs": round(seconds * 1000, 1)}},
        }
        with self._log_of(function).open("a") as log:
            log.write(json.dumps(record) + "\n")

    def _log_of(self, function: Function) -> Path:
        return self._logs.absolute() / f"{function.name}.log"


def functions_of(
    template: Template, added: Mapping[str, str], replaced: Mapping[str, str | None]
) -> dict[str, Function]:
    """Return the template's functions by logical id.

    `added` variables are set for every function. `replaced` ones only for functions that have them; None removes one.
    """
    contents = {(template.path.parent / layer.properties["ContentUri"]).resolve() for layer in template.of_type(LAYER)}
    return {
        logical_id: Function(
            name=logical_id,
            handler=resource.handler,
            code=(template.path.parent / resource.properties["CodeUri"]).resolve(),
            environment={**_replaced(resource.environment, replaced), **added},
            timeout=float(resource.timeout or DEFAULT_TIMEOUT),
            memory=resource.memory or DEFAULT_MEMORY,
            concurrency=min(MAX_WORKERS, int(resource.properties.get("ReservedConcurrentExecutions", MAX_WORKERS))),
            region=template.region,
            layers=tuple(sorted(contents)),
        )
        for logical_id, resource in template.functions.items()
    }


def _replaced(variables: Mapping[str, str], replacements: Mapping[str, str | None]) -> dict[str, str]:
    replaced = {name: replacements.get(name, value) for name, value in variables.items()}
    return {name: value for name, value in replaced.items() if value is not None}


def runtime_variables(function: Function) -> dict[str, str]:
    """Return the variables that Lambda sets."""
    return {
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": function.region,
        "LAMBDA_TASK_ROOT": str(function.code),
        "LANG": "en_US.UTF-8",
        "PATH": os.defpath,
        "TZ": ":UTC",
        "_HANDLER": function.handler,
    }


def _environment_without_aws() -> dict[str, str]:
    """Return this process's environment without the developer's AWS settings."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POWERTOOLS_", "LAMBDA_"))
    }


def _program(debug_port: int | None) -> list[str]:
    """Return the arguments of the Python that runs the functions."""
    if debug_port is None:
        return ["-m", "tools.local.worker"]
    # debugpy cannot stop in modules that are frozen into the interpreter, and warns about them.
    return ["-X", "frozen_modules=off", "-m", "tools.local.debug_worker", str(debug_port)]


def invocation_of(function: Function, event: str, request_id: str, seconds: float | None) -> dict[str, Any]:
    """Return what a worker needs for one call. Without a limit of seconds, the function is told a long one."""
    return {
        "event": event,
        "seconds": DEBUG_SECONDS if seconds is None else function.timeout,
        "trace_id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        "context": {
            "function_name": function.name,
            "memory_limit_in_mb": str(function.memory),
            "aws_request_id": request_id,
            "invoked_function_arn": function.arn,
            "log_group_name": f"/aws/lambda/{function.name}",
            "log_stream_name": "local",
        },
    }


def _outcome(function: Function, request_id: str, answer: dict[str, Any] | None, status: str) -> Outcome:
    """Return the worker's answer, or the error that Lambda returns when there is none."""
    if answer is not None and "answer" in answer:
        if len(answer["answer"]) <= MAX_PAYLOAD:
            return Outcome(request_id, answer["answer"])
        error = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "Response payload size exceeded"}
    elif answer is not None:
        error = answer["error"]
    elif status == "timeout":
        error = {
            "errorType": "Sandbox.Timedout",
            "errorMessage": f"RequestId: {request_id} Error: Task timed out after {function.timeout:.2f} seconds",
        }
    else:
        error = {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {request_id} Error: Runtime exited without providing a reason",
        }
    return Outcome(request_id, json.dumps(error), failed=True)
