"""Decide which part of a picture its derivatives show.

All coordinates are pixels of the upright original, that is, after its EXIF orientation has been applied.
"""

from dataclasses import dataclass

type Dimensions = tuple[int, int]
"""Width and height in pixels."""

type Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""

PORTRAIT_FOCUS = 1 / 3
"""The share of a portrait's height around which it is cropped by default: decision 0048 has the measurement."""

PORTRAIT_STRIP_FOCUS = 0.18
"""The same for derivatives that are wider than high: a narrow strip has to be where heads are."""

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
            return _largest_box(size, target, _anchor_focus(size, target, _default_focus(size, target)))


def format_framing(framing: Framing) -> str:
    """Return the framing as text for tables and forms. `parse_framing` reads it.

    >>> format_framing(Crop(10, 20, 300, 300))
    'crop:10,20,300,300'
    """
    match framing:
        case Crop(x, y, width, height):
            return f"crop:{x!r},{y!r},{width!r},{height!r}"
        case Focus(x, y):
            return f"focus:{x!r},{y!r}"
        case None:
            return ""


def parse_framing(text: str) -> Framing:
    """Parse the result of `format_framing`."""
    kind, _, numbers = text.partition(":")
    match kind:
        case "crop":
            return Crop(*map(int, numbers.split(",")))
        case "focus":
            return Focus(*map(float, numbers.split(",")))
        case _:
            return None


def scale_framing(framing: Framing, size: Dimensions, copy: Dimensions) -> Framing:
    """Return the framing of a picture of `size` for a copy of it with fewer pixels."""
    if not isinstance(framing, Crop):
        return framing
    across, down = copy[0] / size[0], copy[1] / size[1]
    return Crop(framing.x * across, framing.y * down, framing.width * across, framing.height * down)


def _default_focus(size: Dimensions, target: Dimensions) -> tuple[float, float]:
    """Return the point around which a picture is cropped by default."""
    if size[1] <= size[0]:
        return (_CENTRE, _CENTRE)
    return (_CENTRE, PORTRAIT_STRIP_FOCUS if target[0] > target[1] else PORTRAIT_FOCUS)


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
    across, down = (
        min(max((at * have - part / 2) / (have - part), 0.0), 1.0) if have > part else _CENTRE
        for have, part, at in zip(size, _shown(size, target), focus, strict=True)
    )
    return (across, down)
