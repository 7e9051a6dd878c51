"""PATCH /api/v1/shared/users/{user_id}/profile-picture: bind or remove a user's avatar, referenced by its upload id."""

from profile_media.dialects import upload_id
from profile_media.domain.model import Slot
from profile_media.domain.references import Reference
from profile_media.http.request import Request, Response
from profile_media.http.user_id import parse_user_id
from profile_media.wiring import pictures, users
from profile_media.wiring.api import endpoint


@endpoint(upload_id)
def handler(request: Request) -> Response:
    wanted = upload_id.parse_upload_id(request)
    access = users.access_to(request.caller, parse_user_id(request))
    if wanted:
        profile = pictures.bind(access, Slot.AVATAR, Reference(access.owner_id, wanted))
    else:
        profile = pictures.unbind(access, Slot.AVATAR)
    return upload_id.render(profile, pictures.thumbnail_url(profile, Slot.AVATAR, request.links))
