"""Says what a believed token tells of its bearer besides who it is: the profile's fields, as they are passed on.

Nothing here refuses anybody. A claim that is not what OpenID Connect makes of its name is left out, as if it had not
been sent. Names that are too long are cut. Of everything else a part would be something else (another address, another
page), so what does not fit is left out too.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

MAX_IDENTITY = 4096
"""Bytes of the JSON: beside it, all that the authorizer passes on must fit into what API Gateway takes."""

LATEST = 253_402_300_799
"""The last second of the year 9999: beyond it, no library has a date."""

_EMAIL = re.compile(r"[^\s@\"\\]+@[^\s@\"\\]+")
_PICTURE = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?")

_NAME, _USERNAME, _ADDRESS, _PHONE, _ROLE, _URL = 480, 384, 320, 64, 96, 2048
"""Bytes that a text may take in the JSON, where a letter outside ASCII takes six: together under MAX_IDENTITY."""


def identity_of(claims: Mapping[str, Any]) -> str:
    """The claims as compact JSON in ASCII, by the names of the profile's fields; an empty object for none."""
    found = {field: read(claims) for field, read in _FIELDS.items()}
    if found["email"] is None:  # or it would be said of no address
        found["email_verified"] = None
    said = {field: value for field, value in found.items() if value is not None}
    return json.dumps(said, separators=(",", ":"))


def _email(claims: Mapping[str, Any]) -> str | None:
    email = _text(claims.get("email"), _ADDRESS)
    return email if email and _EMAIL.fullmatch(email) else None


def _email_verified(claims: Mapping[str, Any]) -> bool | None:
    verified = claims.get("email_verified")
    return verified if isinstance(verified, bool) else None


def _name(claim: str, limit: int) -> Callable[[Mapping[str, Any]], str | None]:
    return lambda claims: _cut(claims.get(claim), limit)


def _phone_number(claims: Mapping[str, Any]) -> str | None:
    return _text(claims.get("phone_number"), _PHONE)


def _picture_url(claims: Mapping[str, Any]) -> str | None:
    url = _text(claims.get("picture"), _URL)
    return url if url and _PICTURE.fullmatch(url) else None


def _role(claims: Mapping[str, Any]) -> str | None:
    """The first text in `role`, or else in `roles`; either may be a list."""
    for claim in (claims.get("role"), claims.get("roles")):
        for role in claim if isinstance(claim, list) else [claim]:
            if (text := _text(role, _ROLE)) is not None:
                return text
    return None


def _last_login(claims: Mapping[str, Any]) -> int | None:
    seconds = claims.get("auth_time")
    return seconds if type(seconds) is int and 0 <= seconds <= LATEST else None


_FIELDS: Mapping[str, Callable[[Mapping[str, Any]], str | bool | int | None]] = MappingProxyType(
    {
        "email": _email,
        "email_verified": _email_verified,
        "first_name": _name("given_name", _NAME),
        "last_name": _name("family_name", _NAME),
        "phone_number": _phone_number,
        "username": _name("preferred_username", _USERNAME),
        "picture_url": _picture_url,
        "role": _role,
        "last_login": _last_login,  # seconds since the epoch
    }
)


def _text(value: object, limit: int) -> str | None:
    """A text that can be shown, without the space around it; None for anything else, and for one that is too long."""
    if not isinstance(value, str) or not (text := value.strip()).isprintable():
        return None
    return text if text and _size(text) <= limit else None


def _cut(value: object, limit: int) -> str | None:
    """As `_text`, but of one that is too long what fits."""
    if not isinstance(value, str):
        return None
    size = 0
    for index, letter in enumerate(value):
        size += _size(letter)
        if size > limit:
            return _text(value[:index], limit)
    return _text(value, limit)


def _size(text: str) -> int:
    """Bytes that it takes in the JSON."""
    return len(json.dumps(text)) - 2
