"""Dialect 3: the avatar is referenced by its upload id, and null removes it. Errors have FastAPI's format.

The contract is `docs/dialects/upload_id.md`.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, TypedDict

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from profile_media.domain.errors import ErrorCode, MediaError, RequestInvalid
from profile_media.domain.model import Profile, Slot
from profile_media.http.json_body import parse_object
from profile_media.http.links import iso, known_since
from profile_media.http.request import Request, Response
from profile_media.http.wire import Moment, Url, documented
from profile_media.http.wording import describe

DEFAULT_ROLE = "user"
"""Role of users whose token names none: the contract does not allow null there."""

STATE = "active"
"""State of every user: the issuer gives no token to users who are not active."""

MISSING = "Field required"
NOT_TEXT = "Input should be a UUID in a string, or null"
NOT_UUID = "Input should be a valid UUID, or null"

_TYPES: Mapping[str, str] = MappingProxyType({MISSING: "missing", NOT_TEXT: "uuid_type", NOT_UUID: "uuid_parsing"})
"""Pydantic's error type by message."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

_UNPROCESSABLE = (ErrorCode.REQUEST_INVALID, ErrorCode.UPLOAD_REJECTED, ErrorCode.SLOT_MISMATCH)
"""Errors of the body, and of the upload that it names: both are listed by field."""

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType(
    dict.fromkeys(_UNPROCESSABLE, HTTPStatus.UNPROCESSABLE_ENTITY)
)


def _canonical_uuid(value: object) -> object:
    """Accept a UUID in its usual spelling, in any case. Pydantic would also accept braces and `urn:uuid:`."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise PydanticCustomError("uuid_type", NOT_TEXT)
    if _UUID.fullmatch(value) is None:
        raise PydanticCustomError("uuid_parsing", NOT_UUID)
    return value.lower()


class ProfilePictureBody(BaseModel):
    """Which upload to show; the member is required, and null removes the picture."""

    model_config = ConfigDict(strict=True, frozen=True, alias_generator=to_camel)

    upload_id: Annotated[
        Annotated[str, Field(json_schema_extra={"format": "uuid"})] | None, BeforeValidator(_canonical_uuid)
    ]


@documented
class PicturedUser(TypedDict):
    """The user, with the picture that is shown."""

    id: str
    email: str
    emailVerified: bool
    firstName: str
    lastName: str
    profilePictureUrl: Url | None
    """The URL of an uploaded picture is presigned and expires within minutes."""
    role: str
    state: str
    lastLogin: Moment | None
    createdAt: Moment
    hasCustomProfilePicture: bool


@documented
class FieldProblem(TypedDict):
    """One thing that is wrong with the request."""

    loc: list[str | int]
    msg: str
    type: str


@documented
class DetailedError(TypedDict):
    """An error: one sentence, or a list of problems by field."""

    detail: str | list[FieldProblem]


def parse_upload_id(request: Request) -> str | None:
    """Return the id of the upload to bind in lower case, or None to unbind. Raise RequestInvalid."""
    try:
        return ProfilePictureBody.model_validate(parse_object(request)).upload_id
    except ValidationError as error:
        raise RequestInvalid(tuple(problem["msg"] for problem in error.errors(include_url=False))) from None


def render(profile: Profile, picture_url: str | None) -> Response:
    """Render the user."""
    identity = profile.identity
    body: PicturedUser = {
        "id": profile.user_id,
        "email": identity.email or "",
        "emailVerified": identity.email_verified,
        "firstName": identity.first_name or "",
        "lastName": identity.last_name or "",
        "profilePictureUrl": picture_url,
        "role": identity.role or DEFAULT_ROLE,
        "state": STATE,
        "lastLogin": iso(identity.last_login) if identity.last_login else None,
        "createdAt": iso(known_since(profile)),
        "hasCustomProfilePicture": profile.has_picture(Slot.AVATAR),
    }
    return Response(HTTPStatus.OK, body)


def render_error(error: MediaError | None, correlation_id: str) -> DetailedError:
    """Render `detail`: a list of problems by field for an unprocessable request, otherwise a sentence."""
    if error is None or error.code not in _UNPROCESSABLE:
        return {"detail": describe(error)}
    return {"detail": [_problem(error, sentence) for sentence in _sentences(error)]}


def _sentences(error: MediaError) -> Sequence[str]:
    return error.details if isinstance(error, RequestInvalid) else (describe(error),)


def _problem(error: MediaError, sentence: str) -> FieldProblem:
    """Render one problem. If it concerns no field, the body is not strict JSON."""
    if isinstance(error, RequestInvalid) and sentence not in _TYPES:
        return {"loc": ["body"], "msg": sentence, "type": "json_invalid"}
    return {"loc": ["body", "uploadId"], "msg": sentence, "type": _TYPES.get(sentence, error.code.value)}
