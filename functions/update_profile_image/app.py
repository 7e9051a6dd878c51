"""POST /v1/users/{user_id}/profile_image: make the picture in the form the user's avatar and show the user."""

from profile_media.dialects import sdk_image
from profile_media.dialects.sdk_image.showing import render_user
from profile_media.domain.model import Slot
from profile_media.http.multipart import parse_picture
from profile_media.http.request import Request, Response
from profile_media.http.user_id import parse_user_id
from profile_media.wiring import processing, users
from profile_media.wiring.api import endpoint


@endpoint(sdk_image)
def handler(request: Request) -> Response:
    access = users.access_to(request.caller, parse_user_id(request))
    picture = parse_picture(request)
    return render_user(processing.upload(access, Slot.AVATAR, picture.content, picture.framing), request.links)
