"""GET /media/uploads/{uploadId} and GET /media/profile."""

from http import HTTPStatus
from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import Field

from profile_media.dialects.native.showable import Showable, add_showable
from profile_media.dialects.native.slots import NAMES, SlotName
from profile_media.domain.errors import RequestInvalid, UploadNotFound
from profile_media.domain.formats import ContentType
from profile_media.domain.keys import is_upload_id
from profile_media.domain.model import (
    Derivative,
    ExternalPicture,
    Profile,
    Reason,
    Slot,
    State,
    Upload,
)
from profile_media.http.links import Links, iso
from profile_media.http.request import Request, Response
from profile_media.http.wire import Moment, Pixels, Url, Uuid, documented
from profile_media.http.wording import REASONS

LONGEST_WAIT = 20
"""Seconds. API Gateway stops waiting for an integration after 29."""


@documented
class DerivativeView(TypedDict):
    """One rendition of a picture."""

    url: Url
    width: Pixels
    height: Pixels
    contentType: ContentType
    bytes: Annotated[int, Field(ge=1)]
    animated: NotRequired[Literal[True]]
    """Only of the animated derivative."""


@documented
class Rejection(TypedDict):
    """Why a picture was refused."""

    code: Reason
    message: str


@documented
class UploadView(Showable):
    """An upload and its state."""

    uploadId: Uuid
    publicId: str
    slot: SlotName
    state: State
    createdAt: Moment
    expiresAt: NotRequired[Moment]
    """Missing once the upload is bound."""
    reason: NotRequired[Rejection]
    """Only of a rejected upload."""
    width: NotRequired[Pixels]
    height: NotRequired[Pixels]
    derivatives: NotRequired[dict[str, DerivativeView]]
    """By name. Missing until the picture is processed."""


@documented
class UploadedPicture(Showable):
    """A slot that an upload is bound to."""

    uploadId: Uuid
    publicId: str
    derivatives: dict[str, DerivativeView]


@documented
class PictureElsewhere(TypedDict):
    """A slot that points at a picture on another host."""

    uploadId: None
    publicId: None
    url: Url
    derivatives: Annotated[dict[str, DerivativeView], Field(max_length=0)]


@documented
class ProfileView(TypedDict):
    """The pictures in the caller's slots."""

    userId: str
    avatar: UploadedPicture | PictureElsewhere | None
    coverImage: UploadedPicture | PictureElsewhere | None
    updatedAt: Moment | None


def parse_upload_id(request: Request) -> str:
    """Return the upload id of the path. Raise UploadNotFound for text that is not one."""
    upload_id = request.path.get("uploadId", "")
    if not is_upload_id(upload_id):
        raise UploadNotFound("not an upload id")
    return upload_id


def parse_wait(request: Request) -> int:
    """Return how many seconds to wait for the upload to be processed. Raise RequestInvalid."""
    text = request.query.get("wait", "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) <= LONGEST_WAIT):
        raise RequestInvalid((f"wait: must be a whole number of seconds from 0 to {LONGEST_WAIT}",))
    return int(text)


def render_upload(upload: Upload, links: Links) -> Response:
    """Render the upload in its present state."""
    body: UploadView = {
        "uploadId": upload.upload_id,
        "publicId": links.public_id(upload),
        "slot": NAMES[upload.slot],
        "state": upload.state,
        "createdAt": iso(upload.created_at),
    }
    add_showable(body, upload)
    if upload.expires_at:
        body["expiresAt"] = iso(upload.expires_at)
    if upload.reason:
        body["reason"] = {"code": upload.reason, "message": REASONS[upload.reason]}
    if upload.derivatives and upload.width and upload.height:
        body["width"], body["height"] = upload.width, upload.height
        body["derivatives"] = _derivatives(upload.upload_id, upload.shown, links)
    return Response(HTTPStatus.OK, body)


def render_profile(profile: Profile, links: Links) -> Response:
    """Render both slots, each with every public derivative."""
    body: ProfileView = {
        "userId": profile.user_id,
        "avatar": _picture(profile, Slot.AVATAR, links),
        "coverImage": _picture(profile, Slot.COVER_IMAGE, links),
        "updatedAt": iso(profile.updated_at) if profile.updated_at else None,
    }
    return Response(HTTPStatus.OK, body)


def _picture(profile: Profile, slot: Slot, links: Links) -> UploadedPicture | PictureElsewhere | None:
    attachment = profile.attachments.get(slot)
    if attachment is None:
        return None
    if isinstance(attachment, ExternalPicture):
        return {"uploadId": None, "publicId": None, "url": attachment.url, "derivatives": {}}
    view: UploadedPicture = {
        "uploadId": attachment.upload_id,
        "publicId": links.bound_public_id(profile.user_id, slot, attachment.upload_id),
        "derivatives": _derivatives(attachment.upload_id, attachment.shown, links),
    }
    add_showable(view, attachment)
    return view


def _derivatives(upload_id: str, derivatives: tuple[Derivative, ...], links: Links) -> dict[str, DerivativeView]:
    return {derivative.name: _derivative(upload_id, derivative, links) for derivative in derivatives}


def _derivative(upload_id: str, derivative: Derivative, links: Links) -> DerivativeView:
    view: DerivativeView = {
        "url": links.url(upload_id, derivative),
        "width": derivative.width,
        "height": derivative.height,
        "contentType": derivative.content_type,
        "bytes": derivative.size,
    }
    if derivative.is_animated:
        view["animated"] = True
    return view
