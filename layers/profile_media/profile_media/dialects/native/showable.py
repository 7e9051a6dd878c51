"""What a client may choose of how a picture is shown: the part of it and the alternative text.

The wire forms of `crop`, `focus` and `alt`, in requests and in answers.
"""

import unicodedata
from typing import Annotated, NotRequired, TypedDict

from pydantic import AfterValidator, Field, StringConstraints

from profile_media.domain.framing import Crop, Focus
from profile_media.domain.model import Attachment, Upload
from profile_media.domain.policy import MAX_ALT_TEXT
from profile_media.http.wire import Pixels, documented


def _plain_text(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("must not contain control characters")
    return text


type AltText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_ALT_TEXT),
    AfterValidator(_plain_text),
]


@documented
class CropView(TypedDict):
    """The part of the upright original that the client chose, in pixels."""

    x: Annotated[int, Field(ge=0)]
    y: Annotated[int, Field(ge=0)]
    width: Pixels
    height: Pixels


@documented
class FocusView(TypedDict):
    """The point that the client chose, in fractions of the upright original's width and height."""

    x: Annotated[float, Field(ge=0, le=1)]
    y: Annotated[float, Field(ge=0, le=1)]


@documented
class Showable(TypedDict):
    """How a picture is shown."""

    crop: NotRequired[CropView]
    """If the client gave one."""
    focus: NotRequired[FocusView]
    """If the client gave one."""
    alt: NotRequired[str]
    """If the client gave one."""
    thumbHash: NotRequired[Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+=*$")]]
    """ThumbHash of the default derivative, in base64. Missing until the picture is processed."""
    color: NotRequired[Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]]
    """The most frequent colour of the default derivative. Missing until the picture is processed."""


def add_showable(view: Showable, picture: Upload | Attachment) -> None:
    """Add the members that are known to a view of the picture."""
    match picture.framing:
        case Crop(x, y, width, height):
            view["crop"] = {"x": int(x), "y": int(y), "width": int(width), "height": int(height)}
        case Focus(x, y):
            view["focus"] = {"x": x, "y": y}
        case None:
            pass
    if picture.alt_text:
        view["alt"] = picture.alt_text
    if picture.placeholder:
        view["thumbHash"] = picture.placeholder.thumb_hash
        view["color"] = picture.placeholder.dominant_color
