"""Bodies of dialect 1."""

from typing import Literal

from tools.openapi.wire.model import Url, Wire
from tools.openapi.wire.native import CodedProblem


class FormUser(Wire):
    """The user; null is what the identity provider does not say."""

    id: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone_number: str | None
    profile_image: Url | None


class FormUserAnswer(Wire):
    """The user who now has the picture."""

    data: FormUser


class FormFileError(Wire):
    """An error: a message to show, with the coded one beside it."""

    success: Literal[False]
    message: str
    error: CodedProblem
