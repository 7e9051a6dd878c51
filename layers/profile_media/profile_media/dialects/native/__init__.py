"""The native endpoints: intents, uploads and the profile, which the other contracts build on.

Errors have dialect 2's body and the usual statuses.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from profile_media.domain.errors import ErrorCode, MediaError
from profile_media.http.envelope import CodedError, coded_error

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType({})


def render_error(error: MediaError | None, correlation_id: str) -> CodedError:
    """Render the coded error body."""
    return coded_error(error, correlation_id)
