"""PUT /v1/users/{user_id}: write the identity of a user, who need not have signed in yet."""

from profile_media.dialects import sdk_image
from profile_media.dialects.sdk_image.showing import render_user
from profile_media.dialects.sdk_image.writing import parse_identity
from profile_media.http.request import Request, Response
from profile_media.http.user_id import parse_user_id
from profile_media.wiring import users
from profile_media.wiring.api import endpoint


@endpoint(sdk_image)
def handler(request: Request) -> Response:
    profile = users.write(request.caller, parse_user_id(request), parse_identity(request))
    return render_user(profile, request.links)
