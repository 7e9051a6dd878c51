"""Bodies of dialect 0."""

from typing import Literal

from tools.openapi.wire.model import Camel, Moment, Sent, Url


class PublicIdBody(Sent):
    """Which upload to bind."""

    public_id: str
    """The temporary one from the intent, or the bound one while it is bound."""


class NamedPicture(Camel):
    """What a slot shows."""

    url: Url
    public_id: str | None
    """Null for a picture on another host."""


class NamedPictures(Camel):
    """Both slots, whichever was changed."""

    avatar: NamedPicture | None
    cover_image: NamedPicture | None
    updated_at: Moment | None


class PublicIdError(Camel):
    """An error, in one sentence."""

    success: Literal[False]
    message: str
