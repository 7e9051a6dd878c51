"""How near files come to the best there could be: each size resampled from full resolution in one step.

The measure is SSIM of the luma (Wang et al. 2004: Gaussian window, sigma 1.5). A peer that cuts at whole pixels shows
the same picture a part of a pixel aside, which SSIM would take for a loss; so each is held against the crop it chose.
"""

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from profile_media.domain.model import ContentType
from profile_media.imaging.render import render
from tools.bench.derivatives.jobs import Job

ASIDE = tuple(sixth / 6 for sixth in range(-4, 5))
"""Pixels of the output by which a crop may lie aside."""

GROUND = (128, 128, 128, 255)

Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Reference:
    """A picture at full resolution, and the sizes made from it."""

    path: Path

    def ssim(self, file: bytes, target: tuple[int, int]) -> float:
        shown = _luma(Image.open(BytesIO(file)))
        return max(float(similarity(shown, crop)) for crop in crops(self.path, target))


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    return float(
        structural_similarity(one, other, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)
    )


@cache
def crops(path: Path, target: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """The middle of the picture at this size, and as it is a little aside along the side that is cut."""
    full = _full(path)
    density = min(have / want for have, want in zip(full.size, target, strict=True))
    spare = [have - density * want for have, want in zip(full.size, target, strict=True)]
    found = []
    for aside in ASIDE:
        left, top = (max(0.0, room / 2 + (aside * density if room >= density else 0)) for room in spare)
        box = (left, top, min(left + density * target[0], full.width), min(top + density * target[1], full.height))
        found.append(_luma(full.resize(target, Image.Resampling.LANCZOS, box)))
    return tuple(found)


@cache
def _full(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        profile = opened.info.get("icc_profile")
        picture = ImageOps.exif_transpose(opened)
    picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if profile and picture.mode == "RGB":
        described = ImageCms.ImageCmsProfile(BytesIO(profile))
        picture = ImageCms.buildTransform(described, ImageCms.createProfile("sRGB"), "RGB", "RGB").apply(picture)
    return picture


def _luma(picture: Image.Image) -> np.ndarray:
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, GROUND), picture)
    return np.asarray(picture.convert("L"))


def forget() -> None:
    """Lets go of the pictures at full resolution."""
    crops.cache_clear()
    _full.cache_clear()


def judged(path: Path, job: Job, folder: Path) -> float:
    """SSIM of the largest size among a contender's files."""
    largest = job.sizes[0]
    return Reference(path).ssim((folder / largest.name).read_bytes(), (largest.width, largest.height))


def colour_differences(path: Path, job: Job) -> tuple[float, float]:
    """Mean CIEDE2000 of the largest size against the colours it should have: ours, and what the encoder alone does."""
    largest = job.sizes[0]
    wanted = ImageOps.fit(_full(path), (largest.width, largest.height), Image.Resampling.LANCZOS)
    ours = render(path.read_bytes(), ContentType.JPEG, job.slot, keep_master=job.master).images[0].content
    alone = BytesIO()
    wanted.save(alone, "WEBP", quality=largest.quality, method=4)
    lab = rgb2lab(np.asarray(wanted))
    found = [rgb2lab(np.asarray(Image.open(BytesIO(file)).convert("RGB"))) for file in (ours, alone.getvalue())]
    return float(deltaE_ciede2000(lab, found[0]).mean()), float(deltaE_ciede2000(lab, found[1]).mean())
