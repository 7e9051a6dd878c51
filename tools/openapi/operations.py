"""The operations: parameters, request body, answer and possible errors of each API function."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from profile_media.dialects import avatar_url, form_file, native, public_id, sdk_image, upload_id
from profile_media.dialects.avatar_url import AvatarUrlAnswer, AvatarUrlBody
from profile_media.dialects.form_file import FormFileError, FormUserAnswer
from profile_media.dialects.native.intents import IntentBody, IntentPromise
from profile_media.dialects.native.showing import LONGEST_WAIT, ProfileView, UploadView
from profile_media.dialects.native.slots import SLOTS
from profile_media.dialects.native.updating import UpdateBody
from profile_media.dialects.public_id import NamedPictures, PublicIdBody, PublicIdError
from profile_media.dialects.sdk_image import SdkErrors
from profile_media.dialects.sdk_image.showing import SdkUser
from profile_media.dialects.sdk_image.writing import UserBody
from profile_media.dialects.upload_id import DetailedError, PicturedUser, ProfilePictureBody
from profile_media.domain import errors
from profile_media.domain.errors import ErrorCode, MediaError
from profile_media.domain.model import Reason, Slot
from profile_media.domain.policy import MAX_DIRECT_BYTES
from profile_media.http.endpoint import Dialect
from profile_media.http.envelope import CodedError


@dataclass(frozen=True)
class Contract:
    """One dialect: its module, and the type of its error body."""

    dialect: Dialect
    error: type[Any]


CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {
        "native": Contract(native, CodedError),
        "public_id": Contract(public_id, PublicIdError),
        "form_file": Contract(form_file, FormFileError),
        "avatar_url": Contract(avatar_url, CodedError),
        "upload_id": Contract(upload_id, DetailedError),
        "sdk_image": Contract(sdk_image, SdkErrors),
    }
)

SAMPLES: Mapping[ErrorCode, MediaError] = MappingProxyType(
    {
        error.code: error
        for error in (
            errors.RequestInvalid(("slot: Field required",)),
            errors.ReferenceInvalid("not a reference"),
            errors.UploadNotFound("expired"),
            errors.UploadNotReady("6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90"),
            errors.UploadRejected(Reason.CORRUPT),
            errors.UploadBound("6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90"),
            errors.SlotMismatch(Slot.COVER_IMAGE),
            errors.SlotNotFound(),
            errors.TypeUnsupported("image/tiff"),
            errors.UploadTooLarge(20 * 1024 * 1024),
            errors.ImageUnacceptable(Reason.UNSUPPORTED_FORMAT),
            errors.IdempotencyConflict(),
            errors.CropUnavailable("6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90"),
            errors.LimitExceeded(errors.Limit.CHANGES_PER_MINUTE, 42),
            errors.AttachmentChanged(Slot.AVATAR),
            errors.OwnerForbidden(),
            errors.UserNotFound("unknown"),
            errors.PayloadTooLarge(MAX_DIRECT_BYTES),
            errors.Unavailable("ThrottlingException"),
        )
    }
)
"""One sample of each error, for the examples."""

_INVALID = frozenset({ErrorCode.REQUEST_INVALID})
_CHANGE = frozenset({ErrorCode.REQUEST_INVALID, ErrorCode.LIMIT_EXCEEDED, ErrorCode.ATTACHMENT_CHANGED})
_REFERENCE = frozenset(
    {
        ErrorCode.REFERENCE_INVALID,
        ErrorCode.UPLOAD_NOT_FOUND,
        ErrorCode.UPLOAD_NOT_READY,
        ErrorCode.UPLOAD_REJECTED,
        ErrorCode.SLOT_MISMATCH,
    }
)
_PICTURE = frozenset({ErrorCode.PAYLOAD_TOO_LARGE, ErrorCode.UPLOAD_TOO_LARGE, ErrorCode.IMAGE_UNACCEPTABLE})
_INTENT = frozenset(
    {
        ErrorCode.REQUEST_INVALID,
        ErrorCode.TYPE_UNSUPPORTED,
        ErrorCode.UPLOAD_TOO_LARGE,
        ErrorCode.IDEMPOTENCY_CONFLICT,
        ErrorCode.LIMIT_EXCEEDED,
        ErrorCode.OWNER_FORBIDDEN,
    }
)
_WATCH = frozenset({ErrorCode.REQUEST_INVALID, ErrorCode.UPLOAD_NOT_FOUND})
_CANCEL = frozenset({ErrorCode.UPLOAD_NOT_FOUND, ErrorCode.UPLOAD_BOUND})
_UPDATE = _CHANGE | {
    ErrorCode.UPLOAD_NOT_FOUND,
    ErrorCode.UPLOAD_NOT_READY,
    ErrorCode.UPLOAD_REJECTED,
    ErrorCode.IMAGE_UNACCEPTABLE,
    ErrorCode.CROP_UNAVAILABLE,
}
_REMOVE = frozenset({ErrorCode.SLOT_NOT_FOUND, ErrorCode.LIMIT_EXCEEDED, ErrorCode.ATTACHMENT_CHANGED})
_TENANT = frozenset({ErrorCode.USER_NOT_FOUND})
"""For a caller whose row belongs to another tenant."""

_ANOTHER = frozenset({ErrorCode.OWNER_FORBIDDEN, ErrorCode.USER_NOT_FOUND})
"""For a caller who acts for a user."""


@dataclass(frozen=True)
class Upload:
    """A request body that is a form with one picture and, as text, the part of it to show."""

    part: str = "file"
    framings: tuple[tuple[str, str], ...] = (
        ("crop", '{"x":512,"y":96,"width":2048,"height":2048}'),
        ("focus", '{"x":0.5,"y":0.25}'),
    )
    """Optional text fields with their examples; at most one of them may be sent."""


@dataclass(frozen=True)
class Operation:
    """The requests and answers of one function. Each may also answer `unavailable` or an internal error."""

    contract: str
    answer: type[Any] | None
    """None for an answer without a body."""
    refusals: frozenset[ErrorCode]
    body: type[BaseModel] | Upload | None = None
    parameters: tuple[Mapping[str, Any], ...] = ()
    """Parameters of the query and the headers; those of the path are in the template."""
    status: HTTPStatus = HTTPStatus.OK


PATH_PARAMETERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "uploadId": {"type": "string", "format": "uuid"},
        "user_id": {"type": "string", "minLength": 1},
        "slot": {"type": "string", "enum": list(SLOTS)},
    }
)

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_WAIT = {"name": "wait", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT}}

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "create_upload_intent": Operation(
            "native",
            IntentPromise,
            _INTENT | _TENANT,
            IntentBody,
            parameters=(_IDEMPOTENCY_KEY,),
            status=HTTPStatus.CREATED,
        ),
        "get_upload": Operation("native", UploadView, _WATCH, parameters=(_WAIT,)),
        "cancel_upload": Operation("native", None, _CANCEL, status=HTTPStatus.NO_CONTENT),
        "update_upload": Operation("native", UploadView, _UPDATE | _TENANT, UpdateBody),
        "get_profile": Operation("native", ProfileView, _TENANT),
        "remove_picture": Operation("native", None, _REMOVE | _TENANT, status=HTTPStatus.NO_CONTENT),
        "bind_avatar": Operation("public_id", NamedPictures, _CHANGE | _REFERENCE | _TENANT, PublicIdBody),
        "bind_cover_image": Operation("public_id", NamedPictures, _CHANGE | _REFERENCE | _TENANT, PublicIdBody),
        "upload_user_image": Operation("form_file", FormUserAnswer, _CHANGE | _PICTURE | _TENANT, Upload()),
        "set_avatar_url": Operation("avatar_url", AvatarUrlAnswer, _CHANGE | _REFERENCE | _TENANT, AvatarUrlBody),
        "update_profile_picture": Operation(
            "upload_id", PicturedUser, _CHANGE | _REFERENCE | _TENANT | _ANOTHER, ProfilePictureBody
        ),
        "update_my_profile_picture": Operation(
            "upload_id", PicturedUser, _CHANGE | _REFERENCE | _TENANT, ProfilePictureBody
        ),
        "update_profile_image": Operation("sdk_image", SdkUser, _CHANGE | _PICTURE | _TENANT | _ANOTHER, Upload()),
        "delete_profile_image": Operation("sdk_image", SdkUser, _CHANGE | _TENANT | _ANOTHER),
        "get_user": Operation("sdk_image", SdkUser, _TENANT | _ANOTHER),
        "put_user": Operation("sdk_image", SdkUser, _INVALID | _TENANT | _ANOTHER, UserBody),
    }
)
"""By the name of the function's folder."""
