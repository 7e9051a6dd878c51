"""POST /media/intents: create an upload intent with a presigned POST for its picture."""

from profile_media.dialects import native
from profile_media.dialects.native.intents import parse_intent, render_intent
from profile_media.http.request import Request, Response
from profile_media.wiring import intents
from profile_media.wiring.api import endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    owner_id, wanted = parse_intent(request, intents.accepted())
    return render_intent(intents.issue(request.caller, owner_id, wanted), request.links)
