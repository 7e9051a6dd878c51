"""The error bodies that more than one contract uses."""

from profile_media.domain.errors import (
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

UNAUTHORIZED_MESSAGE = "Invalid or expired token"
UNAUTHORIZED_CODE = "AUTH_UNAUTHORIZED"


def coded_error(error: MediaError | None, correlation_id: str) -> Json:
    """Dialect 2's error body, which the native endpoints use as well; None is an error nobody expected."""
    name = error.code.value if error else "internal"
    details = error.details if isinstance(error, RequestInvalid) else ()
    return {
        "success": False,
        "error": {
            "code": name.upper(),
            "message": describe(error),
            "i18nKey": f"media.{name}",
            "i18nVars": _variables(error),
            "details": [{"message": detail} for detail in details],
            "correlationId": correlation_id,
        },
    }


def unauthorized(correlation_id: str) -> Json:
    """The one 401 body, which serves every dialect at once (docs/decisions/0001).

    API Gateway writes the same one when the authorizer refuses; a test keeps the two alike.
    """
    named = {"code": UNAUTHORIZED_CODE, "message": UNAUTHORIZED_MESSAGE}
    return {
        "success": False,
        "message": UNAUTHORIZED_MESSAGE,
        "error": {
            **named,
            "i18nKey": "auth.unauthorized",
            "i18nVars": {},
            "details": [],
            "correlationId": correlation_id,
        },
        "errors": [{**named, "long_message": UNAUTHORIZED_MESSAGE}],
    }


def _variables(error: MediaError | None) -> Json:
    match error:
        case UploadTooLarge(limit=limit) | PayloadTooLarge(limit=limit):
            return {"limit": limit}
        case ImageUnacceptable(reason=reason) | UploadRejected(reason=reason):
            return {"reason": reason.value}
        case LimitExceeded(retry_after=retry_after):
            return {"retryAfter": retry_after}
        case _:
            return {}
