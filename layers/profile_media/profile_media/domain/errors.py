"""All errors that the service reports to callers, as one closed tree.

MediaError
├─ RequestInvalid       request_invalid       the body or a parameter is invalid
├─ ReferenceInvalid     reference_invalid     cannot name an upload
├─ UploadNotFound       upload_not_found      unknown, expired, or someone else's
├─ UploadNotReady       upload_not_ready      pending
├─ UploadRejected       upload_rejected       processed and rejected (carries the reason)
├─ UploadBound          upload_bound          bound to a slot
├─ SlotMismatch         slot_mismatch         created for another slot
├─ SlotNotFound         slot_not_found        no slot of a profile has this name
├─ TypeUnsupported      type_unsupported      a content type that is not supported
├─ UploadTooLarge       upload_too_large      more bytes than the slot's limit
├─ ImageUnacceptable    image_unacceptable    the bytes were refused (carries the reason)
├─ IdempotencyConflict  idempotency_conflict  the key was used with another request
├─ CropUnavailable      crop_unavailable      the picture is not kept, so it cannot be cropped again
├─ LimitExceeded        limit_exceeded        too many intents or changes (carries the limit and when to retry)
├─ AttachmentChanged    attachment_changed    lost every attempt to change the slot
├─ OwnerForbidden       owner_forbidden       the caller may not act for this owner
├─ UserNotFound         user_not_found        no such user, or another tenant's
├─ PayloadTooLarge      payload_too_large     more bytes than one call accepts (carries the limit)
└─ Unavailable          unavailable           a store throttles or is down; retry

Statuses, envelopes and wording for people belong to the dialects. Messages here are for the log.
"""

from dataclasses import dataclass
from enum import StrEnum

from profile_media.domain.formats import ACCEPTED, ContentType
from profile_media.domain.model import DecodeCost, Reason, Slot


class ErrorCode(StrEnum):
    """Stable codes of the errors, for dialects and dashboards."""

    REQUEST_INVALID = "request_invalid"
    REFERENCE_INVALID = "reference_invalid"
    UPLOAD_NOT_FOUND = "upload_not_found"
    UPLOAD_NOT_READY = "upload_not_ready"
    UPLOAD_REJECTED = "upload_rejected"
    UPLOAD_BOUND = "upload_bound"
    SLOT_MISMATCH = "slot_mismatch"
    SLOT_NOT_FOUND = "slot_not_found"
    TYPE_UNSUPPORTED = "type_unsupported"
    UPLOAD_TOO_LARGE = "upload_too_large"
    IMAGE_UNACCEPTABLE = "image_unacceptable"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    CROP_UNAVAILABLE = "crop_unavailable"
    LIMIT_EXCEEDED = "limit_exceeded"
    ATTACHMENT_CHANGED = "attachment_changed"
    OWNER_FORBIDDEN = "owner_forbidden"
    USER_NOT_FOUND = "user_not_found"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNAVAILABLE = "unavailable"


class Limit(StrEnum):
    """The limits of one user, as answers name them."""

    OPEN_INTENTS = "open_intents"
    INTENTS_PER_HOUR = "intents_per_hour"
    CHANGES_PER_MINUTE = "changes_per_minute"


class MediaError(Exception):
    """An error that is reported to the caller. Any other exception is a bug."""

    code: ErrorCode


@dataclass(eq=False)
class RequestInvalid(MediaError):
    """The request is invalid. `details` name the fields, for a developer."""

    details: tuple[str, ...]
    code = ErrorCode.REQUEST_INVALID


@dataclass(eq=False)
class ReferenceInvalid(MediaError):
    """The text cannot name an upload, whoever sends it."""

    why: str
    code = ErrorCode.REFERENCE_INVALID


@dataclass(eq=False)
class UploadNotFound(MediaError):
    """No such upload for this owner: unknown, expired or someone else's. `why` is for the log only."""

    why: str
    code = ErrorCode.UPLOAD_NOT_FOUND


@dataclass(eq=False)
class UploadNotReady(MediaError):
    """The upload is still pending."""

    upload_id: str
    code = ErrorCode.UPLOAD_NOT_READY


@dataclass(eq=False)
class UploadRejected(MediaError):
    """The upload was processed and rejected."""

    reason: Reason
    code = ErrorCode.UPLOAD_REJECTED


@dataclass(eq=False)
class UploadBound(MediaError):
    """The upload is bound to a slot, so it cannot be given up."""

    upload_id: str
    code = ErrorCode.UPLOAD_BOUND


@dataclass(eq=False)
class SlotMismatch(MediaError):
    """The upload was created for another slot."""

    granted: Slot
    code = ErrorCode.SLOT_MISMATCH


@dataclass(eq=False)
class SlotNotFound(MediaError):
    """No slot of a profile has this name."""

    code = ErrorCode.SLOT_NOT_FOUND


@dataclass(eq=False)
class TypeUnsupported(MediaError):
    """The declared content type is not supported. `accepted` are those that this deployment supports."""

    content_type: str
    accepted: frozenset[ContentType] = ACCEPTED
    code = ErrorCode.TYPE_UNSUPPORTED


@dataclass(eq=False)
class UploadTooLarge(MediaError):
    """The declared length is over the slot's limit, in bytes."""

    limit: int
    code = ErrorCode.UPLOAD_TOO_LARGE


@dataclass(eq=False)
class ImageUnacceptable(MediaError):
    """The bytes are not a picture that the service accepts. `detail` is for the log only."""

    reason: Reason
    detail: str = ""
    cost: DecodeCost | None = None
    """None if nothing was decoded."""
    code = ErrorCode.IMAGE_UNACCEPTABLE


@dataclass(eq=False)
class IdempotencyConflict(MediaError):
    """The idempotency key was used before with another request."""

    code = ErrorCode.IDEMPOTENCY_CONFLICT


@dataclass(eq=False)
class CropUnavailable(MediaError):
    """The upload's master is not kept or cannot be read, so no derivatives can be made."""

    upload_id: str
    code = ErrorCode.CROP_UNAVAILABLE


@dataclass(eq=False)
class LimitExceeded(MediaError):
    """A limit per user is reached. `retry_after` is in whole seconds, at least 1."""

    limit: Limit
    retry_after: int
    code = ErrorCode.LIMIT_EXCEEDED


@dataclass(eq=False)
class AttachmentChanged(MediaError):
    """Other requests kept changing the user's pictures during all attempts."""

    slot: Slot
    code = ErrorCode.ATTACHMENT_CHANGED


@dataclass(eq=False)
class OwnerForbidden(MediaError):
    """The caller may not act for this owner."""

    code = ErrorCode.OWNER_FORBIDDEN


@dataclass(eq=False)
class UserNotFound(MediaError):
    """No such user for this caller: unknown, or of another tenant. `why` is for the log only."""

    why: str
    code = ErrorCode.USER_NOT_FOUND


@dataclass(eq=False)
class PayloadTooLarge(MediaError):
    """A picture sent through the API is larger than one call of Lambda accepts. Intents accept larger ones."""

    limit: int
    code = ErrorCode.PAYLOAD_TOO_LARGE


@dataclass(eq=False)
class Unavailable(MediaError):
    """A store throttles or did not answer in time. A retry is safe."""

    why: str
    retry_after: int = 1
    code = ErrorCode.UNAVAILABLE
