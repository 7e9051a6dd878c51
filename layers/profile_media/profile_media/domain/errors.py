"""Everything the service can refuse, as one closed tree.

MediaError
├─ RequestInvalid       request_invalid       the body or a parameter does not say what it must
├─ ReferenceInvalid     reference_invalid     cannot be a reference at all
├─ UploadNotFound       upload_not_found      unknown, expired, or someone else's
├─ UploadNotReady       upload_not_ready      pending
├─ UploadRejected       upload_rejected       processed and refused (carries why)
├─ SlotMismatch         slot_mismatch         granted for another slot
├─ TypeUnsupported      type_unsupported      a content type that is not taken
├─ UploadTooLarge       upload_too_large      more bytes than the slot's limit
├─ ImageUnacceptable    image_unacceptable    the bytes were refused (carries why)
├─ IdempotencyConflict  idempotency_conflict  the key was used with another request
├─ LimitExceeded        limit_exceeded        too many intents (carries when to come back)
├─ AttachmentChanged    attachment_changed    lost the swap, again and again
├─ OwnerForbidden       owner_forbidden       the caller may not act for this owner
├─ UserNotFound         user_not_found        no such user, or another tenant's
├─ PayloadTooLarge      payload_too_large     more than one call may carry (carries how much it may)
└─ Unavailable          unavailable           a store throttles or is down; trying again is right

No status, no envelope, no wording for people here: dialects own those. Messages are for the log.
"""

from dataclasses import dataclass
from enum import StrEnum

from profile_media.domain.model import DecodeCost, Reason, Slot


class ErrorCode(StrEnum):
    """Names an error for dialects and dashboards; stable once published."""

    REQUEST_INVALID = "request_invalid"
    REFERENCE_INVALID = "reference_invalid"
    UPLOAD_NOT_FOUND = "upload_not_found"
    UPLOAD_NOT_READY = "upload_not_ready"
    UPLOAD_REJECTED = "upload_rejected"
    SLOT_MISMATCH = "slot_mismatch"
    TYPE_UNSUPPORTED = "type_unsupported"
    UPLOAD_TOO_LARGE = "upload_too_large"
    IMAGE_UNACCEPTABLE = "image_unacceptable"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    LIMIT_EXCEEDED = "limit_exceeded"
    ATTACHMENT_CHANGED = "attachment_changed"
    OWNER_FORBIDDEN = "owner_forbidden"
    USER_NOT_FOUND = "user_not_found"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNAVAILABLE = "unavailable"


class MediaError(Exception):
    """A refusal the caller can be told about; anything else that is raised is a bug."""

    code: ErrorCode


@dataclass(eq=False)
class RequestInvalid(MediaError):
    """The request does not say what it must; `details` name the fields, in words for a developer."""

    details: tuple[str, ...]
    code = ErrorCode.REQUEST_INVALID


@dataclass(eq=False)
class ReferenceInvalid(MediaError):
    """What was sent cannot name an upload, whoever asks."""

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
    """The upload was processed and refused."""

    reason: Reason
    code = ErrorCode.UPLOAD_REJECTED


@dataclass(eq=False)
class SlotMismatch(MediaError):
    """The upload was granted for another slot."""

    granted: Slot
    code = ErrorCode.SLOT_MISMATCH


@dataclass(eq=False)
class TypeUnsupported(MediaError):
    """The declared content type is none of those the service takes."""

    content_type: str
    code = ErrorCode.TYPE_UNSUPPORTED


@dataclass(eq=False)
class UploadTooLarge(MediaError):
    """The declared length is over the slot's limit, in bytes."""

    limit: int
    code = ErrorCode.UPLOAD_TOO_LARGE


@dataclass(eq=False)
class ImageUnacceptable(MediaError):
    """The bytes are not a picture the service takes; `detail` is for the log only."""

    reason: Reason
    detail: str = ""
    cost: DecodeCost | None = None
    """None where no decoder saw them."""
    code = ErrorCode.IMAGE_UNACCEPTABLE


@dataclass(eq=False)
class IdempotencyConflict(MediaError):
    """The idempotency key was used before with another request."""

    code = ErrorCode.IDEMPOTENCY_CONFLICT


@dataclass(eq=False)
class LimitExceeded(MediaError):
    """The user asks for too much; `retry_after` is in whole seconds, at least 1."""

    limit: str
    retry_after: int
    code = ErrorCode.LIMIT_EXCEEDED


@dataclass(eq=False)
class AttachmentChanged(MediaError):
    """Others kept changing the slot while this bind tried to."""

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
    """A picture sent through the API is over what Lambda takes in one call, in bytes; intents take more."""

    limit: int
    code = ErrorCode.PAYLOAD_TOO_LARGE


@dataclass(eq=False)
class Unavailable(MediaError):
    """A store did not answer in time or throttles; nothing was changed, or repeating is harmless."""

    why: str
    retry_after: int = 1
    code = ErrorCode.UNAVAILABLE
