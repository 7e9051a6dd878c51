"""Access logs of the local API and of the local S3: one JSON line per request, without queries, bodies and tokens."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id")


class AccessLog:
    """A WSGI application that passes requests on and logs each of them."""

    def __init__(self, app: WSGIApplication, path: Path) -> None:
        self._app = app
        self._path = path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = datetime.now(UTC), time.monotonic()

        def answer(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            self._write(environ, status, {name.lower(): value for name, value in headers}, *began)
            return start_response(status, headers, *error)

        return self._app(environ, answer)

    def _write(
        self, environ: WSGIEnvironment, status: str, headers: dict[str, str], began: datetime, started: float
    ) -> None:
        line = {
            "timestamp": began.isoformat(timespec="microseconds"),
            "message": f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {status}",
            "requestId": next((headers[name] for name in REQUEST_IDS if name in headers), None),
            # S3 answers a form with the address of the object that it has stored.
            "location": headers.get("location"),
            "latency_ms": round((time.monotonic() - started) * 1000),
        }
        with self._path.open("a") as log:
            log.write(json.dumps(line) + "\n")
