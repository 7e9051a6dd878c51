"""Encode a small picture as a ThumbHash, the published format of Evan Wallace (https://evanw.github.io/thumbhash/).

A ThumbHash holds the lowest frequencies of a discrete cosine transform of luminance, two colour differences and, if the
picture is not opaque, alpha. Decoders for every platform turn it into a blurred preview.
"""

from collections.abc import Iterable, Sequence
from itertools import batched, chain
from math import cos, floor, pi, sumprod
from typing import NamedTuple

_NOISE = 1e-9
"""A channel whose coefficients are below this is flat; they are rounding errors."""

type Channel = Sequence[float]
"""One value per pixel, row by row."""


class _Spectrum(NamedTuple):
    """The coefficients of one channel: the mean, and the others from 0 to 1 with the scale to undo that."""

    mean: float
    scale: float
    coefficients: list[float]


def thumb_hash(width: int, height: int, rgba: bytes) -> bytes:
    """Return the ThumbHash, 5 to 25 bytes, of pixels of 4 bytes each: red, green, blue and alpha."""
    alpha = [value / 255 for value in rgba[3::4]]
    red, green, blue = (_on_average(rgba[at::4], alpha) for at in range(3))
    luminance = [(r + g + b) / 3 for r, g, b in zip(red, green, blue, strict=True)]
    yellow_blue = [(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)]
    red_green = [r - g for r, g in zip(red, green, strict=True)]

    see_through = min(rgba[3::4]) < 255
    columns, rows = _frequencies(width, height, 5 if see_through else 7)
    light = _transform(luminance, width, max(3, columns), max(3, rows))
    yellow = _transform(yellow_blue, width, 3, 3)
    reds = _transform(red_green, width, 3, 3)
    opacity = [_transform(alpha, width, 5, 5)] if see_through else []

    landscape = width > height
    first = _pack((light.mean * 63, 0), (31.5 + 31.5 * yellow.mean, 6), (31.5 + 31.5 * reds.mean, 12))
    first |= _pack((light.scale * 31, 18), (see_through, 23))
    second = _pack((rows if landscape else columns, 0), (yellow.scale * 63, 3), (reds.scale * 63, 9), (landscape, 15))
    header = first.to_bytes(3, "little") + second.to_bytes(2, "little")
    header += b"".join(bytes([_pack((each.mean * 15, 0), (each.scale * 15, 4))]) for each in opacity)
    return header + _nibbles(chain.from_iterable(each.coefficients for each in (light, yellow, reds, *opacity)))


def _on_average(values: bytes, alpha: Channel) -> list[float]:
    """Return a colour channel from 0 to 1, composed onto the average of its visible pixels."""
    visible = [share * value / 255 for value, share in zip(values, alpha, strict=True)]
    average = sum(visible) / (sum(alpha) or 1)
    return [average * (1 - share) + value for value, share in zip(visible, alpha, strict=True)]


def _frequencies(width: int, height: int, limit: int) -> tuple[int, int]:
    """Return how many frequencies of luminance are kept in each direction, in the proportion of the sides."""
    longest = max(width, height)
    return max(1, _round(limit * width / longest)), max(1, _round(limit * height / longest))


def _transform(channel: Channel, width: int, columns: int, rows: int) -> _Spectrum:
    """Transform the rows and then the columns of a channel; keep a triangle of the lowest frequencies."""
    lines = list(batched(channel, width, strict=True))
    across = [[sumprod(line, wave) for line in lines] for wave in _waves(width, columns)]
    down = _waves(len(lines), rows)
    mean, *others = (
        sumprod(across[x], down[y]) / len(channel)
        for y in range(rows)
        for x in range(columns)
        if x * rows < columns * (rows - y)
    )
    scale = max(map(abs, others))
    return _Spectrum(
        mean, scale, [0.5 + 0.5 / scale * each for each in others] if scale > _NOISE else [0.0] * len(others)
    )


def _waves(length: int, count: int) -> list[list[float]]:
    """Return the cosines of the lowest frequencies."""
    return [[cos(pi / length * frequency * (at + 0.5)) for at in range(length)] for frequency in range(count)]


def _pack(*fields: tuple[float, int]) -> int:
    """Put rounded numbers into an integer, each from its bit on."""
    return sum(_round(value) << bit for value, bit in fields)


def _nibbles(values: Iterable[float]) -> bytes:
    """Return numbers from 0 to 1 in four bits each, the first in the lower half of its byte."""
    return bytes(
        _pack(*((value * 15, 4 * at) for at, value in enumerate(pair))) for pair in batched(values, 2, strict=False)
    )


def _round(value: float) -> int:
    """Round halves up, as the format's encoders do."""
    return floor(value + 0.5)
