"""The authorizer context's `identity`: a JSON object with one member per field of `model.Identity`.

The authorizer writes it, the API functions read it. Fields that have their default value are left out.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from profile_media.domain.model import Identity

_DEFAULTS: Mapping[str, object] = MappingProxyType({field.name: field.default for field in fields(Identity)})
_TIMES = frozenset(field.name for field in fields(Identity) if "datetime" in str(field.type))
"""The fields that are times, written as seconds since the epoch."""


def to_json(identity: Identity) -> str:
    """Serialize as compact ASCII JSON; the empty identity is `{}`."""
    values = {name: getattr(identity, name) for name in _DEFAULTS}
    said = {name: _to_wire(value) for name, value in values.items() if value != _DEFAULTS[name]}
    return json.dumps(said, separators=(",", ":"))


def from_json(text: str) -> Identity:
    """Parse what `to_json` wrote. Unknown members are ignored: during a deployment the two sides may differ."""
    said = json.loads(text)
    return Identity(**{name: _from_wire(name, said[name]) for name in _DEFAULTS if said.get(name) is not None})


def _to_wire(value: object) -> object:
    return int(value.timestamp()) if isinstance(value, datetime) else value


def _from_wire(name: str, value: object) -> Any:
    return datetime.fromtimestamp(int(str(value)), UTC) if name in _TIMES else value
