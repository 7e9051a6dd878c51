"""Run all functions in one process, for a debugger: `make up DEBUG=1`.

    python -m tools.local.debug_worker PORT MODULE …     import slow modules once, then run each worker as a thread

It takes the same requests from the runner as `worker`, but starts a thread where that forks a process, so that a
debugger attaches once and stops in any function. All functions share one environment and one copy of the service's
package. A saved file is imported again for the next worker, and the debugger stays attached.
"""

import importlib
import io
import json
import os
import socket
import sys
import threading
import time
import types
from pathlib import Path
from typing import IO, Any

import debugpy

from tools.local import worker
from tools.local.serving import HOST
from tools.local.sources import Version, version_of

_importing = threading.Lock()
_imported: dict[str, Version] = {}
"""The version of each package folder that was imported last."""

_thread = threading.local()


class _FunctionLog(io.TextIOBase):
    """Writes what a thread prints to the log of its function."""

    def write(self, text: str) -> int:
        """Write the text."""
        log: IO[str] = getattr(_thread, "log", sys.stderr)
        return log.write(text)

    def flush(self) -> None:
        """Do nothing: logs are written line by line."""


def main(port: int, slow_imports: list[str]) -> None:
    """Listen for a debugger, report the port, and run workers until standard input ends."""
    worker.die_with_parent()
    for name in slow_imports:
        importlib.import_module(name)
    # The child that decodes pictures has no right to open a socket, so it cannot be debugged.
    debugpy.configure(subProcess=False)
    try:
        _, chosen = debugpy.listen((HOST, port))
    except (OSError, RuntimeError):  # the port is in use
        _, chosen = debugpy.listen((HOST, 0))
    os.environ.clear()
    sys.stdout = _FunctionLog()
    orders = socket.socket(fileno=sys.stdin.fileno())
    worker.send(orders, {"port": chosen})
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, 65536, 1)
        if not message:
            os._exit(0)
        runner = socket.socket(fileno=descriptors[0])
        threading.Thread(target=_serve, args=(json.loads(message), runner), daemon=True).start()
        orders.send(b".")


def _serve(order: dict[str, Any], runner: socket.socket) -> None:
    """Answer invocations until the runner closes the socket."""
    with runner, Path(order["log"]).open("a", buffering=1) as _thread.log:
        try:
            worker.send(runner, {"pid": None})
            worker.serve(lambda: _load(order), runner)
        except OSError:
            return


def _load(order: dict[str, Any]) -> worker.Handler:
    """Import the handler, and everything again whose source has changed."""
    module, _, attribute = order["handler"].rpartition(".")
    code, *packages = order["sources"]
    with _importing:
        os.environ.update(order["environment"])
        time.tzset()
        for folder in packages:
            if (version := version_of([Path(folder)])) != _imported.get(folder):
                worker.forget([folder])
                _imported[folder] = version
        worker.import_from(packages)
        # All functions' modules have the same name, so they do not go into sys.modules.
        loader = worker.SourceLoader(module, f"{code}/{module.replace('.', '/')}.py")
        loaded = types.ModuleType(module)
        loader.exec_module(loaded)
    handler: worker.Handler = getattr(loaded, attribute)
    return handler


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
