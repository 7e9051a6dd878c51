"""The pipeline from a file to its derivatives: decode once and small, crop, resize, convert colours, encode.

Only the sandbox's child runs this. Turning upright and colour conversion come last, because they cost time per pixel.
"""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import NamedTuple

from PIL import Image

from profile_media.domain.formats import FORMATS, ContentType
from profile_media.domain.model import MASTER, Slot
from profile_media.domain.policy import MASTER_QUALITY, MASTER_SIDE, SIZES
from profile_media.imaging.child_protocol import EncodedImage, RenderResult
from profile_media.imaging.colour import to_srgb
from profile_media.imaging.decoding import Decoded, decode
from profile_media.imaging.resampling import (
    FROM_DERIVATIVE,
    FROM_ORIGINAL,
    MIN_DENSITY,
    crop_and_resize,
    density,
    shrink_to_master,
)

WEBP_EFFORT = 4
"""Pillow's `method`. 5 and 6 gain nothing, 2 halves the encoding time for 8 % more bytes, paid with every view."""

MASTER_WEBP_EFFORT = 0
"""The master is stored once and read rarely, so time counts more than bytes."""

QUALITY_FROM_ORIGINAL = -1
"""Added to the encoder quality of sizes resized with FROM_ORIGINAL: its sharper output takes more bytes. One step less
gives the bytes and the SSIM of Lanczos."""


class _Resized(NamedTuple):
    """One image, ready to be encoded with these options of Pillow's encoder."""

    name: str
    image: Image.Image
    content_type: ContentType
    options: Mapping[str, int]


def render(content: bytes, content_type: ContentType, slot: Slot, *, keep_master: bool = True) -> RenderResult:
    """Make the derivatives of a slot, largest first, and then the master.

    Raises ImageUnacceptable for too many or too few pixels, and whatever Pillow raises for a broken file.
    """
    largest = SIZES[slot][0]
    decoded = decode(content, content_type, (largest.width, largest.height), MASTER_SIDE if keep_master else None)
    original_size = decoded.original_size
    resized = list(_resize_derivatives(decoded, slot))
    if keep_master:
        resized.append(_resize_master(decoded))
    del decoded  # It takes more memory than everything that encoding needs.
    return RenderResult(*original_size, tuple(map(_encode, resized)))


def _resize_derivatives(decoded: Decoded, slot: Slot) -> Iterator[_Resized]:
    """Make each size from the next larger one if that is dense enough, else from the decoded picture."""
    larger: Image.Image | None = None
    for size in SIZES[slot]:
        target = (size.width, size.height)
        stored_target = decoded.stored(target)
        enough = min(MIN_DENSITY, density(decoded.pixels.size, stored_target))
        quality = size.quality
        if larger and density(larger.size, target) >= enough:
            larger = crop_and_resize(larger, target, FROM_DERIVATIVE)
        else:
            cropped = crop_and_resize(decoded.pixels, stored_target, FROM_ORIGINAL)
            larger = decoded.turn_upright(to_srgb(cropped, decoded.profile))
            quality += QUALITY_FROM_ORIGINAL
        yield _Resized(size.name, larger, ContentType.WEBP, {"quality": quality, "method": WEBP_EFFORT})


def _resize_master(decoded: Decoded) -> _Resized:
    """Shrink the whole picture. Derivatives are not made from the result, because that costs more."""
    image = decoded.turn_upright(to_srgb(shrink_to_master(decoded.pixels), decoded.profile))
    if image.mode == "RGBA":
        return _Resized(MASTER, image, ContentType.WEBP, {"quality": MASTER_QUALITY, "method": MASTER_WEBP_EFFORT})
    return _Resized(MASTER, image, ContentType.JPEG, {"quality": MASTER_QUALITY})


def _encode(resized: _Resized) -> EncodedImage:
    name, image, content_type, options = resized
    image.info.clear()  # Pillow copies it from image to image, and its encoders read metadata from it.
    file = BytesIO()
    image.save(file, FORMATS[content_type].pillow_name, **options)
    return EncodedImage(name, content_type, *image.size, file.getvalue())
