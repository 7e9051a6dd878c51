"""GET /media/uploads/{uploadId}: show what became of an upload."""

from profile_media.dialects import native
from profile_media.dialects.native.showing import parse_upload_id, parse_wait, render_upload
from profile_media.http.request import Request, Response
from profile_media.wiring import uploads
from profile_media.wiring.edge import endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    upload = uploads.find(request.caller.user_id, parse_upload_id(request), patience=parse_wait(request))
    return render_upload(upload, uploads.links())
