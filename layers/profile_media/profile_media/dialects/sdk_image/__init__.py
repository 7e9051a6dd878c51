"""Dialect 4: what a published SDK's users API does with profile images, for that SDK's own clients.

The contract is `docs/dialects/sdk_image.md`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

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
from profile_media.http.request import Json
from profile_media.http.wording import describe

_UNFIT_PICTURE = (ErrorCode.TYPE_UNSUPPORTED, ErrorCode.UPLOAD_REJECTED, ErrorCode.IMAGE_UNACCEPTABLE)
"""The SDKs know 400 for what was sent and does not do, and raise their typed error for no status near it."""

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType(dict.fromkeys(_UNFIT_PICTURE, HTTPStatus.BAD_REQUEST))

_PUBLISHED_CODES: Mapping[ErrorCode, str] = MappingProxyType(
    {
        ErrorCode.USER_NOT_FOUND: "resource_not_found",
        ErrorCode.OWNER_FORBIDDEN: "authorization_invalid",
        ErrorCode.LIMIT_EXCEEDED: "too_many_requests",
    }
)
"""What the published API calls errors that its clients compare; the others have names of ours."""


def render_error(error: MediaError | None, correlation_id: str) -> Json:
    """A list, of one error unless several fields are wrong; the trace id is what the SDKs show for support."""
    return {"errors": [_error(error, sentence) for sentence in _sentences(error)], "clerk_trace_id": correlation_id}


def _sentences(error: MediaError | None) -> tuple[str, ...]:
    return error.details if isinstance(error, RequestInvalid) else (describe(error),)


def _error(error: MediaError | None, sentence: str) -> Json:
    code = _PUBLISHED_CODES.get(error.code, error.code.value) if error else "internal"
    meta = _meta(error)
    return {"message": sentence, "long_message": sentence, "code": code, **({"meta": meta} if meta else {})}


def _meta(error: MediaError | None) -> Json:
    """What a program may want of the error without reading the sentence."""
    match error:
        case ImageUnacceptable(reason=reason) | UploadRejected(reason=reason):
            return {"reason": reason.value}
        case PayloadTooLarge(limit=limit) | UploadTooLarge(limit=limit):
            return {"limit": limit}
        case LimitExceeded(retry_after=retry_after):
            return {"retry_after": retry_after}
        case _:
            return {}
