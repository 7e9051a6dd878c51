"""Run one function's handler in a process, one invocation at a time, as Lambda's runtime does.

    python -m tools.local.worker MODULE …     import slow modules once, then fork a worker per request

The forking process reads requests from the Unix socket that is its standard input: one JSON line per worker, with the
worker's own socket attached. It is single-threaded, so forking is safe. Unlike multiprocessing's fork server it does
not import the main module again in every child. Worker and runner exchange frames: 4 bytes of length, then JSON.
"""

import ctypes
import importlib
import json
import os
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.machinery import FileFinder, SourceFileLoader
from typing import Any, NoReturn

_PARENT_DEATH_SIGNAL = 1
_LENGTH = struct.Struct(">I")

type Handler = Callable[[Any, "Context"], Any]


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's context object."""

    function_name: str
    memory_limit_in_mb: str
    aws_request_id: str
    invoked_function_arn: str
    log_group_name: str
    log_stream_name: str
    deadline: float
    """Seconds on the monotonic clock."""
    function_version: str = "$LATEST"
    identity: None = None
    client_context: None = None
    tenant_id: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the runner kills this worker."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def main(slow_imports: list[str]) -> None:
    """Fork workers until standard input ends."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The kernel reaps workers: this process does not wait for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for name in slow_imports:
        importlib.import_module(name)
    orders = socket.socket(fileno=sys.stdin.fileno())
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, 65536, 1)
        if not message:
            return
        if os.fork() == 0:
            orders.detach()
            _become_worker(json.loads(message), socket.socket(fileno=descriptors[0]))
        os.close(descriptors[0])
        # The runner sends its next order after this byte, so that one read never contains two orders.
        orders.send(b".")


def _become_worker(order: dict[str, Any], runner: socket.socket) -> NoReturn:
    """Serve invocations, then end the process."""
    status = 1
    try:
        die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # A process group of its own, so that the worker's child processes are killed with it.
        os.setsid()
        _redirect_output(order["log"])
        os.environ.clear()
        os.environ.update(order["environment"])
        time.tzset()
        sys.path[:] = [entry for entry in sys.path if entry not in ("", os.getcwd())]
        import_from(order["sources"])
        os.chdir(order["sources"][0])
        send(runner, {"pid": os.getpid()})
        serve(lambda: load(order["handler"]), runner)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _redirect_output(path: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)
    # Line buffering keeps the lines of several workers apart.
    sys.stdout = os.fdopen(1, "w", buffering=1)
    sys.stderr = os.fdopen(2, "w", buffering=1)


def serve(load_handler: Callable[[], Handler], runner: socket.socket) -> None:
    """Load the handler, report it, and answer invocations until the runner closes the socket."""
    try:
        handler = load_handler()
    except BaseException as error:
        described = _init_error_of(error)
        _log({"level": "ERROR", **described})
        return send(runner, {"error": described})
    send(runner, {"loaded": True})
    while (invocation := receive(runner)) is not None:
        answer = _invoke(handler, invocation)
        sys.stdout.flush()
        send(runner, answer)
    return None


class SourceLoader(SourceFileLoader):
    """Compiles a module each time: bytecode is checked by size and second, which a quick second save may not change."""

    def path_stats(self, path: Any) -> Any:
        """Report, as `SourceLoader` documents, that there is nothing to compare bytecode with."""
        raise OSError


def import_from(folders: list[str]) -> None:
    """Import modules from these folders first, and always from their source."""

    def find(path: str) -> FileFinder:
        if not any(path == folder or path.startswith(f"{folder}{os.sep}") for folder in folders):
            raise ImportError
        return FileFinder(path, (SourceLoader, [".py"]))

    if sys.path[: len(folders)] != folders:
        sys.path[:] = [*folders, *(entry for entry in sys.path if entry not in folders)]
        sys.path_hooks.insert(0, find)
    sys.path_importer_cache.clear()


def forget(folders: list[str]) -> None:
    """Make the next import of the folders' packages read their files again."""
    for name in list(sys.modules):
        if any(os.path.isdir(os.path.join(folder, name.partition(".")[0])) for folder in folders):
            del sys.modules[name]


def load(name: str) -> Handler:
    """Import a handler by its name in the template."""
    module, _, attribute = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module.replace("/", ".")), attribute)
    return handler


def _invoke(handler: Handler, invocation: dict[str, Any]) -> dict[str, Any]:
    os.environ["_X_AMZN_TRACE_ID"] = invocation["trace_id"]
    context = Context(**invocation["context"], deadline=time.monotonic() + invocation["seconds"])
    try:
        answer = handler(json.loads(invocation["event"]), context)
    except BaseException as error:
        described = error_of(error)
        _log({"level": "ERROR", "requestId": context.aws_request_id, **described})
        return {"error": described}
    try:
        return {"answer": json.dumps(answer)}
    except (TypeError, ValueError) as error:
        return {"error": error_of(error, "Runtime.MarshalError")}


def error_of(error: BaseException, type_: str | None = None) -> dict[str, Any]:
    """Describe an exception as Lambda does."""
    return {
        "errorMessage": str(error),
        "errorType": type_ or type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def _init_error_of(error: BaseException) -> dict[str, Any]:
    """Describe an exception of an import as Lambda does."""
    if isinstance(error, SyntaxError):
        line = f'  File "{error.filename}", line {error.lineno}\n    {(error.text or "").strip()}\n'
        return {"errorMessage": str(error), "errorType": "Runtime.UserCodeSyntaxError", "stackTrace": [line]}
    return error_of(error, "Runtime.ImportModuleError" if isinstance(error, ImportError) else None)


def _log(record: dict[str, Any]) -> None:
    print(json.dumps({"timestamp": datetime.now(UTC).isoformat(), **record}), flush=True)


def send(to: socket.socket, message: dict[str, Any]) -> None:
    """Send one frame."""
    body = json.dumps(message).encode()
    to.sendall(_LENGTH.pack(len(body)) + body)


def receive(source: socket.socket) -> dict[str, Any] | None:
    """Return the next frame, or None if the other side has closed the socket."""
    header = _read(source, _LENGTH.size)
    body = _read(source, _LENGTH.unpack(header)[0]) if header else None
    return json.loads(body) if body else None


def _read(source: socket.socket, length: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < length:
        part = source.recv(min(length - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def die_with_parent() -> None:
    """On Linux, end with the parent process. Elsewhere the closed socket ends this process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
