"""PATCH /api/v1/shared/users/{user_id}/profile-picture: bind or remove a user's avatar, referenced by its upload id."""

from profile_media.dialects import upload_id
from profile_media.domain.model import Slot
from profile_media.domain.references import Reference
from profile_media.http.request import Request, Response
from profile_media.http.user_id import parse_user_id
from profile_media.wiring import attachments, people, viewing
from profile_media.wiring.edge import endpoint


@endpoint(upload_id)
def handler(request: Request) -> Response:
    wanted = upload_id.parse_upload_id(request)
    owner_id = people.find(request.caller, parse_user_id(request)).user_id
    if wanted:
        profile = attachments.bind(request.caller, Slot.AVATAR, Reference(owner_id, wanted), owner_id)
    else:
        profile = attachments.unbind(request.caller, Slot.AVATAR, owner_id)
    return upload_id.render(profile, viewing.thumbnail_url(profile, Slot.AVATAR))
