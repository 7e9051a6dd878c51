"""GET /media/profile: show the caller's pictures."""

from profile_media.dialects import native
from profile_media.dialects.native.showing import render_profile
from profile_media.http.request import Request, Response
from profile_media.wiring import users
from profile_media.wiring.api import endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    return render_profile(users.load_own_profile(request.caller), request.links)
