"""The HTTP status of each error, unless a dialect has another one."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from profile_media.domain.errors import ErrorCode

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType(
    {
        ErrorCode.REQUEST_INVALID: HTTPStatus.BAD_REQUEST,
        ErrorCode.REFERENCE_INVALID: HTTPStatus.BAD_REQUEST,
        ErrorCode.UPLOAD_NOT_FOUND: HTTPStatus.NOT_FOUND,
        ErrorCode.UPLOAD_NOT_READY: HTTPStatus.CONFLICT,
        ErrorCode.UPLOAD_REJECTED: HTTPStatus.UNPROCESSABLE_ENTITY,
        ErrorCode.UPLOAD_BOUND: HTTPStatus.CONFLICT,
        ErrorCode.SLOT_MISMATCH: HTTPStatus.UNPROCESSABLE_ENTITY,
        ErrorCode.SLOT_NOT_FOUND: HTTPStatus.NOT_FOUND,
        ErrorCode.TYPE_UNSUPPORTED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ErrorCode.UPLOAD_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        ErrorCode.IMAGE_UNACCEPTABLE: HTTPStatus.UNPROCESSABLE_ENTITY,
        ErrorCode.IDEMPOTENCY_CONFLICT: HTTPStatus.CONFLICT,
        ErrorCode.CROP_UNAVAILABLE: HTTPStatus.CONFLICT,
        ErrorCode.LIMIT_EXCEEDED: HTTPStatus.TOO_MANY_REQUESTS,
        ErrorCode.ATTACHMENT_CHANGED: HTTPStatus.CONFLICT,
        ErrorCode.OWNER_FORBIDDEN: HTTPStatus.FORBIDDEN,
        ErrorCode.USER_NOT_FOUND: HTTPStatus.NOT_FOUND,
        ErrorCode.PAYLOAD_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        ErrorCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
