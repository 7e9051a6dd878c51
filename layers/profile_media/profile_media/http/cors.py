"""CORS: pages of the allowed origins may call the API with a token, never with cookies."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from profile_media.http.request import headers_of

METHODS = "DELETE,GET,OPTIONS,PATCH,POST,PUT"
HEADERS = "Authorization,Content-Type,Idempotency-Key"
EXPOSED = "Retry-After,x-correlation-id"
MAX_AGE = 86_400
"""Seconds a browser may cache a preflight. Firefox caps it at 86,400 and Chromium at 7,200: each gets its maximum."""


def headers_for(origin: str | None, allowed: Sequence[str]) -> Mapping[str, str]:
    """Return the CORS headers that every answer carries."""
    if origin is None or origin not in allowed:
        return {"Vary": "Origin"}
    return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}


def preflight(event: Mapping[str, Any], allowed: Sequence[str]) -> dict[str, Any]:
    """Answer a preflight request. An origin that is not allowed gets no permission header."""
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
