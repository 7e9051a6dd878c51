"""Dialect 1: the request is a form with the picture, and the answer is the updated user.

The contract is `docs/dialects/form_file.md`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Literal, TypedDict

from profile_media.domain.errors import ErrorCode, MediaError
from profile_media.domain.model import Profile, Slot
from profile_media.http.envelope import CodedProblem, coded_error
from profile_media.http.links import Links
from profile_media.http.request import Response
from profile_media.http.wire import Url, documented
from profile_media.http.wording import describe

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType({ErrorCode.IMAGE_UNACCEPTABLE: HTTPStatus.BAD_REQUEST})
"""The contract has one status for every invalid request, and here the picture is the whole request."""


@documented
class FormUser(TypedDict):
    """The user. A member is null if the identity provider did not send it."""

    id: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone_number: str | None
    profile_image: Url | None


@documented
class FormUserAnswer(TypedDict):
    """The user who now has the picture."""

    data: FormUser


@documented
class FormFileError(TypedDict):
    """An error: a message to show, with the coded one beside it."""

    success: Literal[False]
    message: str
    error: CodedProblem


def render(profile: Profile, links: Links) -> Response:
    """Render the user."""
    identity = profile.identity
    body: FormUserAnswer = {
        "data": {
            "id": profile.user_id,
            "first_name": identity.first_name,
            "last_name": identity.last_name,
            "email": identity.email,
            "phone_number": identity.phone_number,
            "profile_image": links.picture_url(profile, Slot.AVATAR),
        }
    }
    return Response(HTTPStatus.OK, body)


def render_error(error: MediaError | None, correlation_id: str) -> FormFileError:
    """Render a message to show, with the coded error beside it."""
    return {"success": False, "message": describe(error), "error": coded_error(error, correlation_id)["error"]}
