"""The endpoints of our own that the other contracts presuppose: intents, uploads, the profile.

Errors use dialect 2's envelope, with the usual statuses.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from profile_media.domain.errors import ErrorCode, MediaError
from profile_media.http.envelope import coded_error
from profile_media.http.request import Json

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType({})


def render_error(error: MediaError | None, correlation_id: str) -> Json:
    """The coded envelope."""
    return coded_error(error, correlation_id)
