"""PATCH /user/profile/cover-image: bind the caller's cover image, referenced by its public id."""

from profile_media.dialects import public_id
from profile_media.domain.model import Slot
from profile_media.http.request import Request, Response
from profile_media.wiring import attachments
from profile_media.wiring.edge import endpoint


@endpoint(public_id)
def handler(request: Request) -> Response:
    links = attachments.links()
    reference = public_id.parse_reference(request, links.app)
    return public_id.render(attachments.bind(request.caller, Slot.COVER_IMAGE, reference), links)
