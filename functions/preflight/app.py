"""OPTIONS (every path): answer CORS preflights."""

from collections.abc import Mapping
from typing import Any

from profile_media.http.cors import preflight
from profile_media.wiring.api import endpoint_config


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    return preflight(event, endpoint_config().allowed_origins)
