"""Bodies of dialect 2; its errors are the native ones."""

from typing import Annotated, Literal

from pydantic import Field

from profile_media.domain.references import MAX_URL_LENGTH
from tools.openapi.wire.model import Camel, Sent

AvatarUrl = Annotated[str, Field(min_length=1, max_length=MAX_URL_LENGTH, pattern="^https?://[!-~]+$")]


class AvatarUrlBody(Sent):
    """The picture to show."""

    avatar_url: AvatarUrl
    """Of a derivative of the caller's own avatar uploads, or on another host."""


class AvatarUrlData(Camel):
    """What is shown now."""

    avatar_url: AvatarUrl
    """Exactly as it was sent."""


class AvatarUrlAnswer(Camel):
    """The picture that is shown now."""

    success: Literal[True]
    data: AvatarUrlData
