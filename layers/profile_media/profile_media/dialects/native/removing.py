"""DELETE /media/uploads/{uploadId} and DELETE /media/profile/{slot}."""

from http import HTTPStatus

from profile_media.dialects.native.slots import SLOTS
from profile_media.domain.errors import SlotNotFound
from profile_media.domain.model import Slot
from profile_media.http.request import Request, Response

CANCELLED = Response(HTTPStatus.NO_CONTENT)
"""The same answer whether or not the caller had such an upload, so that nobody can probe for other users' uploads."""


def parse_slot(request: Request) -> Slot:
    """Return the slot that the path names. Raise SlotNotFound."""
    for name, slot in SLOTS.items():
        if name == request.path.get("slot"):
            return slot
    raise SlotNotFound
