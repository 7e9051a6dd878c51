"""Bodies of dialect 3."""

from uuid import UUID

from tools.openapi.wire.model import Camel, Moment, Sent, Url, Wire


class ProfilePictureBody(Sent):
    """Which upload to show; the member is required, and null removes the picture."""

    upload_id: UUID | None


class PicturedUser(Camel):
    """The user, with the picture that is shown."""

    id: str
    email: str
    email_verified: bool
    first_name: str
    last_name: str
    profile_picture_url: Url | None
    """Of an uploaded picture it is presigned, and good for minutes only."""
    role: str
    state: str
    last_login: Moment | None
    created_at: Moment
    has_custom_profile_picture: bool


class FieldProblem(Wire):
    """One thing that is wrong with the request."""

    loc: list[str | int]
    msg: str
    type: str


class DetailedError(Wire):
    """An error: one sentence, or what is wrong where."""

    detail: str | list[FieldProblem]
