"""PATCH /api/v1/users/avatar: bind the caller's avatar, referenced by its URL."""

from profile_media.dialects import avatar_url
from profile_media.domain.model import Slot
from profile_media.http.request import Request, Response
from profile_media.wiring import attachments, people
from profile_media.wiring.edge import endpoint


@endpoint(avatar_url)
def handler(request: Request) -> Response:
    caller, url = request.caller, avatar_url.parse_url(request)
    media_base_url = attachments.links().media_base_url
    reference = avatar_url.parse_reference(url, caller.user_id, media_base_url, attachments.external_hosts())
    people.load_own_profile(caller)
    if reference:
        attachments.bind(caller, Slot.AVATAR, reference)
    else:
        attachments.bind_external(caller, Slot.AVATAR, url)
    return avatar_url.render(url)
