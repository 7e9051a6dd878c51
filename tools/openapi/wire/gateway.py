"""The one body that the API's own refusals have, which clients of every contract can read."""

from typing import Literal

from tools.openapi.wire.model import Wire
from tools.openapi.wire.native import CodedProblem


class NamedProblem(Wire):
    """The error once more, as clients of dialect 4 read it."""

    code: str
    message: str
    long_message: str


class GatewayError(Wire):
    """What is answered before any function is asked, and to whoever has no valid token."""

    success: Literal[False]
    message: str
    error: CodedProblem
    errors: list[NamedProblem]
