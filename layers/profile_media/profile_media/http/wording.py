"""English sentences about errors, for the developer of the client. Dialects put them into their error bodies."""

from collections.abc import Mapping
from types import MappingProxyType

from profile_media.domain import errors
from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason

REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.UNSUPPORTED_FORMAT: "The file is not a picture in a format we take.",
        Reason.TYPE_MISMATCH: "The file is another kind of picture than was announced.",
        Reason.CORRUPT: "The picture is damaged or incomplete.",
        Reason.TOO_MANY_PIXELS: "The picture has too many pixels.",
        Reason.TOO_SMALL: "The picture is too small.",
        Reason.TOO_LARGE: "The file is larger than was announced.",
        Reason.TOO_COMPLEX: "The picture takes too much work to read.",
        Reason.CHECKSUM_MISMATCH: "The file is not the one that was announced.",
        Reason.CROP_OUTSIDE: "The part to show lies outside of the picture.",
    }
)
"""A sentence per rejection reason, for the end user (docs/dialects/native.md lists the codes)."""

UNEXPECTED = "Something went wrong on our side"


def describe(error: errors.MediaError | None) -> str:
    """Return one sentence about the error. None stands for an unexpected error, whose cause clients are not told."""
    match error:
        case errors.RequestInvalid(details=details):
            sentence = "Invalid request: " + "; ".join(details)
        case errors.TypeUnsupported(accepted=accepted):
            sentence = "Unsupported content type; send one of " + ", ".join(
                each for each in ContentType if each in accepted
            )
        case errors.UploadTooLarge(limit=limit):
            sentence = f"The picture may have at most {limit} bytes"
        case errors.PayloadTooLarge(limit=limit):
            sentence = f"The picture may have at most {limit} bytes here; POST /media/intents takes larger ones"
        case errors.UploadRejected(reason=reason) | errors.ImageUnacceptable(reason=reason):
            sentence = REASONS[reason]
        case errors.LimitExceeded(limit=limit, retry_after=retry_after):
            sentence = f"{_LIMITS[limit]}; try again in {retry_after} s"
        case None:
            sentence = UNEXPECTED
        case _:
            sentence = _SENTENCES[error.code]
    return sentence


_LIMITS: Mapping[errors.Limit, str] = MappingProxyType(
    {
        errors.Limit.OPEN_INTENTS: "Too many uploads wait for their picture",
        errors.Limit.INTENTS_PER_HOUR: "Too many uploads in an hour",
        errors.Limit.CHANGES_PER_MINUTE: "Too many changes in a minute",
    }
)

_SENTENCES: Mapping[errors.ErrorCode, str] = MappingProxyType(
    {
        errors.ErrorCode.REFERENCE_INVALID: "Not a reference to an upload",
        errors.ErrorCode.UPLOAD_NOT_FOUND: "No such upload",
        errors.ErrorCode.UPLOAD_NOT_READY: "The upload is not ready yet",
        errors.ErrorCode.UPLOAD_BOUND: "The upload is in use; remove the picture from its slot instead",
        errors.ErrorCode.SLOT_MISMATCH: "The upload was made for another slot",
        errors.ErrorCode.SLOT_NOT_FOUND: "No such slot",
        errors.ErrorCode.IDEMPOTENCY_CONFLICT: "The Idempotency-Key was used with another request",
        errors.ErrorCode.CROP_UNAVAILABLE: "The whole picture is not kept; upload it again to crop it",
        errors.ErrorCode.ATTACHMENT_CHANGED: "The picture is being changed elsewhere; try again",
        errors.ErrorCode.OWNER_FORBIDDEN: "Not allowed to act for this user",
        errors.ErrorCode.USER_NOT_FOUND: "No such user",
        errors.ErrorCode.UNAVAILABLE: "Busy; try again",
    }
)
"""Sentences about the errors without data that a client should see."""
