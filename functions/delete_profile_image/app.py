"""DELETE /v1/users/{user_id}/profile_image: remove the user's avatar and show the user."""

from profile_media.dialects import sdk_image
from profile_media.dialects.sdk_image.showing import render_user
from profile_media.domain.model import Slot
from profile_media.http.request import Request, Response
from profile_media.http.user_id import parse_user_id
from profile_media.wiring import pictures, users
from profile_media.wiring.api import endpoint


@endpoint(sdk_image)
def handler(request: Request) -> Response:
    access = users.access_to(request.caller, parse_user_id(request))
    return render_user(pictures.unbind(access, Slot.AVATAR), request.links)
