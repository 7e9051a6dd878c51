"""Strict JSON bodies: an object, small, in UTF-8, without duplicate keys or numbers JSON does not have."""

import json
import re
from collections.abc import Mapping

from profile_media.domain.errors import RequestInvalid
from profile_media.http.request import Request

MAX_BYTES = 16 * 1024
"""No JSON body of any contract comes near it."""

MAX_DEPTH = 8
"""Levels of objects and arrays; the deepest body of any contract has two."""


_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_object(request: Request) -> Mapping[str, object]:
    """The body's members; raises RequestInvalid for anything that is not strict JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise RequestInvalid(("Content-Type must be application/json",))
    if len(request.body) > MAX_BYTES:
        raise RequestInvalid((f"the body must be at most {MAX_BYTES} bytes",))
    try:
        value = json.loads(request.body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RequestInvalid(("the body must be one JSON object without duplicate keys",)) from None
    if not isinstance(value, dict) or not _is_plain(value, MAX_DEPTH):
        raise RequestInvalid(("the body must be a JSON object of few levels, and its strings Unicode text",))
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate keys")
    return members


def _is_plain(value: object, levels: int) -> bool:
    """Whether it nests few levels and no string holds half a character, which JSON can escape and nothing can store."""
    if isinstance(value, str):
        return not _SURROGATE.search(value)
    if not isinstance(value, dict | list):
        return True
    members = [*value, *value.values()] if isinstance(value, dict) else value
    return levels > 0 and all(_is_plain(member, levels - 1) for member in members)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
