"""PATCH /api/v1/users/me/profile-picture: bind or remove the caller's avatar, referenced by its upload id."""

from profile_media.dialects import upload_id
from profile_media.domain.model import Slot
from profile_media.domain.references import Reference
from profile_media.http.request import Request, Response
from profile_media.wiring import attachments, people, viewing
from profile_media.wiring.edge import endpoint


@endpoint(upload_id)
def handler(request: Request) -> Response:
    wanted = upload_id.parse_upload_id(request)
    people.load_own_profile(request.caller)
    if wanted:
        profile = attachments.bind(request.caller, Slot.AVATAR, Reference(request.caller.user_id, wanted))
    else:
        profile = attachments.unbind(request.caller, Slot.AVATAR)
    return upload_id.render(profile, viewing.thumbnail_url(profile, Slot.AVATAR))
