"""PATCH /user/profile/avatar: bind the caller's avatar, referenced by its public id."""

from profile_media.dialects import public_id
from profile_media.domain import access
from profile_media.domain.model import Slot
from profile_media.http.request import Request, Response
from profile_media.wiring import pictures
from profile_media.wiring.api import endpoint


@endpoint(public_id)
def handler(request: Request) -> Response:
    reference = public_id.parse_reference(request, request.links.app)
    profile = pictures.bind(access.grant_own(request.caller), Slot.AVATAR, reference)
    return public_id.render(profile, request.links)
