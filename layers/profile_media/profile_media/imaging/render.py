"""The pipeline from a file to its derivatives: decode once and small, crop, resize, convert colours, encode.

Only the sandbox's child runs this. Turning upright and colour conversion come last, because they cost time per pixel.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import NamedTuple

from PIL import Image

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import FORMATS, ContentType
from profile_media.domain.framing import Box, Crop, Dimensions, Framing, frame
from profile_media.domain.model import MASTER, Reason, Slot
from profile_media.domain.policy import MASTER_QUALITY, MASTER_SIDE, SIZES, Size
from profile_media.imaging.animation import ANIMATED_TYPES, Animation, encode_animation, read_animation
from profile_media.imaging.child_protocol import EncodedImage, RenderResult
from profile_media.imaging.colour import to_srgb
from profile_media.imaging.decoding import Decoded, decode, to_resampled_mode
from profile_media.imaging.placeholder import make_placeholder
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


def render(  # noqa: PLR0913 - one call per picture
    content: bytes,
    content_type: ContentType,
    slot: Slot,
    framing: Framing = None,
    *,
    keep_master: bool = True,
    keep_animation: bool = False,
) -> RenderResult:
    """Make the derivatives of a slot, largest first, then the master, then the animated one.

    Raises ImageUnacceptable for too many or too few pixels and for a crop outside of the picture, and whatever Pillow
    raises for a broken file.
    """
    started = time.process_time()
    sizes = SIZES[slot]

    def box(original: Dimensions, size: Size) -> Box:
        return frame(original, (size.width, size.height), framing)

    def available(original: Dimensions) -> float:
        if isinstance(framing, Crop) and not framing.fits(original):
            raise ImageUnacceptable(Reason.CROP_OUTSIDE, f"{framing} of {original[0]} x {original[1]}")
        return density(box(original, sizes[0]), (sizes[0].width, sizes[0].height))

    decoded = decode(content, content_type, available, MASTER_SIDE if keep_master else None)
    original_size = decoded.original_size
    boxes = [decoded.stored_box(box(original_size, size)) for size in sizes]
    resized = list(_resize_derivatives(decoded, sizes, boxes))
    placeholder = make_placeholder(next(each.image for each, size in zip(resized, sizes, strict=True) if size.default))
    if keep_master:
        resized.append(_resize_master(decoded))
    animation = None
    if keep_animation and content_type in ANIMATED_TYPES:
        animation = _read_animation(content, content_type, decoded, sizes, boxes)
    del decoded  # It takes more memory than everything that encoding needs.
    images = list(map(_encode, resized))
    if animation and (encoded := encode_animation(animation, started)):
        images.append(encoded)
    return RenderResult(*original_size, placeholder, tuple(images))


def _resize_derivatives(decoded: Decoded, sizes: Sequence[Size], boxes: Sequence[Box]) -> Iterator[_Resized]:
    """Make each size from the next larger one if that shows the same part and is dense enough, else from the original.

    The boxes are in the pixels of `decoded`.
    """
    larger: Image.Image | None = None
    shown: Box | None = None
    for size, box in zip(sizes, boxes, strict=True):
        target = (size.width, size.height)
        stored_target = decoded.stored(target)
        enough = min(MIN_DENSITY, density(box, stored_target))
        quality = size.quality
        if larger and box == shown and density((0, 0, *larger.size), target) >= enough:
            larger = crop_and_resize(larger, (0, 0, *larger.size), target, FROM_DERIVATIVE)
        else:
            cropped = crop_and_resize(decoded.pixels, box, stored_target, FROM_ORIGINAL)
            larger = decoded.turn_upright(to_srgb(cropped, decoded.profile))
            quality += QUALITY_FROM_ORIGINAL
        shown = box
        yield _Resized(size.name, larger, ContentType.WEBP, {"quality": quality, "method": WEBP_EFFORT})


def _read_animation(
    content: bytes, content_type: ContentType, decoded: Decoded, sizes: Sequence[Size], boxes: Sequence[Box]
) -> Animation | None:
    """Read an animation and show the part of it that the slot's default size shows."""
    size, box = next(each for each in zip(sizes, boxes, strict=True) if each[0].default)
    target = (size.width, size.height)

    def show(pixels: Image.Image) -> Image.Image:
        part = crop_and_resize(to_resampled_mode(pixels), box, decoded.stored(target), FROM_ORIGINAL)
        shown = decoded.turn_upright(to_srgb(part, decoded.profile))
        shown.info.clear()
        return shown

    return read_animation(content, content_type, target, show)


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
