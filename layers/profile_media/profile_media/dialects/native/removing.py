"""DELETE /media/uploads/{uploadId} and DELETE /media/profile/{slot}."""

from http import HTTPStatus

from profile_media.dialects.native.slots import PATHS
from profile_media.domain.errors import SlotNotFound
from profile_media.domain.model import Slot
from profile_media.http.request import Request, Response

REMOVED = Response(HTTPStatus.NO_CONTENT)
"""The same answer whether or not there was something to remove: requests can be repeated, and nobody can probe for the
uploads of other users."""


def parse_slot(request: Request) -> Slot:
    """Return the slot that the path names. Raise SlotNotFound."""
    slot = PATHS.get(request.path.get("slot", ""))
    if slot is None:
        raise SlotNotFound
    return slot
