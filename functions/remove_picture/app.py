"""DELETE /media/profile/{slot}: remove the caller's picture from a slot."""

from profile_media.dialects import native
from profile_media.dialects.native.removing import REMOVED, parse_slot
from profile_media.domain import access
from profile_media.http.request import Request, Response
from profile_media.wiring import pictures
from profile_media.wiring.api import endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    pictures.unbind(access.grant_own(request.caller), parse_slot(request))
    return REMOVED
