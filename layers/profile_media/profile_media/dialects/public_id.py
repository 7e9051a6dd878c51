"""Dialect 0: uploads are referenced by public ids, and every unusable reference is the same 400.

The contract is `docs/dialects/public_id.md`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Literal, TypedDict

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from profile_media.domain.errors import ErrorCode, MediaError
from profile_media.domain.model import Profile, Slot
from profile_media.domain.references import Reference, parse_public_id
from profile_media.http.json_body import parse_body
from profile_media.http.links import Links, iso
from profile_media.http.request import Request, Response
from profile_media.http.wire import Moment, Url, documented
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
"""Errors with the same answer. Different answers would tell a caller which uploads of other users exist."""

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType(dict.fromkeys(_REFERENCE_ERRORS, HTTPStatus.BAD_REQUEST))


class PublicIdBody(BaseModel):
    """Which upload to bind."""

    model_config = ConfigDict(strict=True, frozen=True, alias_generator=to_camel, use_attribute_docstrings=True)

    public_id: str
    """The temporary one from the intent, or the bound one while it is bound."""


@documented
class NamedPicture(TypedDict):
    """The picture of a slot."""

    url: Url
    publicId: str | None
    """Null for a picture on another host."""


@documented
class NamedPictures(TypedDict):
    """Both slots, whichever was changed."""

    avatar: NamedPicture | None
    coverImage: NamedPicture | None
    updatedAt: Moment | None


@documented
class PublicIdError(TypedDict):
    """An error, in one sentence."""

    success: Literal[False]
    message: str


def parse_reference(request: Request, app: str) -> Reference:
    """Parse `publicId` into the upload it names. Raise RequestInvalid or ReferenceInvalid."""
    return parse_public_id(app, parse_body(request, PublicIdBody).public_id)


def render(profile: Profile, links: Links) -> Response:
    """Render both slots."""
    body: NamedPictures = {
        "avatar": _picture(profile, Slot.AVATAR, links),
        "coverImage": _picture(profile, Slot.COVER_IMAGE, links),
        "updatedAt": iso(profile.updated_at) if profile.updated_at else None,
    }
    return Response(HTTPStatus.OK, body)


def render_error(error: MediaError | None, correlation_id: str) -> PublicIdError:
    """Render a message, the same one for every unusable reference."""
    invalid = error is not None and error.code in _REFERENCE_ERRORS
    return {"success": False, "message": INVALID if invalid else describe(error)}


def _picture(profile: Profile, slot: Slot, links: Links) -> NamedPicture | None:
    url = links.picture_url(profile, slot)
    if not profile.has_picture(slot) or url is None:
        return None
    upload_id = profile.bound_upload_id(slot)
    public_id = links.bound_public_id(profile.user_id, slot, upload_id) if upload_id else None
    return {"url": url, "publicId": public_id}
