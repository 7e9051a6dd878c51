"""Convert colours of high dynamic range (PQ and HLG) to sRGB, much as Chromium shows them. Runs in the sandbox's child.

Everything up to the brightness of white paper becomes half as bright, and the range up to 1,000 cd/m² takes the other
half. A pixel's channels are scaled alike, by the largest of them, so that bright colours keep their hue.

A curve maps each channel by itself, which is right for greys, and a table of colours corrects the rest.
"""

from functools import lru_cache
from math import exp, log

from PIL import Image, ImageFilter

from profile_media.imaging.profiles import HLG, PQ, CodedColours, decode_srgb

_WHITE = 203.0
"""The brightness of white paper in cd/m² (ITU-R BT.2408). Brightness is counted in multiples of it."""
_PEAK = 1000.0 / _WHITE
"""The brightness that becomes white. Pictures can state their own, but few do so correctly."""

_HLG_GAMMA = 1.2
"""The exponent from the light of the scene to that of a screen with this peak."""
_LUMINANCE = (0.2627, 0.678, 0.0593)
"""The share of each channel in the luminance, for BT.2020."""

_GRID = 33
"""Points of the table along each channel. Values between them are interpolated."""

type _Row = tuple[float, float, float]

_TO_SRGB: dict[int, tuple[_Row, _Row, _Row]] = {
    9: ((1.66049, -0.58764, -0.07285), (-0.12455, 1.13290, -0.00835), (-0.01815, -0.10058, 1.11873)),  # BT.2020
    12: ((1.22494, -0.22494, 0.0), (-0.04206, 1.04206, 0.0), (-0.01964, -0.07864, 1.09828)),  # Display P3
}
"""Matrices from linear colours to sRGB's, by primaries."""
_UNCHANGED: tuple[_Row, _Row, _Row] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def convert(image: Image.Image, coded: CodedColours) -> Image.Image:
    """Return an RGB image in sRGB."""
    decode = _decode_pq if coded.transfer == PQ else _decode_hlg
    curve = [round(255 * _encode_srgb(_map_brightness(decode(value / 255)))) for value in range(256)]
    return image.point(curve * 3).filter(_make_table(coded))


@lru_cache(maxsize=1)
def _make_table(coded: CodedColours) -> ImageFilter.Color3DLUT:
    """Return the table from colours that were mapped channel by channel."""
    rows = _TO_SRGB.get(coded.primaries, _UNCHANGED)
    levels = [_unmap_brightness(decode_srgb(at / (_GRID - 1))) for at in range(_GRID)]

    def correct(*mapped: float) -> tuple[float, float, float]:
        pixel = [levels[round(value * (_GRID - 1))] for value in mapped]
        if coded.transfer == HLG:
            pixel = _show_hlg(pixel)
        brightest = max(pixel)
        scale = _map_brightness(brightest) / brightest if brightest else 0.0
        red, green, blue = (value * scale for value in pixel)
        first, second, third = (_encode_srgb(row[0] * red + row[1] * green + row[2] * blue) for row in rows)
        return first, second, third

    return ImageFilter.Color3DLUT.generate(_GRID, correct)


def _decode_pq(value: float) -> float:
    """Decode perceptual quantization (SMPTE ST 2084), which covers 10,000 cd/m²."""
    root = value ** (1 / 78.84375)
    linear = max(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)
    return 10_000 / _WHITE * float(linear ** (1 / 0.1593017578125))


def _decode_hlg(value: float) -> float:
    """Decode hybrid log-gamma (ITU-R BT.2100), as if the pixel were grey."""
    scene = value**2 / 3 if value <= 0.5 else (exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return _PEAK * float(scene**_HLG_GAMMA)


def _show_hlg(grey: list[float]) -> list[float]:
    """Return the channels of a pixel as a screen shows them: all brightened by the pixel's luminance."""
    scene = [(value / _PEAK) ** (1 / _HLG_GAMMA) for value in grey]
    luminance = sum(share * value for share, value in zip(_LUMINANCE, scene, strict=True))
    return [_PEAK * value * luminance ** (_HLG_GAMMA - 1) for value in scene]


def _map_brightness(brightness: float) -> float:
    """Map brightness to 0 to 1."""
    return brightness / 2 if brightness <= 1 else min(1.0, (1 + log(brightness) / log(_PEAK)) / 2)


def _unmap_brightness(mapped: float) -> float:
    return 2 * mapped if mapped <= 0.5 else _PEAK ** (2 * mapped - 1)


def _encode_srgb(linear: float) -> float:
    if linear <= 0.0031308:
        return max(0.0, linear) * 12.92
    return min(1.0, 1.055 * float(linear ** (1 / 2.4)) - 0.055)
