"""Request and response as the dialects see them, and their conversion from and to API Gateway's events."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from profile_media.domain.errors import RequestInvalid
from profile_media.domain.model import Caller
from profile_media.http.links import Links

type Json = Mapping[str, object]

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an endpoint. Header names are lower case."""

    caller: Caller
    correlation_id: str
    links: Links
    """Builds the public ids and URLs of this deployment."""
    headers: Mapping[str, str] = _EMPTY
    path: Mapping[str, str] = _EMPTY
    query: Mapping[str, str] = _EMPTY
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request. The body is sent as JSON, and not at all if it has no members."""

    status: HTTPStatus
    body: Json = field(default_factory=lambda: _EMPTY)
    headers: Mapping[str, str] = field(default_factory=lambda: _EMPTY)


def headers_of(event: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the headers with lower-case names. API Gateway passes on only the last of repeated headers."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def body_of(event: Mapping[str, Any]) -> bytes:
    """Return the body's bytes. Raise RequestInvalid if the event says base64 and the text is not."""
    text: str = event.get("body") or ""
    try:
        return base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError:
        raise RequestInvalid(("the body is not valid base64 or text",)) from None


def to_event(response: Response, headers: Mapping[str, str]) -> dict[str, Any]:
    """Convert a response to API Gateway's format.

    The content type has no charset: a widely used SDK compares it with `=== "application/json"`.
    """
    content_type = {"Content-Type": "application/json"} if response.body else {}
    return {
        "statusCode": response.status.value,
        "headers": {**content_type, "Cache-Control": "no-store", **response.headers, **headers},
        "body": json.dumps(response.body, separators=(",", ":")) if response.body else "",
        "isBase64Encoded": False,
    }
