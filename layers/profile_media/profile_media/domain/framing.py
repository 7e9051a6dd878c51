"""Decide which part of a picture its derivatives show.

All coordinates are pixels of the upright original, that is, after its EXIF orientation has been applied.
"""

from dataclasses import dataclass

type Dimensions = tuple[int, int]
"""Width and height in pixels."""

type Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""

PORTRAIT_ANCHOR = 0.5
"""The share of the spare height that is cut off at the top of a portrait. 0.5 is a centre crop."""

_CENTRE = 0.5
_ROUNDING = 1e-6
"""Pixels."""


@dataclass(frozen=True, slots=True)
class Crop:
    """The region that the client chose. A derivative is the largest centred part of it with the slot's aspect ratio."""

    x: float
    y: float
    width: float
    height: float
    """Clients name whole pixels. Fractions come from `scale_framing`."""

    def fits(self, size: Dimensions) -> bool:
        """Return whether the whole region lies in a picture of this size, but for rounding errors."""
        edges = ((self.x, self.width, size[0]), (self.y, self.height, size[1]))
        return all(at >= 0 < length and at + length <= end + _ROUNDING for at, length, end in edges)


@dataclass(frozen=True, slots=True)
class Focus:
    """The point, in fractions of width and height, that every derivative has as near to its centre as possible."""

    x: float
    y: float


type Framing = Crop | Focus | None
"""What the client chose to show; None for the default crop."""


def frame(size: Dimensions, target: Dimensions, framing: Framing) -> Box:
    """Return the part of a picture that a derivative shows: it has the target's aspect ratio, not rounded to pixels.

    >>> frame((400, 300), (100, 100), None)
    (50.0, 0.0, 350.0, 300.0)
    """
    match framing:
        case Crop(x, y, width, height):
            left, top, right, bottom = _largest_box((width, height), target, (_CENTRE, _CENTRE))
            return (x + left, y + top, x + right, y + bottom)
        case Focus(x, y):
            return _largest_box(size, target, _anchor_focus(size, target, (x, y)))
        case None:
            return _largest_box(size, target, (_CENTRE, PORTRAIT_ANCHOR if size[1] > size[0] else _CENTRE))


def scale_framing(framing: Framing, size: Dimensions, copy: Dimensions) -> Framing:
    """Return the framing of a picture of `size` for a copy of it with fewer pixels."""
    if not isinstance(framing, Crop):
        return framing
    across, down = copy[0] / size[0], copy[1] / size[1]
    return Crop(framing.x * across, framing.y * down, framing.width * across, framing.height * down)


def _largest_box(size: tuple[float, float], target: Dimensions, anchor: tuple[float, float]) -> Box:
    """Return the largest box of the target's aspect ratio, with the anchor's share of the spare space before it."""
    shown = _shown(size, target)
    left, top = (share * (have - part) for have, part, share in zip(size, shown, anchor, strict=True))
    return (left, top, left + shown[0], top + shown[1])


def _shown(size: tuple[float, float], target: Dimensions) -> tuple[float, float]:
    """Return the width and height of the largest box of the target's aspect ratio, which never exceed the picture's."""
    width, height = size
    if width * target[1] > height * target[0]:
        return (height * target[0] / target[1], height)
    return (width, width * target[1] / target[0])


def _anchor_focus(size: Dimensions, target: Dimensions, focus: tuple[float, float]) -> tuple[float, float]:
    """Return the anchor that brings the point as near to the box's centre as the picture's edges allow."""
    shares = []
    for have, part, at in zip(size, _shown(size, target), focus, strict=True):
        spare = have - part
        shares.append(min(max((at * have - part / 2) / spare, 0.0), 1.0) if spare > 0 else _CENTRE)
    return (shares[0], shares[1])
