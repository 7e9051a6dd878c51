"""Dialect 2: the avatar is a URL, of a picture that was uploaded here or of one that lies elsewhere.

The contract is `docs/dialects/avatar_url.md`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType

from profile_media.domain.errors import ErrorCode, MediaError, ReferenceInvalid, RequestInvalid
from profile_media.domain.references import MAX_URL_LENGTH, Reference, parse_media_url
from profile_media.http.envelope import coded_error
from profile_media.http.json_body import parse_object
from profile_media.http.request import Json, Request, Response

ANY_HOST = "*"

INVALID = RequestInvalid(
    (
        f"avatarUrl must be a plain https URL of at most {MAX_URL_LENGTH} characters,"
        " of a ready avatar of your own or of a picture elsewhere",
    )
)

_REFERENCE_ERRORS = (
    ErrorCode.REFERENCE_INVALID,
    ErrorCode.UPLOAD_NOT_FOUND,
    ErrorCode.UPLOAD_NOT_READY,
    ErrorCode.UPLOAD_REJECTED,
    ErrorCode.SLOT_MISMATCH,
)
"""All one to the caller: telling them apart would let anybody probe for other people's uploads."""

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType(dict.fromkeys(_REFERENCE_ERRORS, HTTPStatus.BAD_REQUEST))


def parse_url(request: Request) -> str:
    """The URL as it was sent, to be read by `parse_reference` and echoed by `render`."""
    url = parse_object(request).get("avatarUrl")
    if not isinstance(url, str):
        raise ReferenceInvalid("avatarUrl must be a string")
    return url


def parse_reference(url: str, owner_id: str, media_base_url: str, hosts: Sequence[str]) -> Reference | None:
    """The owner's upload that the URL shows, or None for a picture on one of the hosts that may be pointed at.

    Raises ReferenceInvalid for any other URL.
    """
    reference = parse_media_url(media_base_url, owner_id, url)
    # What was let through as elsewhere has a plain host after the scheme, so that its start says whose it is.
    if reference is None and not any(host == ANY_HOST or f"{url}/".startswith(f"https://{host}/") for host in hosts):
        raise ReferenceInvalid("a host that is not on the list")
    return reference


def render(url: str) -> Response:
    """The URL, as it was sent."""
    return Response(HTTPStatus.OK, {"success": True, "data": {"avatarUrl": url}})


def render_error(error: MediaError | None, correlation_id: str) -> Json:
    """The coded envelope, with nothing to tell the ways a URL can be wrong apart by."""
    wrong = error is not None and error.code in _REFERENCE_ERRORS
    return coded_error(INVALID if wrong else error, correlation_id)
