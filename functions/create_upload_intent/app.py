"""POST /media/intents: promise an upload, and grant the browser the right to store it."""

from profile_media.dialects import native
from profile_media.dialects.native.intents import parse_intent, render_intent
from profile_media.http.request import Request, Response
from profile_media.wiring import intents
from profile_media.wiring.edge import endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    intent = intents.intend(request.caller, parse_intent(request))
    return render_intent(intent, intents.links())
