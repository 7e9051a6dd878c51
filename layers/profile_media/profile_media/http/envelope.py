"""The error bodies that several contracts share."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from profile_media.domain.errors import (
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

UNAUTHORIZED_MESSAGE = "Invalid or expired token"
UNAUTHORIZED_CODE = "AUTH_UNAUTHORIZED"


@documented
class Detail(TypedDict):
    """One thing that is wrong."""

    message: str


@documented
class CodedProblem(TypedDict):
    """The error, for programs and for people."""

    code: Annotated[str, Field(pattern="^[A-Z_]+$")]
    message: str
    i18nKey: str
    i18nVars: dict[str, int | str]
    details: list[Detail]
    correlationId: str


@documented
class CodedError(TypedDict):
    """An error of the native endpoints, and of those that reference avatars by URL."""

    success: Literal[False]
    error: CodedProblem


@documented
class NamedProblem(TypedDict):
    """The error once more, as clients of dialect 4 read it."""

    code: str
    message: str
    long_message: str


@documented
class GatewayError(TypedDict):
    """An error that API Gateway answers before any function runs, such as for a missing or invalid token."""

    success: Literal[False]
    message: str
    error: CodedProblem
    errors: list[NamedProblem]
    clerk_trace_id: str
    """The request's id, where clients of dialect 4 look for it."""
    detail: str
    """The message, where clients of dialect 3 look for it."""


def coded_error(error: MediaError | None, correlation_id: str) -> CodedError:
    """Render dialect 2's error body, which the native endpoints use as well. None stands for an unexpected error."""
    name = error.code.value if error else "internal"
    details = error.details if isinstance(error, RequestInvalid) else ()
    return {
        "success": False,
        "error": {
            "code": name.upper(),
            "message": describe(error),
            "i18nKey": f"media.{name}",
            "i18nVars": dict(_variables(error)),
            "details": [{"message": detail} for detail in details],
            "correlationId": correlation_id,
        },
    }


def unauthorized(correlation_id: str) -> GatewayError:
    """Render the 401 body that serves the clients of every dialect (docs/decisions/0001).

    API Gateway writes the same body when the authorizer refuses a token; a test compares the two.
    """
    problem: CodedProblem = {
        "code": UNAUTHORIZED_CODE,
        "message": UNAUTHORIZED_MESSAGE,
        "i18nKey": "auth.unauthorized",
        "i18nVars": {},
        "details": [],
        "correlationId": correlation_id,
    }
    return {
        "success": False,
        "message": UNAUTHORIZED_MESSAGE,
        "error": problem,
        "errors": [{"code": UNAUTHORIZED_CODE, "message": UNAUTHORIZED_MESSAGE, "long_message": UNAUTHORIZED_MESSAGE}],
        "clerk_trace_id": correlation_id,
        "detail": UNAUTHORIZED_MESSAGE,
    }


def _variables(error: MediaError | None) -> Mapping[str, int | str]:
    match error:
        case UploadTooLarge(limit=limit) | PayloadTooLarge(limit=limit):
            return {"limit": limit}
        case ImageUnacceptable(reason=reason) | UploadRejected(reason=reason):
            return {"reason": reason.value}
        case LimitExceeded(limit=limit, retry_after=retry_after):
            return {"limit": limit.value, "retryAfter": retry_after}
        case _:
            return {}
