"""Derivatives are close to the best possible: each size resampled from full resolution in one step, not encoded."""

from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from profile_media.domain.formats import ContentType
from profile_media.domain.framing import frame
from profile_media.domain.model import MASTER, Slot
from profile_media.domain.policy import SIZES
from profile_media.imaging import render as render_module
from profile_media.imaging.render import render
from tests import pictures
from tests.unit.imaging.files import contents, opened, pixels
from tests.unit.imaging.similarity import colour_difference, p3_to_srgb, ssim

PHOTOGRAPH = Path(__file__).parents[3] / "tools/local/photographs/portrait.jpg"

MIN_SSIM = 0.965
"""The least SSIM of each encoded size for any source. Encoding alone costs about 0.02."""

SOURCES: dict[ContentType, dict[str, Any]] = {
    ContentType.JPEG: {"quality": 92},
    ContentType.PNG: {"compress_level": 1},
    ContentType.WEBP: {"quality": 92, "method": 0},
    ContentType.GIF: {},
    ContentType.AVIF: {"quality": 90, "speed": 10},
}


@cache
def photograph(width: int, height: int) -> Image.Image:
    with Image.open(PHOTOGRAPH) as stored:
        return ImageOps.fit(ImageOps.exif_transpose(stored), (width, height), Image.Resampling.LANCZOS)


def best(file: bytes, width: int, height: int) -> Image.Image:
    """Return the default crop of a file's picture, resampled from all of its pixels."""
    full = ImageOps.exif_transpose(Image.open(BytesIO(file)))
    full = full.convert("RGBA" if full.has_transparency_data else "RGB")
    box = frame(full.size, (width, height), None)
    return full.resize((width, height), Image.Resampling.LANCZOS, box)


def assert_close_to_best(file: bytes, content_type: ContentType, slot: Slot) -> None:
    files = contents(render(file, content_type, slot))
    found = {size.name: ssim(opened(files[size.name]), best(file, size.width, size.height)) for size in SIZES[slot]}
    assert {name: similar for name, similar in found.items() if similar < MIN_SSIM} == {}


@pytest.mark.assurance
@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("content_type", pictures.TYPES)
def test_render_keeps_quality_for_format(content_type: ContentType, slot: Slot) -> None:
    assert_close_to_best(
        pictures.a_file(content_type, photograph(1600, 1200), **SOURCES[content_type]), content_type, slot
    )


@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_render_keeps_quality_for_orientation(orientation: int, slot: Slot) -> None:
    file = pictures.a_jpeg(picture=photograph(1200, 1600), orientation=orientation, quality=92)
    assert_close_to_best(file, ContentType.JPEG, slot)


@pytest.mark.assurance
@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("size", [(4032, 3024), (3024, 4032), (4032, 1500), (3800, 2850), (1500, 500), (512, 512)])
def test_render_keeps_quality_for_size(size: tuple[int, int], slot: Slot) -> None:
    assert_close_to_best(pictures.a_jpeg(picture=photograph(*size), quality=90), ContentType.JPEG, slot)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_render_keeps_quality_for_mode(mode: str) -> None:
    assert_close_to_best(
        pictures.a_jpeg(picture=photograph(1600, 1200).convert(mode), quality=92), ContentType.JPEG, Slot.AVATAR
    )


def test_render_keeps_quality_for_16_bits() -> None:
    grey = photograph(800, 600).convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    files = contents(render(pictures.a_file(ContentType.PNG, deep), ContentType.PNG, Slot.AVATAR))
    shallow = pictures.a_file(ContentType.PNG, grey)
    for size in SIZES[Slot.AVATAR]:
        expected = best(shallow, size.width, size.height)
        assert ssim(opened(files[size.name]), expected) >= MIN_SSIM


@pytest.mark.parametrize("content_type", [ContentType.JPEG, ContentType.PNG, ContentType.WEBP, ContentType.AVIF])
def test_render_converts_display_p3_to_srgb(content_type: ContentType) -> None:
    wide = photograph(800, 600)
    profile = pictures.a_display_p3_profile()
    file = pictures.a_file(content_type, wide, icc_profile=profile, **SOURCES[content_type])
    expected = pictures.a_file(ContentType.PNG, p3_to_srgb(wide))
    as_if_srgb = pictures.a_file(ContentType.PNG, wide)

    for name, content in contents(render(file, content_type, Slot.AVATAR)).items():
        shown = opened(content).convert("RGB")
        there = patches(best(expected, *shown.size))
        assert colour_difference(patches(shown), there).mean() <= 1.5, name
        assert colour_difference(patches(best(as_if_srgb, *shown.size)), there).mean() > 1.5, name


def patches(picture: Image.Image) -> Image.Image:
    """Average blocks of pixels: encoders change the colours of single pixels in any colour space."""
    return picture.reduce(8)


@pytest.mark.parametrize("content_type", [ContentType.PNG, ContentType.WEBP, ContentType.AVIF])
@pytest.mark.parametrize("hidden", [(0, 0, 0), (255, 255, 255), (0, 255, 0)])
def test_render_keeps_hidden_colour_out_of_edge(content_type: ContentType, hidden: tuple[int, int, int]) -> None:
    disc = Image.new("RGBA", (1400, 1000), (*hidden, 0))
    ImageDraw.Draw(disc).ellipse((300, 100, 1100, 900), fill=(200, 20, 20, 255))
    lossless = {"lossless": True, "exact": True, "method": 0} if content_type is ContentType.WEBP else {}
    options = {"quality": 100, "subsampling": "4:4:4", "speed": 10} if content_type is ContentType.AVIF else lossless
    files = contents(render(pictures.a_file(content_type, disc, **options), content_type, Slot.AVATAR))

    for name, content in files.items():
        shown = pixels(content, "RGBA")
        edge = shown[(shown[:, :, 3] > 64) & (shown[:, :, 3] < 255)]
        assert len(edge) or name == MASTER  # The master is as large as the original, whose edge is sharp.
        if not len(edge):
            continue
        assert np.abs(edge[:, :3].mean(axis=0) - (200, 20, 20)).max() < 25, name
        over_black = edge[:, :3] * edge[:, 3:] / 255
        assert over_black[:, 1:].mean() < 30, name


def _encode_avatar(mode: str = "RGB") -> dict[str, bytes]:
    return dict(contents(render_module.render(pictures.a_png(600, 600, mode), ContentType.PNG, Slot.AVATAR)))


@pytest.mark.parametrize("index", range(4))
def test_render_encodes_each_size_with_its_quality(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _encode_avatar()
    sizes = list(SIZES[Slot.AVATAR])
    sizes[index] = replace(sizes[index], quality=20)
    monkeypatch.setattr(render_module, "SIZES", {Slot.AVATAR: sizes})

    after = _encode_avatar()

    assert {name for name, content in after.items() if content != before[name]} == {sizes[index].name}
    assert len(after[sizes[index].name]) < len(before[sizes[index].name])


@pytest.mark.parametrize(("mode", "image_format"), [("RGB", "JPEG"), ("RGBA", "WEBP")])
def test_render_encodes_master_with_its_quality(mode: str, image_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _encode_avatar(mode)
    monkeypatch.setattr(render_module, "MASTER_QUALITY", 50)
    after = _encode_avatar(mode)
    assert len(after[MASTER]) < len(before[MASTER])
    assert after["full"] == before["full"]
    assert opened(before[MASTER]).format == image_format
