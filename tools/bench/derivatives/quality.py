"""Similarity of a derivative to the best possible one: the crop, resampled from full resolution in one Lanczos step.

The measure is SSIM of the luma (Wang et al. 2004: Gaussian window, sigma 1.5). Contenders crop at slightly different
places. A shift of a fraction of a pixel would count as a loss, so each file is compared with the crop it is closest to.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from skimage.metrics import structural_similarity

SHIFTS = tuple(sixth / 6 for sixth in range(-4, 5))
"""Pixels of the output."""

Image.MAX_IMAGE_PIXELS = None


def similarity(source: Path, derivative: Path) -> float:
    """Return the SSIM of a derivative of a source."""
    with Image.open(derivative) as opened:
        shown, target = _luma(opened), opened.size
    return max(_ssim(shown, crop) for crop in _crops(source, target))


def _ssim(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    return float(structural_similarity(one, other, **options))


def _crops(source: Path, target: tuple[int, int]) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the centre crop at this size, and the same shifted along the side that is cut."""
    full = _upright(source)
    density = min(have / want for have, want in zip(full.size, target, strict=True))
    spare = [have - density * want for have, want in zip(full.size, target, strict=True)]
    for shift in SHIFTS:
        left, top = (max(0.0, room / 2 + (shift * density if room >= density else 0)) for room in spare)
        box = (left, top, min(left + density * target[0], full.width), min(top + density * target[1], full.height))
        yield _luma(full.resize(target, Image.Resampling.LANCZOS, box))


@cache
def _upright(source: Path) -> Image.Image:
    with Image.open(source) as opened:
        return ImageOps.exif_transpose(opened).convert("RGB")


def _luma(picture: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(picture.convert("L"))


def forget() -> None:
    """Free the pictures at full resolution."""
    _upright.cache_clear()
