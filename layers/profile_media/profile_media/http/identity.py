"""Who the caller is, as the authorizer passes it on: one short JSON object of the claims it checked."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from profile_media.domain.model import Identity


def identity_of(text: str) -> Identity:
    """The identity in the authorizer's context; what is missing there, the token did not say."""
    said = json.loads(text)
    return Identity(**{name: read(said[name]) for name, read in _FIELDS.items() if said.get(name) is not None})


def _time(seconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(seconds)), UTC)


_FIELDS: Mapping[str, Callable[[object], Any]] = MappingProxyType(
    {
        "email": str,
        "email_verified": bool,
        "first_name": str,
        "last_name": str,
        "phone_number": str,
        "username": str,
        "picture_url": str,
        "role": str,
        "last_login": _time,
    }
)
