"""Dialect 1: the picture comes in a form, and the answer is the user who now has it.

The contract is `docs/dialects/form_file.md`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from profile_media.domain.errors import ErrorCode, MediaError
from profile_media.domain.model import Profile, Slot
from profile_media.http.envelope import coded_error
from profile_media.http.links import Links
from profile_media.http.request import Json, Response
from profile_media.http.wording import describe

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType({ErrorCode.IMAGE_UNACCEPTABLE: HTTPStatus.BAD_REQUEST})
"""The contract has one status for a request that will not do, and the picture is all of the request."""


def render(profile: Profile, links: Links) -> Response:
    """The user; null is what the identity provider does not say."""
    identity = profile.identity
    user = {
        "id": profile.user_id,
        "first_name": identity.first_name,
        "last_name": identity.last_name,
        "email": identity.email,
        "phone_number": identity.phone_number,
        "profile_image": links.picture_url(profile, Slot.AVATAR),
    }
    return Response(HTTPStatus.OK, {"data": user})


def render_error(error: MediaError | None, correlation_id: str) -> Json:
    """A message to show, with the coded error beside it."""
    return {"success": False, "message": describe(error), **coded_error(error, correlation_id)}
