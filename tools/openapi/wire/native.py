"""Bodies of the native endpoints."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from profile_media.domain.model import ContentType, Reason, State
from tools.openapi.wire.model import Absent, Camel, Moment, Url, Wire

SlotName = Literal["avatar", "coverImage"]
Pixels = Annotated[int, Field(ge=1)]


class Form(Camel):
    """The form that carries the picture to storage."""

    method: Literal["POST"]
    url: Url
    fields: dict[str, str]
    """To be sent as they are and in this order, with the part `file` last."""


class IntentPromise(Camel):
    """An upload that is waiting for its picture."""

    upload_id: UUID
    public_id: str
    slot: SlotName
    state: State
    expires_at: Moment | None
    upload: Form


class DerivativeView(Camel):
    """One rendition of a picture."""

    url: Url
    width: Pixels
    height: Pixels
    content_type: ContentType
    bytes: Annotated[int, Field(ge=1)]


class Rejection(Camel):
    """Why a picture was refused."""

    code: Reason
    message: str


class UploadView(Camel):
    """An upload, and what became of it."""

    upload_id: UUID
    public_id: str
    slot: SlotName
    state: State
    created_at: Moment
    expires_at: Moment | Absent = None
    """Missing once the upload is bound."""
    reason: Rejection | Absent = None
    """Of a rejected upload."""
    width: Pixels | Absent = None
    height: Pixels | Absent = None
    derivatives: dict[str, DerivativeView] | Absent = None
    """By name, once the picture was processed."""


class UploadedPicture(Camel):
    """A slot that an upload is bound to."""

    upload_id: UUID
    public_id: str
    derivatives: dict[str, DerivativeView]


class PictureElsewhere(Camel):
    """A slot that points at a picture on another host."""

    upload_id: None
    public_id: None
    url: Url
    derivatives: Annotated[dict[str, DerivativeView], Field(max_length=0)]


class ProfileView(Camel):
    """What the caller's slots hold."""

    user_id: str
    avatar: UploadedPicture | PictureElsewhere | None
    cover_image: UploadedPicture | PictureElsewhere | None
    updated_at: Moment | None


class Detail(Wire):
    """One thing that is wrong."""

    message: str


class CodedProblem(Camel):
    """What went wrong, for programs and for people."""

    code: Annotated[str, Field(pattern="^[A-Z_]+$")]
    message: str
    i18n_key: Annotated[str, Field(alias="i18nKey")]
    i18n_vars: Annotated[dict[str, int | str], Field(alias="i18nVars")]
    details: list[Detail]
    correlation_id: str


class CodedError(Camel):
    """An error of the native endpoints, and of those that reference avatars by URL."""

    success: Literal[False]
    error: CodedProblem
