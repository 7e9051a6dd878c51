"""PATCH /users/image/upload: make the picture in the form the caller's avatar and show the caller."""

from profile_media.dialects import form_file
from profile_media.domain.model import Slot
from profile_media.http.multipart import parse_picture
from profile_media.http.request import Request, Response
from profile_media.wiring import processing, users
from profile_media.wiring.api import endpoint


@endpoint(form_file)
def handler(request: Request) -> Response:
    picture = parse_picture(request)
    access = users.access_to(request.caller, request.caller.user_id)
    profile = processing.upload(access, Slot.AVATAR, picture.content, picture.framing)
    return form_file.render(profile, request.links)
