"""Dialect 4: the profile image endpoints of a published SDK's users API, for that SDK's own clients.

The contract is `docs/dialects/sdk_image.md`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, NotRequired, TypedDict

from pydantic import Field

from profile_media.domain.errors import (
    ErrorCode,
    ImageUnacceptable,
    LimitExceeded,
    MediaError,
    PayloadTooLarge,
    RequestInvalid,
    UploadRejected,
    UploadTooLarge,
)
from profile_media.http.wire import documented
from profile_media.http.wording import describe

_PICTURE_ERRORS = (ErrorCode.TYPE_UNSUPPORTED, ErrorCode.UPLOAD_REJECTED, ErrorCode.IMAGE_UNACCEPTABLE)
"""The SDKs expect 400 for an invalid picture, and have no typed error for 415 or 422."""

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType(dict.fromkeys(_PICTURE_ERRORS, HTTPStatus.BAD_REQUEST))

_PUBLISHED_CODES: Mapping[ErrorCode, str] = MappingProxyType(
    {
        ErrorCode.USER_NOT_FOUND: "resource_not_found",
        ErrorCode.OWNER_FORBIDDEN: "authorization_invalid",
        ErrorCode.LIMIT_EXCEEDED: "too_many_requests",
    }
)
"""The published API's names of errors that its clients compare. The other errors keep this service's names."""


@documented
class SdkProblem(TypedDict):
    """One error."""

    message: str
    long_message: str
    code: str
    meta: NotRequired[dict[str, int | str]]


@documented
class SdkErrors(TypedDict):
    """Errors, in the form that the published SDKs read."""

    errors: Annotated[list[SdkProblem], Field(min_length=1)]
    clerk_trace_id: str
    """The request's id."""


def render_error(error: MediaError | None, correlation_id: str) -> SdkErrors:
    """Render one error per wrong field, or a single error. SDKs show the trace id to users for support."""
    return {"errors": [_problem(error, sentence) for sentence in _sentences(error)], "clerk_trace_id": correlation_id}


def _sentences(error: MediaError | None) -> tuple[str, ...]:
    return error.details if isinstance(error, RequestInvalid) else (describe(error),)


def _problem(error: MediaError | None, sentence: str) -> SdkProblem:
    code = _PUBLISHED_CODES.get(error.code, error.code.value) if error else "internal"
    problem: SdkProblem = {"message": sentence, "long_message": sentence, "code": code}
    if meta := _meta(error):
        problem["meta"] = meta
    return problem


def _meta(error: MediaError | None) -> dict[str, int | str]:
    """Return the values that the sentence contains, for programs."""
    match error:
        case ImageUnacceptable(reason=reason) | UploadRejected(reason=reason):
            return {"reason": reason.value}
        case PayloadTooLarge(limit=limit) | UploadTooLarge(limit=limit):
            return {"limit": limit}
        case LimitExceeded(limit=limit, retry_after=retry_after):
            return {"limit": limit.value, "retry_after": retry_after}
        case _:
            return {}
