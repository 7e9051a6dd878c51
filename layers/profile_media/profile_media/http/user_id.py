"""Whom a path names."""

from urllib.parse import unquote

from profile_media.domain.errors import UserNotFound
from profile_media.domain.keys import is_owner_id
from profile_media.http.request import Request


def parse_user_id(request: Request) -> str:
    """Whom the path names. Raises UserNotFound for what cannot be anybody's id, and would be no key of a table."""
    try:
        # A REST API hands the path over as it was sent, and most clients escape the `|` of a subject.
        user_id = unquote(request.path["user_id"], errors="strict")
    except UnicodeDecodeError:
        raise UserNotFound("not an id") from None
    if not is_owner_id(user_id):
        raise UserNotFound("not an id")
    return user_id
