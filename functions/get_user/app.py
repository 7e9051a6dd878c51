"""GET /v1/users/{user_id}: show a user."""

from profile_media.dialects import sdk_image
from profile_media.dialects.sdk_image.showing import render_user
from profile_media.http.request import Request, Response
from profile_media.http.user_id import parse_user_id
from profile_media.wiring import users
from profile_media.wiring.api import endpoint


@endpoint(sdk_image)
def handler(request: Request) -> Response:
    return render_user(users.find(request.caller, parse_user_id(request)), request.links)
