"""Strict base64url and JSON: each accepted value has one spelling and one reading."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn


def decode_base64url(text: object) -> bytes:
    """Decode unpadded base64url; raise ValueError for anything else.

    Python's decoder skips foreign characters and ignores left-over bits. Comparing with the canonical spelling stops an
    attacker from making several different tokens out of one, which would get past a revocation list or a cache.
    """
    if not isinstance(text, str):
        raise ValueError("not text")
    content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(content).rstrip(b"=") != text.encode():
        raise ValueError("not canonical base64url")
    return content


def parse_json_object(content: bytes) -> Mapping[str, Any]:
    """Parse one JSON object in UTF-8; raise ValueError for anything else."""
    try:
        parsed = _STRICT.decode(content.decode())
    except RecursionError:  # an attacker nests arrays to exhaust the stack
        raise ValueError("nested too deeply") from None
    if not isinstance(parsed, Mapping):
        raise ValueError("not an object")
    return parsed


def _unique_members(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    """Build an object; refuse repeated names, because two parsers can read different values."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return MappingProxyType(members)


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity: every comparison with NaN is false, so an expiry check on it never fires."""
    raise ValueError(f"{name} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
