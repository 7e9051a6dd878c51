"""A request and its answer, as the dialects see them, and how API Gateway's events carry them."""

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

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an endpoint. Header names are in lower case."""

    caller: Caller
    correlation_id: str
    headers: Mapping[str, str] = _NOTHING
    path: Mapping[str, str] = _NOTHING
    query: Mapping[str, str] = _NOTHING
    body: bytes = b""
    links: Links = field(default_factory=lambda: Links("", ""))
    """How this deployment names pictures."""


@dataclass(frozen=True, slots=True)
class Response:
    """What to answer; the body is sent as JSON."""

    status: HTTPStatus
    body: Json
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


def headers_of(event: Mapping[str, Any]) -> Mapping[str, str]:
    """The request's headers; of repeated ones the last, which is what API Gateway passes on."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def body_of(event: Mapping[str, Any]) -> bytes:
    """The request's bytes; raises RequestInvalid where the event's text is not what its encoding says."""
    text: str = event.get("body") or ""
    try:
        return base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError:
        raise RequestInvalid(("the body is not encoded as it says",)) from None


def to_event(response: Response, headers: Mapping[str, str]) -> dict[str, Any]:
    """The answer as API Gateway takes it. The content type is exact: a widely used SDK compares it with `===`."""
    return {
        "statusCode": response.status.value,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **response.headers, **headers},
        "body": json.dumps(response.body, separators=(",", ":")),
        "isBase64Encoded": False,
    }
