"""Which pages may call the API from a browser: those of the allowed origins, with a token and never with cookies."""

from collections.abc import Mapping, Sequence

METHODS = "GET,PATCH,POST,OPTIONS"
HEADERS = "Authorization,Content-Type,Idempotency-Key"
EXPOSED = "Retry-After,x-correlation-id"
MAX_AGE = 7200
"""Seconds a browser may remember a preflight; Chromium's own upper limit."""


def headers_for(origin: str | None, allowed: Sequence[str]) -> Mapping[str, str]:
    """What every answer carries, so that a page may read it."""
    if origin is None or origin not in allowed:
        return {"Vary": "Origin"}
    return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}


def preflight_headers(origin: str | None, allowed: Sequence[str]) -> Mapping[str, str]:
    """What a preflight is told: nothing more than the above for an origin that is not allowed."""
    headers = headers_for(origin, allowed)
    if "Access-Control-Allow-Origin" not in headers:
        return headers
    return {
        **headers,
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": str(MAX_AGE),
    }
