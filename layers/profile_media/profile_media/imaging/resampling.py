"""Choose how much of a picture to decode, and crop and resize it. Runs in the sandbox's child.

"Density" is the number of source pixels per output pixel along one side. The fewer pixels are decoded and filtered, the
less CPU a derivative takes. The constants are the lowest densities that keep its quality: see decision 0024.
"""

from math import ceil
from types import MappingProxyType

from PIL import Image

from profile_media.domain.framing import Box, Dimensions
from profile_media.domain.policy import MASTER_SIDE, MAX_WHOLE_JPEG_PIXELS

MIN_JPEG_DENSITY = 1.25
"""The density that decoding a JPEG at 1/2, 1/4 or 1/8 must leave. SSIM falls by 0.015 at 1.1."""

MIN_DENSITY = 1.6
"""The density that averaging blocks of pixels must leave for the filter. It is higher than for decoding, because
averaging blurs more: 2.0 improves SSIM by at most 0.0004, 1.3 lowers it by 0.006 for some pictures."""

MASTER_MIN_DENSITY = 2.0
"""The same for the master: later sizes are made from it."""

MASTER_TOLERANCE = 0.9
"""Scale the master by a whole number if the result has at least this share of MASTER_SIDE. Phone pictures with 4000 to
4080 pixels then become half as large, which is much cheaper than resampling them to exactly 2048."""

FROM_ORIGINAL = Image.Resampling.MKS2013
"""The filter for derivatives made from the decoded picture. It sharpens, which makes up for the blur of decoding at a
fraction, and takes a sixth less time than Lanczos."""

FROM_DERIVATIVE = Image.Resampling.LANCZOS
"""The filter for derivatives made from a larger derivative, because sharpening twice would show."""

FOR_MASTER = Image.Resampling.BICUBIC
"""It takes two thirds of the time of Lanczos; derivatives made from the master lose at most 0.002 SSIM."""

_PREMULTIPLIED = MappingProxyType({"LA": "La", "RGBA": "RGBa"})
"""The modes with colours multiplied by alpha, so that invisible pixels do not bleed into visible ones."""


def density(box: Box, target: Dimensions) -> float:
    """Return the density of a part of a picture that is resized to the target."""
    left, top, right, bottom = box
    return min((right - left) / target[0], (bottom - top) / target[1])


def jpeg_scale(original: Dimensions, available: float, master_side: int | None) -> int:
    """Return the largest divisor (8, 4, 2 or 1) at which to decode a JPEG for these outputs.

    `available` is the density of the largest derivative in the undivided picture. A small crop of a picture of more
    than MAX_WHOLE_JPEG_PIXELS is made from half of its resolution.
    """
    for divisor in (8, 4, 2):
        enough_for_derivatives = available >= divisor * MIN_JPEG_DENSITY
        enough_for_master = master_side is None or max(original) >= divisor * master_side * MASTER_TOLERANCE
        if enough_for_derivatives and enough_for_master:
            return divisor
    return 2 if original[0] * original[1] > MAX_WHOLE_JPEG_PIXELS else 1


def crop_and_resize(source: Image.Image, box: Box, target: Dimensions, resampling: Image.Resampling) -> Image.Image:
    """Fill the target with a part of the source, enlarged if the part is smaller."""
    # Rounding errors can move a corner out of the picture, which Pillow rejects.
    left, top, right, bottom = box
    inside = (max(left, 0.0), max(top, 0.0), min(right, source.width), min(bottom, source.height))
    return _resize(source, target, inside, resampling, MIN_DENSITY)


def shrink(source: Image.Image, side: int, resampling: Image.Resampling) -> Image.Image:
    """Shrink the whole picture to at most `side` pixels; return a smaller picture as it is."""
    longest = max(source.size)
    if longest <= side:
        return source
    width, height = (max(1, round(length * side / longest)) for length in source.size)
    return _resize(source, (width, height), None, resampling, MASTER_MIN_DENSITY)


def shrink_to_master(source: Image.Image) -> Image.Image:
    """Shrink the whole picture to at most MASTER_SIDE pixels; return a smaller picture as it is."""
    longest = max(source.size)
    if longest <= MASTER_SIDE:
        return source
    factor = ceil(longest / MASTER_SIDE)
    if longest >= factor * MASTER_SIDE * MASTER_TOLERANCE:
        return source.reduce(factor)
    return shrink(source, MASTER_SIDE, FOR_MASTER)


def _resize(
    source: Image.Image, target: Dimensions, box: Box | None, resampling: Image.Resampling, min_density: float
) -> Image.Image:
    """Average blocks of pixels as far as `min_density` allows, then apply the filter.

    Pillow premultiplies alpha by itself, but does not average blocks then.
    """
    mode = _PREMULTIPLIED.get(source.mode, source.mode)
    premultiplied = source if mode == source.mode else source.convert(mode)
    resized = premultiplied.resize(target, resampling, box, reducing_gap=min_density)
    return resized if mode == source.mode else resized.convert(source.mode)
