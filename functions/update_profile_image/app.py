"""POST /v1/users/{user_id}/profile_image: take the picture in the form as the user's avatar, and show the user."""

from profile_media.dialects import sdk_image
from profile_media.dialects.sdk_image.showing import render_user
from profile_media.domain.model import Slot
from profile_media.http.multipart import parse_file
from profile_media.http.request import Request, Response
from profile_media.http.user_id import parse_user_id
from profile_media.wiring import ingesting, people
from profile_media.wiring.edge import endpoint


@endpoint(sdk_image)
def handler(request: Request) -> Response:
    user = people.find(request.caller, parse_user_id(request))
    profile = ingesting.ingest(request.caller, Slot.AVATAR, parse_file(request), user.user_id)
    return render_user(profile, ingesting.links())
