"""DELETE /media/uploads/{uploadId}: give up an upload that no slot shows."""

from profile_media.dialects import native
from profile_media.dialects.native.removing import REMOVED
from profile_media.dialects.native.showing import parse_upload_id
from profile_media.domain import access
from profile_media.http.request import Request, Response
from profile_media.wiring import cancelling
from profile_media.wiring.api import endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    cancelling.cancel(access.grant_own(request.caller), parse_upload_id(request))
    return REMOVED
