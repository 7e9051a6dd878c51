"""GET /media/profile: show the caller's pictures."""

from profile_media.dialects import native
from profile_media.dialects.native.showing import render_profile
from profile_media.http.request import Request, Response
from profile_media.wiring import people
from profile_media.wiring.edge import endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    return render_profile(people.load_own_profile(request.caller), people.links())
