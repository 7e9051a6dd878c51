"""The authorizer context's `identity`: a JSON object with one member per field of `model.Identity`.

The authorizer writes it (`auth.claims`), without the members that the token says nothing about.
"""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from profile_media.domain.model import Identity

_NAMES = tuple(field.name for field in fields(Identity))


def from_json(text: str) -> Identity:
    """Parse the identity. Ignore unknown members: during a deployment the authorizer can be newer than the reader."""
    said = json.loads(text)
    return Identity(**{name: _value(name, said[name]) for name in _NAMES if said.get(name) is not None})


def _value(name: str, value: Any) -> Any:
    """Convert a time from seconds since the epoch. The other fields are JSON types."""
    return datetime.fromtimestamp(value, UTC) if name == "last_login" else value
