"""Dialect 0: pictures are named by public ids, and every reference that will not do is the same 400.

The contract is `docs/dialects/public_id.md`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from profile_media.domain.errors import ErrorCode, MediaError, ReferenceInvalid
from profile_media.domain.model import Profile, Slot
from profile_media.domain.references import Reference, parse_public_id
from profile_media.http.json_body import parse_object
from profile_media.http.links import Links, iso
from profile_media.http.request import Json, Request, Response
from profile_media.http.wording import describe

INVALID = "Invalid publicId"

_REFERENCE_ERRORS = (
    ErrorCode.REQUEST_INVALID,
    ErrorCode.REFERENCE_INVALID,
    ErrorCode.UPLOAD_NOT_FOUND,
    ErrorCode.UPLOAD_NOT_READY,
    ErrorCode.UPLOAD_REJECTED,
    ErrorCode.SLOT_MISMATCH,
)
"""All one to the caller: telling them apart would let anybody probe for other people's uploads."""

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType(dict.fromkeys(_REFERENCE_ERRORS, HTTPStatus.BAD_REQUEST))


def parse_reference(request: Request, app: str) -> Reference:
    """The upload that `publicId` names."""
    public_id = parse_object(request).get("publicId")
    if not isinstance(public_id, str):
        raise ReferenceInvalid("publicId must be a string")
    return parse_public_id(app, public_id)


def render(profile: Profile, links: Links) -> Response:
    """Both slots, whichever was changed."""
    body = {
        "avatar": _picture(profile, Slot.AVATAR, links),
        "coverImage": _picture(profile, Slot.COVER_IMAGE, links),
        "updatedAt": iso(profile.updated_at) if profile.updated_at else None,
    }
    return Response(HTTPStatus.OK, body)


def render_error(error: MediaError | None, correlation_id: str) -> Json:
    """A message, and nothing to tell the ways of being wrong apart by."""
    invalid = error is not None and error.code in _REFERENCE_ERRORS
    return {"success": False, "message": INVALID if invalid else describe(error)}


def _picture(profile: Profile, slot: Slot, links: Links) -> Json | None:
    if not profile.has_picture(slot):
        return None
    upload_id = profile.bound_upload_id(slot)
    return {
        "url": links.picture_url(profile, slot),
        "publicId": links.bound_public_id(profile.user_id, slot, upload_id) if upload_id else None,
    }
