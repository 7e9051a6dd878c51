"""GET /media/uploads/{uploadId}: show the state of an upload."""

from profile_media.dialects import native
from profile_media.dialects.native.showing import parse_upload_id, parse_wait, render_upload
from profile_media.http.request import Request, Response
from profile_media.wiring import intents
from profile_media.wiring.api import endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    upload = intents.find_upload(request.caller.user_id, parse_upload_id(request), patience=parse_wait(request))
    return render_upload(upload, request.links)
