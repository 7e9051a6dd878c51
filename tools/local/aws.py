"""S3, DynamoDB, DynamoDB Streams and SQS in memory, on one port of 127.0.0.1: moto, in a process of its own.

python -m tools.local.aws DESCRIPTOR      of a socket that listens

It ends when its standard input does, so it never outlives who started it.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable
from copy import copy, deepcopy
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import botocore.session
from botocore.config import Config

from tools.local.serving import QuietHandler, port_of, serve

REGION = "us-east-1"
CREDENTIALS = {"access_key_id": "AKIALOCALDEVELOPMENT", "secret_access_key": "local-secret-that-opens-nothing"}
"""What the local stack signs with; moto takes any."""

_one_session = threading.Lock()
"""Sessions, unlike clients, do not bear being used by two threads at once."""


class Serialized:
    """Lets one request to DynamoDB or its streams in at a time: moto's transactions are not atomic under threads."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            return self._app(environ, start_response)
        with self._one_at_a_time:
            return list(self._app(environ, start_response))


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def client(service: str, endpoint: str) -> Any:
    """A client of the local AWS, whatever the environment says; may be shared between threads."""
    with _one_session:
        return _session().create_client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["access_key_id"],
            aws_secret_access_key=CREDENTIALS["secret_access_key"],
            config=Config(retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=50),
        )


def start(listener: socket.socket, log: Path) -> subprocess.Popen[bytes]:
    """Starts it, and hands it what listens; it answers a second or so later."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": CREDENTIALS["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        "MOTO_PORT": str(port_of(listener)),
    }
    # Were it kept open here as well, nobody would notice that the process is gone.
    with listener, log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tools.local.aws", str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=environment,
        )


def _read_streams_as_they_are() -> None:
    """Makes a stream's iterators look at the records of the moment they are used.

    Cancelling a transaction, moto puts a copy of the table from before in the table's place. Its iterators would go on
    reading the table that was dropped, where records lie that never came to be, under numbers that others then get.
    """
    from moto.dynamodb.models.table import StreamRecord  # noqa: PLC0415
    from moto.dynamodbstreams.models import ShardIterator  # noqa: PLC0415

    read = ShardIterator.get

    def get(self: Any, limit: int = 1000) -> Any:
        self.stream_shard = self.streams_backend.dynamodb.get_table(self.stream_shard.table.name).stream_shard
        return read(self, limit)

    ShardIterator.get = get  # type: ignore[method-assign]
    # Each transaction begins with that copy; records never change, and copying all of them takes ever longer.
    StreamRecord.__deepcopy__ = lambda self, _: self  # type: ignore[attr-defined]


def _copy_only_what_changes() -> None:
    """Makes a transaction's copy of a table share its items, and an update put a new item in the old one's place.

    moto copies all that is in the table, once for each item of the transaction, while everybody else waits: the more
    rows there are, the longer.
    """
    from moto.dynamodb.models import DynamoDBBackend  # noqa: PLC0415
    from moto.dynamodb.models.table import Table  # noqa: PLC0415

    def snapshot(self: Any, _: object) -> Any:
        made = copy(self)
        of_hash_keys = {key: copy(found) if isinstance(found, dict) else found for key, found in self.items.items()}
        made.items = defaultdict(dict, of_hash_keys)
        if self.stream_shard:
            made.stream_shard = copy(self.stream_shard)
            made.stream_shard.table, made.stream_shard.items = made, list(self.stream_shard.items)
        return made

    update = DynamoDBBackend.update_item

    def update_item(self: Any, table_name: str, key: Any, *rest: Any, **named: Any) -> Any:
        table = self.get_table(table_name)
        hash_key, range_key = self.get_keys_value(table, key)
        if item := table.get_item(hash_key, range_key):
            (table.items[hash_key] if range_key else table.items)[range_key or hash_key] = deepcopy(item)
        return update(self, table_name, key, *rest, **named)

    Table.__deepcopy__ = snapshot  # type: ignore[attr-defined]
    DynamoDBBackend.update_item = update_item  # type: ignore[method-assign]


def application() -> WSGIApplication:
    """The four services; importing moto takes a second, which only this process pays."""
    _read_streams_as_they_are()
    _copy_only_what_changes()
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415

    return Serialized(DomainDispatcherApplication(create_backend_app))


def main() -> None:
    """Serves until standard input ends."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)

    class Handler(QuietHandler, MotoRequestHandler):
        """Keeps the spelling of S3's metadata headers."""

    serve(application(), socket.socket(fileno=int(sys.argv[1])), "aws", Handler)
    sys.stdin.buffer.read()
    # Taking moto down module by module would take seconds, and there is nothing to save.
    os._exit(0)


if __name__ == "__main__":
    main()
