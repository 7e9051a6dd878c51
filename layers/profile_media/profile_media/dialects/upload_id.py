"""Dialect 3: the avatar is an upload, by its id; null takes it away. Errors are written as FastAPI writes them.

The contract is `docs/dialects/upload_id.md`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType

from profile_media.domain.errors import ErrorCode, MediaError, RequestInvalid
from profile_media.domain.model import Profile, Slot
from profile_media.http.json_body import parse_object
from profile_media.http.links import iso
from profile_media.http.request import Json, Request, Response
from profile_media.http.wording import describe

DEFAULT_ROLE = "user"
"""Of whom the token names no role: the contract has no null there."""

STATE = "active"
"""Of every user: who is not active gets no token, and that is the issuer's to decide."""

MISSING = "Field required"
NOT_TEXT = "Input should be a UUID in a string, or null"
NOT_UUID = "Input should be a valid UUID, or null"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

_FIELD = ("body", "uploadId")

_TYPES: Mapping[str, str] = MappingProxyType({MISSING: "missing", NOT_TEXT: "uuid_type", NOT_UUID: "uuid_parsing"})
"""What is wrong with the field, as pydantic calls it."""

_UNFIT = (ErrorCode.REQUEST_INVALID, ErrorCode.UPLOAD_REJECTED, ErrorCode.SLOT_MISMATCH)
"""What does not validate, and what was validated against the upload: both are listed by field."""

STATUSES: Mapping[ErrorCode, HTTPStatus] = MappingProxyType(dict.fromkeys(_UNFIT, HTTPStatus.UNPROCESSABLE_ENTITY))


def parse_upload_id(request: Request) -> str | None:
    """The upload to bind, in the one spelling that ids have here; None to unbind. Raises RequestInvalid."""
    body = parse_object(request)
    if "uploadId" not in body:
        raise RequestInvalid((MISSING,))
    upload_id = body["uploadId"]
    if upload_id is None:
        return None
    if not isinstance(upload_id, str):
        raise RequestInvalid((NOT_TEXT,))
    if _UUID.fullmatch(upload_id) is None:
        raise RequestInvalid((NOT_UUID,))
    return upload_id.lower()


def render(profile: Profile, picture_url: str | None) -> Response:
    """The user."""
    identity = profile.identity
    body = {
        "id": profile.user_id,
        "email": identity.email or "",
        "emailVerified": identity.email_verified,
        "firstName": identity.first_name or "",
        "lastName": identity.last_name or "",
        "profilePictureUrl": picture_url,
        "role": identity.role or DEFAULT_ROLE,
        "state": STATE,
        "lastLogin": _time(identity.last_login),
        "createdAt": _time(profile.created_at),
        "hasCustomProfilePicture": profile.has_picture(Slot.AVATAR),
    }
    return Response(HTTPStatus.OK, body)


def render_error(error: MediaError | None, correlation_id: str) -> Json:
    """`detail`: a list of what is wrong where, if the request is at fault, else a sentence."""
    if error is None or error.code not in _UNFIT:
        return {"detail": describe(error)}
    return {"detail": [_problem(error, sentence) for sentence in _sentences(error)]}


def _sentences(error: MediaError) -> Sequence[str]:
    return error.details if isinstance(error, RequestInvalid) else (describe(error),)


def _problem(error: MediaError, sentence: str) -> Json:
    """One thing that is wrong. What no field is to blame for is a body that is no strict JSON."""
    if isinstance(error, RequestInvalid):
        type_ = _TYPES.get(sentence, "json_invalid")
        return {"loc": _FIELD if sentence in _TYPES else _FIELD[:1], "msg": sentence, "type": type_}
    return {"loc": _FIELD, "msg": sentence, "type": error.code.value}


def _time(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None
