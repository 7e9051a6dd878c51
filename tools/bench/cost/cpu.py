"""CPU time that the cost model needs: rendering an avatar both ways, and opening a TLS connection."""

import base64
import importlib
import json
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median
from threading import Thread

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from profile_media.domain.model import Slot
from tests import cloud
from tools.bench.report import ratios
from tools.bench.tls import chain, proxy

CONNECTIONS = 11


@dataclass(frozen=True)
class Rendering:
    """Median milliseconds of CPU time for all sizes of an avatar, ours and the usual way."""

    ours_ms: float
    usual_ms: float
    spread: str


def rendering(picture: bytes, rounds: int) -> Rendering:
    """Render both ways in turns. Ours includes the sandbox."""
    from profile_media.imaging import PillowImages  # noqa: PLC0415 - loads decoders, which only this function needs

    os.environ.update(cloud.ENVIRONMENT)
    app = importlib.import_module("tools.bench.cost.usual_way")
    event = {"body": json.dumps({"user_avatar": base64.b64encode(picture).decode()})}

    def usual() -> None:
        received = app.decode_body(event)
        for size in app.SIZES.values():
            app.thumbnail(received, size)

    def ours() -> None:
        PillowImages().render(picture, Slot.AVATAR)

    pairs = [(_cpu_ms(ours), _cpu_ms(usual)) for _ in range(rounds + 1)][1:]
    mine, theirs = zip(*pairs, strict=True)
    return Rendering(median(mine), median(theirs), ratios(mine, theirs)[1])


def _cpu_ms(work: Callable[[], None]) -> float:
    start = _used()
    work()
    return (_used() - start) * 1000


def _used() -> float:
    """Return the seconds of CPU time of this process and its children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class _Empty(BaseHTTPRequestHandler):
    """Answer every request with 204 No Content."""

    def do_GET(self) -> None:
        self.send_response_only(HTTPStatus.NO_CONTENT)
        self.end_headers()


def connection_ms(bundle: Path) -> float:
    """Return the client's CPU milliseconds to open a TLS connection as botocore does, reading this CA bundle."""
    with HTTPServer(("127.0.0.1", 0), _Empty) as upstream, chain() as certificates:
        Thread(target=upstream.serve_forever, daemon=True).start()
        trusted = certificates.root.with_name("bundle.pem")
        trusted.write_bytes(bundle.read_bytes() + b"\n" + certificates.root.read_bytes())
        with proxy(upstream.server_port, certificates) as server:
            times = [_connect(server.url, trusted) for _ in range(CONNECTIONS)]
        upstream.shutdown()
    return median(times)


def _connect(url: str, trusted: Path) -> float:
    start = time.thread_time()  # the servers run in other threads
    session = URLLib3Session(verify=str(trusted))  # type: ignore[arg-type]  # the stub knows no path
    session.send(AWSRequest("GET", url).prepare())
    used = time.thread_time() - start
    session.close()
    return used * 1000
