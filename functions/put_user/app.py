"""PUT /v1/users/{user_id}: write who a user is, whether it has signed in yet or not."""

from profile_media.dialects import sdk_image
from profile_media.dialects.sdk_image.showing import render_user
from profile_media.dialects.sdk_image.writing import parse_identity
from profile_media.http.request import Request, Response
from profile_media.http.user_id import parse_user_id
from profile_media.wiring import people
from profile_media.wiring.edge import endpoint


@endpoint(sdk_image)
def handler(request: Request) -> Response:
    profile = people.write(request.caller, parse_user_id(request), parse_identity(request))
    return render_user(profile, people.links())
