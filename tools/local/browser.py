"""An HTTP client that does what the local pages do: request uploads, post forms, wait, bind, read the profile."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Any

WAIT = 20
"""Seconds that one request waits for a pending upload: the maximum of the service."""

TIMEOUT = 300
"""Seconds until a request fails."""

BIND_PATHS = {"avatar": "/user/profile/avatar", "coverImage": "/user/profile/cover-image"}


@dataclass(frozen=True)
class Answer:
    """A response of any status."""

    status: int
    headers: "Message[str, str]"
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body, parsed."""
        body: dict[str, Any] = json.loads(self.body)
        return body


def send(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """Send a request and return the response, whatever its status. Raise OSError if there is no response."""
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310 - URLs of the local stack
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - as above
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


@dataclass(frozen=True)
class Browser:
    """A signed-in development user."""

    state: Mapping[str, Any]
    token: str

    @classmethod
    def of(cls, state: Mapping[str, Any], user: str) -> "Browser":
        """Sign a development user in."""
        return cls(state, state["users"][user]["token"])

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request to the API with the user's token."""
        content = None if body is None else json.dumps(body).encode()
        types = {} if body is None else {"Content-Type": "application/json"}
        sent = {"Authorization": f"Bearer {self.token}", **types, **headers}
        return send(method, self.state["api"] + path, content, sent)

    def intend(self, slot: str, content: bytes, content_type: str = "image/jpeg") -> Answer:
        """Create an upload intent."""
        body = {"slot": slot, "contentType": content_type, "contentLength": len(content)}
        return self.call("POST", "/media/intents", body)

    def settled(self, upload_id: str) -> Answer:
        """Poll the upload until it is no longer pending, or for TIMEOUT seconds. Wait when the method is throttled."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            answer = self.call("GET", f"/media/uploads/{upload_id}?wait={WAIT}")
            is_throttled = answer.status == HTTPStatus.TOO_MANY_REQUESTS
            is_pending = answer.status == HTTPStatus.OK and answer.json()["state"] == "pending"
            if not (is_throttled or is_pending) or time.monotonic() > deadline:
                return answer
            if is_throttled:
                time.sleep(float(answer.headers.get("Retry-After", "1")))

    def bind(self, slot: str, public_id: str) -> Answer:
        """Bind an upload to a slot."""
        return self.call("PATCH", BIND_PATHS[slot], {"publicId": public_id})

    def profile(self) -> dict[str, Any]:
        """Return the user's profile."""
        return self.call("GET", "/media/profile").json()


def post_form(form: Mapping[str, Any], content: bytes, origin: str | None = None) -> Answer:
    """Send an intent's form as a browser does: the fields in their order, then the file."""
    boundary = f"----browser{uuid.uuid4().hex}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="picture"\r\n\r\n'.encode()
    body = b"".join([*parts, file, content, f"\r\n--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", **({"Origin": origin} if origin else {})}
    return send(form["method"], form["url"], body, headers)
