"""Dialect 2: the avatar is a URL, either of a picture uploaded here or of one on another host.

The contract is `docs/dialects/avatar_url.md`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from profile_media.domain.errors import ErrorCode, MediaError, ReferenceInvalid, RequestInvalid
from profile_media.domain.references import MAX_URL_LENGTH, ExternalUrl, Reference, parse_media_url
from profile_media.http.envelope import CodedError, coded_error
from profile_media.http.json_body import parse_object
from profile_media.http.request import Request, Response
from profile_media.http.wire import documented

ANY_HOST = "*"

INVALID = RequestInvalid(
    (
        f"avatarUrl must be a plain https URL of at most {MAX_URL_LENGTH} characters,"
        " of your own ready avatar upload or of a picture on another host",
    )
)

_REFERENCE_ERRORS = (
    ErrorCode.REFERENCE_INVALID,
    ErrorCode.UPLOAD_NOT_FOUND,
    ErrorCode.UPLOAD_NOT_READY,
    ErrorCode.UPLOAD_REJECTED,
    ErrorCode.SLOT_MISMATCH,
)
"""Errors with the same answer. Different answers would tell a caller which uploads of other users exist."""

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType(dict.fromkeys(_REFERENCE_ERRORS, HTTPStatus.BAD_REQUEST))

AvatarUrl = Annotated[str, Field(min_length=1, max_length=MAX_URL_LENGTH, pattern="^https?://[!-~]+$")]


class AvatarUrlBody(BaseModel):
    """The picture to show."""

    model_config = ConfigDict(strict=True, frozen=True, alias_generator=to_camel, use_attribute_docstrings=True)

    avatar_url: AvatarUrl
    """The URL of a derivative of the caller's own avatar uploads, or of a picture on another host."""


@documented
class AvatarUrlData(TypedDict):
    """The new picture."""

    avatarUrl: AvatarUrl
    """Exactly as it was sent."""


@documented
class AvatarUrlAnswer(TypedDict):
    """The answer with the new picture."""

    success: Literal[True]
    data: AvatarUrlData


def parse_url(request: Request) -> str:
    """Return the URL as it was sent. Raise RequestInvalid for a body that is not JSON, else ReferenceInvalid."""
    try:
        return AvatarUrlBody.model_validate(parse_object(request)).avatar_url
    except ValidationError:
        raise ReferenceInvalid("avatarUrl is missing or not a URL") from None


def parse_reference(url: str, owner_id: str, media_base_url: str, hosts: Sequence[str]) -> Reference | ExternalUrl:
    """Return the owner's upload that the URL shows, or the URL of a picture on one of the allowed hosts.

    Raise ReferenceInvalid for any other URL.
    """
    reference = parse_media_url(media_base_url, owner_id, url)
    if isinstance(reference, ExternalUrl) and not {ANY_HOST, reference.host} & set(hosts):
        raise ReferenceInvalid("the host is not on the list")
    return reference


def render(url: str) -> Response:
    """Render the URL as it was sent."""
    body: AvatarUrlAnswer = {"success": True, "data": {"avatarUrl": url}}
    return Response(HTTPStatus.OK, body)


def render_error(error: MediaError | None, correlation_id: str) -> CodedError:
    """Render the coded error body, the same one for every unusable URL."""
    unusable = error is not None and error.code in _REFERENCE_ERRORS
    return coded_error(INVALID if unusable else error, correlation_id)
