"""The wire forms of `crop` and `focus`: the members of JSON bodies, and JSON in the text fields of forms."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from profile_media.domain.framing import Crop, Focus, Framing
from profile_media.domain.policy import MAX_COORDINATE, MIN_CROP

type _Coordinate = Annotated[int, Field(ge=0, le=MAX_COORDINATE)]
type _Length = Annotated[int, Field(ge=MIN_CROP, le=MAX_COORDINATE)]
type _Fraction = Annotated[float, Field(ge=0, le=1)]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CropBody(_Body):
    """The part of the picture to show, in whole pixels of the upright picture."""

    x: _Coordinate
    y: _Coordinate
    width: _Length
    height: _Length

    def framing(self) -> Crop:
        """Return the crop."""
        return Crop(self.x, self.y, self.width, self.height)


class FocusBody(_Body):
    """The point to keep, in fractions of the upright picture's width and height."""

    x: _Fraction
    y: _Fraction

    def framing(self) -> Focus:
        """Return the focus."""
        return Focus(self.x, self.y)


def framing_of(crop: CropBody | None, focus: FocusBody | None) -> Framing:
    """Return the chosen framing. Raise ValueError if there are two."""
    if crop and focus:
        raise ValueError("crop and focus exclude each other")
    chosen = crop or focus
    return chosen.framing() if chosen else None
