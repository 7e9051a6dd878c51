"""AWS as a function sees it that finds everything in order: answers at once, on loopback, and notes what was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

_LATER = "4102444800"
_DIGEST = "0123456789abcdef" * 2


def upload_row(key: dict[str, Any], state: str, content_type: str, size: int) -> dict[str, Any]:
    """The upload that a sample event is about, as DynamoDB has it."""
    made = {
        "name": {"S": "full"},
        "digest": {"S": _DIGEST},
        "content_type": {"S": "image/webp"},
        "width": {"N": "512"},
        "height": {"N": "512"},
        "size": {"N": "40000"},
    }
    row = {
        **key,
        "slot": {"S": "avatar"},
        "state": {"S": state},
        "content_type": {"S": content_type},
        "content_length": {"N": str(size)},
        "created_at": {"N": "1795176000000"},
        "expires_at": {"N": _LATER},
    }
    if state == "pending":
        return row
    sizes = [{"M": {**made, "name": {"S": name}}} for name in ("full", "thumb", "small", "icon", "master")]
    return {**row, "derivatives": {"L": sizes}, "width": {"N": "4000"}, "height": {"N": "3000"}}


class Stub(ThreadingHTTPServer):
    """Serves one picture, and rows in the state given."""

    daemon_threads = True

    def __init__(self, picture: bytes, content_type: str, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.picture = picture
        self.content_type = content_type
        self.state = state
        self.calls: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """What DynamoDB says."""
        if operation == "GetItem":
            return self._item(request["Key"])
        if operation == "TransactGetItems":
            return {"Responses": [self._item(each["Get"]["Key"]) for each in request["TransactItems"]]}
        if operation == "UpdateItem":
            return {"Attributes": self._item(request["Key"]).get("Item", request["Key"])}
        return {}

    def _item(self, key: dict[str, Any]) -> dict[str, Any]:
        """Uploads are there; users, counts and keys are not yet."""
        known = "upload_id" in key and "#" not in key["upload_id"]["S"] and key["upload_id"]["S"] != "quota"
        return {"Item": upload_row(key, self.state, self.content_type, len(self.picture))} if known else {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stub
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.server.calls.append(f"DynamoDB {operation}")
        self._send(
            200, json.dumps(self.server.answer(operation, json.loads(body))).encode(), "application/x-amz-json-1.0"
        )

    def do_GET(self) -> None:
        self.server.calls.append("GET")
        self._send(200, self.server.picture, self.server.content_type)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.calls.append("PUT")
        self._send(200)

    def do_DELETE(self) -> None:
        self.server.calls.append("DELETE")
        self._send(204)

    def _send(self, status: int, body: bytes = b"", content_type: str = "application/xml") -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"d41d8cd98f00b204e9800998ecf8427e"')
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(picture: bytes, content_type: str, state: str) -> Iterator[Stub]:
    """The stub, while the block lasts."""
    with Stub(picture, content_type, state) as stub:
        thread = Thread(target=stub.serve_forever, daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            stub.shutdown()
            thread.join()
