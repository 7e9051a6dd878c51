"""Strict JSON bodies: an object, small, in UTF-8, without duplicate keys or numbers JSON does not have."""

import json
from collections.abc import Mapping

from profile_media.domain.errors import RequestInvalid
from profile_media.http.request import Request

MAX_BYTES = 16 * 1024
"""No JSON body of any contract comes near it."""

MAX_DEPTH = 8
"""Levels of objects and arrays; the deepest body of any contract has two."""


def parse_object(request: Request) -> Mapping[str, object]:
    """The body's members; raises RequestInvalid for anything else than contracts.md allows."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise RequestInvalid(("Content-Type must be application/json",))
    if len(request.body) > MAX_BYTES:
        raise RequestInvalid((f"the body must be at most {MAX_BYTES} bytes",))
    try:
        value = json.loads(request.body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RequestInvalid(("the body must be one JSON object without duplicate keys",)) from None
    if not isinstance(value, dict) or not _is_shallow(value, MAX_DEPTH):
        raise RequestInvalid(("the body must be a JSON object of few levels",))
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate keys")
    return members


def _is_shallow(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    members = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(member, levels - 1) for member in members)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
