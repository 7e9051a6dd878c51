"""Which pages may call the API from a browser: those of the allowed origins, with a token and never with cookies."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from profile_media.http.request import headers_of

METHODS = "DELETE,GET,OPTIONS,PATCH,POST,PUT"
HEADERS = "Authorization,Content-Type,Idempotency-Key"
EXPOSED = "Retry-After,x-correlation-id"
MAX_AGE = 7200
"""Seconds a browser may remember a preflight; Chromium's own upper limit."""


def headers_for(origin: str | None, allowed: Sequence[str]) -> Mapping[str, str]:
    """What every answer carries, so that a page may read it."""
    if origin is None or origin not in allowed:
        return {"Vary": "Origin"}
    return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}


def preflight(event: Mapping[str, Any], allowed: Sequence[str]) -> dict[str, Any]:
    """The answer to a browser that asks first; it allows nothing to an origin that is not."""
    headers = {
        "x-correlation-id": str(event["requestContext"]["requestId"]),
        **headers_for(headers_of(event).get("origin"), allowed),
    }
    if "Access-Control-Allow-Origin" in headers:
        headers |= {
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": HEADERS,
            "Access-Control-Max-Age": str(MAX_AGE),
        }
    return {"statusCode": HTTPStatus.NO_CONTENT.value, "headers": headers, "body": "", "isBase64Encoded": False}
