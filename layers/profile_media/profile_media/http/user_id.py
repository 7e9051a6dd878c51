"""Parses the user id in a path."""

from urllib.parse import unquote

from profile_media.domain.errors import UserNotFound
from profile_media.domain.keys import is_owner_id
from profile_media.http.request import Request


def parse_user_id(request: Request) -> str:
    """Return the user id of the path. Raise UserNotFound for text that cannot be a user id."""
    try:
        # A REST API does not decode path parameters, and most clients escape the `|` of a subject.
        user_id = unquote(request.path["user_id"], errors="strict")
    except UnicodeDecodeError:
        raise UserNotFound("not an id") from None
    if not is_owner_id(user_id):
        raise UserNotFound("not an id")
    return user_id
