"""S3, DynamoDB, DynamoDB Streams and SQS in memory, on one port of 127.0.0.1: moto, in a process of its own.

    python -m tools.local.aws DESCRIPTOR …      file descriptors of listening sockets

The process ends when its standard input ends, so it never outlives the process that started it.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import boto3
from botocore.config import Config

from tools.local.serving import port_of, serve

REGION = "us-east-1"
CREDENTIALS = {"access_key_id": "AKIALOCALDEVELOPMENT", "secret_access_key": "local-secret-that-opens-nothing"}
"""Credentials of the local stack. moto accepts any."""

_session_lock = threading.Lock()
"""boto3 sessions, unlike clients, are not thread-safe."""


class Serialized:
    """Handle one request to DynamoDB or its streams at a time: moto's transactions are not atomic under threads."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self._app(environ, start_response)
        with self._lock:
            return list(self._app(environ, start_response))


@cache
def client(service: str, endpoint: str) -> Any:
    """Return a client of the local AWS, whatever the environment says. Threads may share it."""
    with _session_lock:
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload]  # any service of moto
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["access_key_id"],
            aws_secret_access_key=CREDENTIALS["secret_access_key"],
            config=Config(retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=50),
        )


def start(listener: socket.socket, log: Path, *more: socket.socket) -> subprocess.Popen[bytes]:
    """Start moto on listening sockets, which the process takes over. It answers a second or so later."""
    listeners = (listener, *more)
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": CREDENTIALS["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        "MOTO_PORT": str(port_of(listener)),
    }
    # Close our copy of the socket: clients get "connection refused" when the process has ended.
    with ExitStack() as copies, log.open("ab") as output:
        descriptors = [copies.enter_context(each).fileno() for each in listeners]
        return subprocess.Popen(
            [sys.executable, "-m", "tools.local.aws", *map(str, descriptors)],
            pass_fds=descriptors,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=environment,
        )


def main() -> None:
    """Serve until standard input ends."""
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - takes a second, which only this process pays
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )

    class Handler(MotoRequestHandler):
        """Write no access log."""

        def log(self, type: str, message: str, *args: object) -> None:
            """Drop the line."""

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    app = Serialized(DomainDispatcherApplication(create_backend_app))
    for descriptor in sys.argv[1:]:
        serve(app, socket.socket(fileno=int(descriptor)), Handler)
    sys.stdin.buffer.read()
    # Do not wait for the interpreter to take moto apart: that takes seconds, and there is nothing to save.
    os._exit(0)


if __name__ == "__main__":
    main()
