"""Measure how similar two pictures are, by published formulas and without the code under test."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

type Numbers = NDArray[np.float64]

_RADIUS, _SIGMA = 5, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

_D65 = np.array([0.95047, 1.0, 1.08883])
_SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_P3_TO_XYZ = np.array(
    [[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0.0, 0.0451134, 1.0439444]]
)


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Return the mean SSIM of two pictures' luma (Wang et al. 2004: Gaussian window, sigma 1.5)."""
    x, y = (np.asarray(picture.convert("L")).astype(np.float64) for picture in (one, other))
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x, var_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    both = _blurred(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + _C1) * (2 * both + _C2)
    return float((alike / ((mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2))).mean())


def _blurred(numbers: Numbers) -> Numbers:
    steps = np.arange(-_RADIUS, _RADIUS + 1)
    window = np.exp(-(steps**2) / (2 * _SIGMA**2))
    window /= window.sum()
    for _ in range(2):
        slid = np.lib.stride_tricks.sliding_window_view(numbers, window.size, axis=0)
        numbers = (slid @ window).T
    return numbers


def p3_to_srgb(picture: Image.Image) -> Image.Image:
    """Convert Display P3 to sRGB by matrices. Both have one white point and transfer curve."""
    light = _linear(np.asarray(picture.convert("RGB")) / 255) @ (np.linalg.inv(_SRGB_TO_XYZ) @ _P3_TO_XYZ).T
    light = np.clip(light, 0, 1)
    curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray(np.round(curved * 255).astype(np.uint8))


def colour_difference(one: Image.Image, other: Image.Image) -> Numbers:
    """Return CIEDE2000 for each pixel of two sRGB pictures (Sharma, Wu, Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = (_lab(picture) for picture in (one, other))
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7))) / 2
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, (1 + g) * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180
    coloured = c1 * c2 > 0
    delta_h = np.where(coloured, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2), 0)
    mean_h = np.where(coloured, (h1 + turn / 2) % 360, h1 + h2)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    t = 1 + sum(weight * np.cos(np.radians(times * mean_h + shift)) for weight, times, shift in waves)
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    rotation = (
        -2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2))))
    )
    lightness, colour, hue = (l2 - l1) / s_l, (c2 - c1) / s_c, delta_h / s_h
    difference: Numbers = np.sqrt(lightness**2 + colour**2 + hue**2 + rotation * colour * hue)
    return difference


def _lab(picture: Image.Image) -> tuple[Numbers, Numbers, Numbers]:
    xyz = _linear(np.asarray(picture.convert("RGB")) / 255) @ _SRGB_TO_XYZ.T / _D65
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])


def _linear(values: Numbers) -> Numbers:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
