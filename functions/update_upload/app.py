"""PATCH /media/uploads/{uploadId}: crop a picture again, or describe it."""

from profile_media.dialects import native
from profile_media.dialects.native.showing import parse_upload_id, render_upload
from profile_media.dialects.native.updating import parse_change
from profile_media.domain import access
from profile_media.http.request import Request, Response
from profile_media.wiring import updating
from profile_media.wiring.api import endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    upload_id, change = parse_upload_id(request), parse_change(request)
    return render_upload(updating.update(access.grant_own(request.caller), upload_id, change), request.links)
