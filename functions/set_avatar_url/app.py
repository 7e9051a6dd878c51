"""PATCH /api/v1/users/avatar: bind the caller's avatar, referenced by its URL."""

from profile_media.dialects import avatar_url
from profile_media.domain.model import Slot
from profile_media.domain.references import ExternalUrl
from profile_media.http.request import Request, Response
from profile_media.wiring import pictures, users
from profile_media.wiring.api import endpoint


@endpoint(avatar_url)
def handler(request: Request) -> Response:
    user_id, url = request.caller.user_id, avatar_url.parse_url(request)
    reference = avatar_url.parse_reference(url, user_id, request.links.media_base_url, pictures.external_hosts())
    access = users.access_to(request.caller, user_id)
    if isinstance(reference, ExternalUrl):
        pictures.bind_external(access, Slot.AVATAR, reference.url)
    else:
        pictures.bind(access, Slot.AVATAR, reference)
    return avatar_url.render(url)
