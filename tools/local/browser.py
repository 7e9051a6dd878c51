"""Does over HTTP what the demo page does in a browser: asks for uploads, posts forms, waits, binds, and looks."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

WAIT = 20
"""Seconds that one request waits for an upload to be settled: the most the service allows."""

TIMEOUT = 60
"""Seconds until a request counts as lost."""

BIND_PATHS = {"avatar": "/user/profile/avatar", "coverImage": "/user/profile/cover-image"}


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: "Message[str, str]"
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body, read as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def send(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """One request; no status is an exception, only the lack of one is."""
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310 - of the local stack
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - as above
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


@dataclass(frozen=True)
class Browser:
    """One user's browser."""

    state: Mapping[str, Any]
    token: str

    @classmethod
    def of(cls, state: Mapping[str, Any], user: str) -> "Browser":
        """A development user's, signed in."""
        return cls(state, state["users"][user]["token"])

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """A request to the API with the user's token."""
        content = None if body is None else json.dumps(body).encode()
        types = {} if body is None else {"Content-Type": "application/json"}
        everything = {"Authorization": f"Bearer {self.token}", **types, **headers}
        return send(method, self.state["api"] + path, content, everything)

    def intend(self, slot: str, content: bytes, content_type: str = "image/jpeg") -> Answer:
        """Asks for an upload."""
        body = {"slot": slot, "contentType": content_type, "contentLength": len(content)}
        return self.call("POST", "/media/intents", body)

    def settled(self, upload_id: str) -> Answer:
        """The upload, when it is no longer pending or a long wait is over."""
        return self.call("GET", f"/media/uploads/{upload_id}?wait={WAIT}")

    def bind(self, slot: str, public_id: str) -> Answer:
        """Makes an upload the slot's picture."""
        return self.call("PATCH", BIND_PATHS[slot], {"publicId": public_id})

    def profile(self) -> dict[str, Any]:
        """What the user's slots hold."""
        return self.call("GET", "/media/profile").json()


def post_form(form: Mapping[str, Any], content: bytes, origin: str | None = None) -> Answer:
    """Sends an intent's form with a file, as a browser does: fields in their order, the file last."""
    boundary = f"----browser{uuid.uuid4().hex}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="picture"\r\n\r\n'.encode()
    body = b"".join([*parts, file, content, f"\r\n--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", **({"Origin": origin} if origin else {})}
    return send(form["method"], form["url"], body, headers)
