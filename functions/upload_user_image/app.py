"""PATCH /users/image/upload: take the picture in the form as the caller's avatar, and show the caller."""

from profile_media.dialects import form_file
from profile_media.domain.model import Slot
from profile_media.http.multipart import parse_file
from profile_media.http.request import Request, Response
from profile_media.wiring import ingesting, people
from profile_media.wiring.edge import endpoint


@endpoint(form_file)
def handler(request: Request) -> Response:
    content = parse_file(request)
    people.load_own_profile(request.caller)
    return form_file.render(ingesting.ingest(request.caller, Slot.AVATAR, content), ingesting.links())
