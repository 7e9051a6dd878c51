"""Reads the profile's fields from the claims of a trusted token.

No token is refused here. A claim that is not as OpenID Connect defines it is ignored, as if it had not been sent. Names
that are too long are cut. Other values that are too long are ignored, since part of an address is another address.

The keys of `_FIELDS` are the fields of `domain.model.Identity`, as a test checks. They are not imported from there: the
domain's dataclasses would add 11 % to the instructions of the authorizer's cold start.
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


def read_identity(claims: Mapping[str, Any]) -> str:
    """Return the fields that the claims tell, as the compact ASCII JSON that `http.identity` parses."""
    found = {field: read(claims) for field, read in _FIELDS.items()}
    if found["email"] is None:  # the flag is about the address
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
    """Return the first text in `role`, or else in `roles`. Either may be a list."""
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
