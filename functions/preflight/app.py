"""OPTIONS (every path): answer CORS preflights."""

from collections.abc import Mapping
from typing import Any

from profile_media.http.cors import preflight
from profile_media.wiring.api import edge


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    return preflight(event, edge().allowed_origins)
