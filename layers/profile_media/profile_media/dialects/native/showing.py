"""GET /media/uploads/{uploadId} and GET /media/profile: what is there to see."""

from http import HTTPStatus

from profile_media.dialects.native.slots import NAMES
from profile_media.domain.errors import RequestInvalid, UploadNotFound
from profile_media.domain.keys import is_upload_id
from profile_media.domain.model import Derivative, ExternalPicture, Profile, Slot, Upload
from profile_media.http.links import Links, iso
from profile_media.http.request import Json, Request, Response
from profile_media.http.wording import REASONS

LONGEST_WAIT = 20
"""Seconds; API Gateway gives up on an integration after 29."""


def parse_upload_id(request: Request) -> str:
    """Which upload; text that is no upload id names none."""
    upload_id = request.path.get("uploadId", "")
    if not is_upload_id(upload_id):
        raise UploadNotFound("not an upload id")
    return upload_id


def parse_wait(request: Request) -> int:
    """How long to hold the answer, in seconds."""
    text = request.query.get("wait", "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) <= LONGEST_WAIT):
        raise RequestInvalid((f"wait: must be a whole number of seconds from 0 to {LONGEST_WAIT}",))
    return int(text)


def render_upload(upload: Upload, links: Links) -> Response:
    """The upload, with what there is of it by now."""
    body: dict[str, object] = {
        "uploadId": upload.upload_id,
        "publicId": links.public_id(upload),
        "slot": NAMES[upload.slot],
        "state": upload.state.value,
        "createdAt": iso(upload.created_at),
    }
    if upload.expires_at:
        body["expiresAt"] = iso(upload.expires_at)
    if upload.reason:
        body["reason"] = {"code": upload.reason.value, "message": REASONS[upload.reason]}
    if upload.derivatives:
        body |= {"width": upload.width, "height": upload.height}
        body["derivatives"] = _derivatives(upload.upload_id, upload.shown, links)
    return Response(HTTPStatus.OK, body)


def render_profile(profile: Profile, links: Links) -> Response:
    """Both slots, each with every derivative."""
    body: dict[str, object] = {"userId": profile.user_id}
    for slot, name in NAMES.items():
        body[name] = _attachment(profile, slot, links)
    body["updatedAt"] = iso(profile.updated_at) if profile.updated_at else None
    return Response(HTTPStatus.OK, body)


def _attachment(profile: Profile, slot: Slot, links: Links) -> Json | None:
    attachment = profile.attachments.get(slot)
    if attachment is None:
        return None
    if isinstance(attachment, ExternalPicture):
        return {"uploadId": None, "publicId": None, "url": attachment.url, "derivatives": {}}
    return {
        "uploadId": attachment.upload_id,
        "publicId": links.bound_public_id(profile.user_id, slot, attachment.upload_id),
        "derivatives": _derivatives(attachment.upload_id, attachment.shown, links),
    }


def _derivatives(upload_id: str, derivatives: tuple[Derivative, ...], links: Links) -> Json:
    return {
        derivative.name: {
            "url": links.url(upload_id, derivative),
            "width": derivative.width,
            "height": derivative.height,
            "contentType": derivative.content_type.value,
            "bytes": derivative.size,
        }
        for derivative in derivatives
    }
