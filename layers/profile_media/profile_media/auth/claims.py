"""Reads the profile's fields from the claims of a trusted token.

No token is refused here. A claim that is not as OpenID Connect defines it is ignored, as if it had not been sent. Names
that are too long are cut. Other values that are too long are ignored, since part of an address is another address.

The keys of `IDENTITY_CLAIMS` are the fields of `domain.model.Identity`, as a test checks. They are not imported from
there: the domain's dataclasses would add a fifth to the instructions of the authorizer's cold start
(docs/decisions/0027).
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

MAX_IDENTITY = 4096
"""Bytes of the JSON. API Gateway limits the size of everything that an authorizer returns."""

LATEST = 253_402_300_799
"""Seconds since the epoch at the end of the year 9999, the last date that libraries can represent."""

_EMAIL = re.compile(r"[^\s@\"\\]+@[^\s@\"\\]+")
_PICTURE = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?")

_NAME, _USERNAME, _ADDRESS, _PHONE, _ROLE, _URL = 480, 384, 320, 64, 96, 2048
"""Maximum bytes in the JSON, where a character outside ASCII takes six. Together they stay under MAX_IDENTITY."""


type IdentityClaims = Mapping[str, tuple[str, ...]]

IDENTITY_CLAIMS: IdentityClaims = MappingProxyType(
    {
        "email": ("email",),
        "email_verified": ("email_verified",),
        "first_name": ("given_name",),
        "last_name": ("family_name",),
        "phone_number": ("phone_number",),
        "username": ("preferred_username",),
        "picture_url": ("picture",),
        "role": ("role", "roles"),
        "last_login": ("auth_time",),
    }
)
"""The claims of OpenID Connect for each field of the profile. The first usable one counts."""


def find_claim(claims: Mapping[str, Any], name: str) -> object:
    """Return a claim, or None. `a.b` is the claim of that name, or else the member `b` of the claim `a`."""
    if name in claims:
        return claims[name]
    first, dot, rest = name.partition(".")
    inner = claims.get(first) if dot else None
    return find_claim(inner, rest) if isinstance(inner, Mapping) else None


def read_identity(claims: Mapping[str, Any], names: IdentityClaims = IDENTITY_CLAIMS) -> str:
    """Return the fields that the claims tell, as the compact ASCII JSON that `http.identity` parses."""
    found = {field: _first(read, claims, names[field]) for field, read in _READERS.items()}
    if found["email"] is None:  # the flag is about the address
        found["email_verified"] = None
    said = {field: value for field, value in found.items() if value is not None}
    return json.dumps(said, separators=(",", ":"))


type Value = str | bool | int | None


def _first(read: Callable[[object], Value], claims: Mapping[str, Any], names: tuple[str, ...]) -> Value:
    """Return the first value that can be read."""
    return next((value for name in names if (value := read(find_claim(claims, name))) is not None), None)


def _email(claim: object) -> str | None:
    email = _text(claim, _ADDRESS)
    return email if email and _EMAIL.fullmatch(email) else None


def _flag(claim: object) -> bool | None:
    return claim if isinstance(claim, bool) else None


def _name(limit: int) -> Callable[[object], str | None]:
    return lambda claim: _cut(claim, limit)


def _phone_number(claim: object) -> str | None:
    return _text(claim, _PHONE)


def _picture_url(claim: object) -> str | None:
    url = _text(claim, _URL)
    return url if url and _PICTURE.fullmatch(url) else None


def _role(claim: object) -> str | None:
    """Return the text, or the first text in a list."""
    roles = (_text(role, _ROLE) for role in (claim if isinstance(claim, list) else [claim]))
    return next((role for role in roles if role is not None), None)


def _time(claim: object) -> int | None:
    """Return seconds since the epoch."""
    return claim if isinstance(claim, int) and is_time(claim) else None


def is_time(value: object) -> bool:
    """Tell whether it is a NumericDate of RFC 7519, which may have a fraction, in a year that libraries can represent.

    It refuses infinity, which JSON's 1e400 becomes, and True, which Python counts as 1.
    """
    return type(value) in (int, float) and 0 <= value <= LATEST  # type: ignore[operator]  # it is a number


_READERS: Mapping[str, Callable[[object], Value]] = MappingProxyType(
    {
        "email": _email,
        "email_verified": _flag,
        "first_name": _name(_NAME),
        "last_name": _name(_NAME),
        "phone_number": _phone_number,
        "username": _name(_USERNAME),
        "picture_url": _picture_url,
        "role": _role,
        "last_login": _time,
    }
)


def _text(value: object, limit: int) -> str | None:
    """Return printable text without surrounding space; None for anything else and for text that is too long."""
    if not isinstance(value, str) or not (text := value.strip()).isprintable():
        return None
    return text if text and _size(text) <= limit else None


def _cut(value: object, limit: int) -> str | None:
    """Do as `_text`, but cut text that is too long."""
    if not isinstance(value, str):
        return None
    size = 0
    for index, letter in enumerate(value):
        size += _size(letter)
        if size > limit:
            return _text(value[:index], limit)
    return _text(value, limit)


def _size(text: str) -> int:
    """Return the bytes that the text takes in the JSON."""
    return len(json.dumps(text)) - 2
