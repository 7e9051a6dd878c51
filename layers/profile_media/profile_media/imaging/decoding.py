"""Open and decode an untrusted file into pixels that can be resampled. Runs in the sandbox's child."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType

# Pillow imports these modules on first use. The child cannot open files, so they have to be loaded before the fork.
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageChops,
    ImageFile,
    ImagePalette,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import FORMATS, ContentType
from profile_media.domain.framing import Box, Dimensions
from profile_media.domain.model import Reason
from profile_media.domain.policy import MAX_BUFFERED_JPEG_PIXELS, MAX_SIDE
from profile_media.imaging import avif, heic, jpeg, png
from profile_media.imaging.colour import Profile
from profile_media.imaging.profiles import CodedColours
from profile_media.imaging.resampling import jpeg_scale

PRELOADED = (
    AvifImagePlugin,
    GifImagePlugin,
    ImageChops,
    ImageFile,
    ImagePalette,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
"""Keeps linters from removing the imports as unused."""

Image.preinit()

_ORIENTATION_TAG = 0x0112

_TRANSPOSE_BY_ORIENTATION = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)
"""The operation that turns the stored picture upright, by EXIF orientation."""

_SWAPS_SIDES = frozenset(
    {Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_90}
)

_MIRRORS_X = frozenset(
    {
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.ROTATE_180,
        Image.Transpose.ROTATE_270,
        Image.Transpose.TRANSVERSE,
    }
)
_MIRRORS_Y = frozenset(
    {Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90, Image.Transpose.TRANSVERSE}
)
"""The operations are a swap of the axes, or none, and then these mirrorings of the upright picture."""

_FILLERS = (127, 128)
"""What libjpeg puts into each channel where a file has no data, by colour space."""

_RESAMPLED_MODES = frozenset({"L", "RGB", "CMYK"})
"""Opaque modes that Pillow resamples without a conversion."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded picture as it is stored: not yet turned upright, and with colours in its own profile.

    Turning and colour conversion cost time per pixel, so the caller applies them to the small derivatives.
    """

    pixels: Image.Image
    transpose: Image.Transpose | None
    """The operation that turns the pixels upright; None if they are."""
    profile: Profile
    original_size: Dimensions
    """Width and height of the upright original. A JPEG's `pixels` may be smaller by a factor of 2, 4 or 8."""
    divisor: int = 1
    """That factor. The sides are rounded up, so the sizes alone do not tell where a pixel came from."""

    def stored(self, upright: Dimensions) -> Dimensions:
        """Return the upright width and height in the order in which `pixels` has them."""
        return swap_sides(upright, self.transpose)

    def stored_box(self, upright: Box) -> Box:
        """Return the part of `pixels` that shows a part of the upright original."""
        left, top, right, bottom = upright
        width, height = self.original_size
        if self.transpose in _MIRRORS_X:
            left, right = width - right, width - left
        if self.transpose in _MIRRORS_Y:
            top, bottom = height - bottom, height - top
        if self.transpose in _SWAPS_SIDES:
            left, top, right, bottom = top, left, bottom, right
        return (left / self.divisor, top / self.divisor, right / self.divisor, bottom / self.divisor)

    def turn_upright(self, image: Image.Image) -> Image.Image:
        """Turn an image that was made from `pixels` upright."""
        return image if self.transpose is None else image.transpose(self.transpose)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A file as Pillow accepts it, and what Pillow does not say about it."""

    content: bytes
    profile: Profile = None
    """The colours, as far as Pillow does not read them."""
    max_pixels: int = 0
    is_truncated: bool = False


def decode(
    content: bytes, content_type: ContentType, available: Callable[[Dimensions], float], master_side: int | None
) -> Decoded:
    """Decode the first picture of a file, a JPEG no larger than the derivatives and the master need.

    `available` returns the density of the largest derivative, given the size of the upright original. Raises
    ImageUnacceptable for a picture with too many pixels, and whatever Pillow raises for broken files. Pillow's list of
    errors is incomplete, so callers treat every exception as a rejection.
    """
    prepared = _prepare(content, content_type)
    with _open(prepared, content_type) as opened:
        _check_size(opened.size, prepared.max_pixels)
        # HEIC is decoded upright, by its own rotation. Its EXIF orientation repeats that rotation.
        transpose = None if content_type is ContentType.HEIC else _read_orientation(opened)
        original_size = swap_sides(opened.size, transpose)
        density = available(original_size)
        divisor = 1
        if content_type is ContentType.JPEG:
            divisor = jpeg_scale(original_size, density, master_side)
            opened.draft(None, (opened.width // divisor, opened.height // divisor))
        frame = opened.tile[0].extents if content_type is ContentType.GIF else None
        opened.load()
        if content_type is ContentType.HEIC and opened.size != original_size:
            raise ImageUnacceptable(Reason.CORRUPT, f"holds {opened.size}, states {original_size}")
        if prepared.is_truncated:
            _check_lower_half(opened)
        profile = opened.info.get("icc_profile") or heic.coded_colours(opened.info)
        pixels = to_resampled_mode(opened)
        if frame:
            pixels = _clear_around(pixels, frame)
    profile = profile if isinstance(profile, bytes | CodedColours) else prepared.profile
    return Decoded(pixels, transpose, profile, original_size, divisor)


def open_frames(content: bytes, content_type: ContentType) -> ImageFile.ImageFile:
    """Open an animation, whose frames the caller reads."""
    return _open(_prepare(content, content_type), content_type)


def _prepare(content: bytes, content_type: ContentType) -> _Prepared:
    max_pixels = FORMATS[content_type].max_pixels
    match content_type:
        case ContentType.JPEG:
            whole = jpeg.complete(content)
            if jpeg.is_buffered(content):
                max_pixels = MAX_BUFFERED_JPEG_PIXELS
            return _Prepared(whole, None, max_pixels, is_truncated=whole is not content)
        case ContentType.PNG:
            return _Prepared(*png.simplify(content), max_pixels)
        case ContentType.HEIC:
            return _Prepared(heic.with_known_brand(content), None, max_pixels)
        case ContentType.AVIF:
            return _Prepared(avif.with_known_brand(content), avif.coded_colours(content), max_pixels)
        case _:
            return _Prepared(content, None, max_pixels)


def _open(prepared: _Prepared, content_type: ContentType) -> ImageFile.ImageFile:
    # Pillow raises DecompressionBombError at twice this number, also for buffers that it allocates while opening.
    Image.MAX_IMAGE_PIXELS = prepared.max_pixels // 2
    # A Lambda function of this size has one core, and each thread reserves address space, which the sandbox limits.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    try:
        return Image.open(BytesIO(prepared.content), formats=[FORMATS[content_type].pillow_name])
    except Image.DecompressionBombError as bomb:
        raise ImageUnacceptable(Reason.TOO_MANY_PIXELS, str(bomb)) from bomb


def _check_size(size: Dimensions, max_pixels: int) -> None:
    width, height = size
    if max(size) > MAX_SIDE or width * height > max_pixels:
        raise ImageUnacceptable(Reason.TOO_MANY_PIXELS, f"{width} x {height}")


def _check_lower_half(truncated: Image.Image) -> None:
    """Reject a truncated JPEG if nothing of its lower half was decoded."""
    lower = truncated.crop((0, truncated.height // 2, truncated.width, truncated.height))
    extrema = [lower.getchannel(channel).getextrema() for channel in lower.getbands()]
    if all(low == high and low in _FILLERS for low, high in extrema):
        raise ImageUnacceptable(Reason.CORRUPT, "more than half of the picture is missing")


def _read_orientation(opened: Image.Image) -> Image.Transpose | None:
    """Return the operation that turns the picture upright; None if there is none or the EXIF data is broken.

    `ImageOps.exif_transpose` is not used: it writes the EXIF data back and fails on some files. Pillow reports AVIF's
    own rotation as an EXIF orientation too. It also reads the orientation in XMP, which no browser does: editors leave
    it there after they have turned the pixels.
    """
    opened.info.pop("xmp", None)
    try:
        return _TRANSPOSE_BY_ORIENTATION.get(opened.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        return None


def swap_sides(size: Dimensions, transpose: Image.Transpose | None) -> Dimensions:
    """Return the width and height after the operation."""
    return (size[1], size[0]) if transpose in _SWAPS_SIDES else size


def to_resampled_mode(opened: Image.Image) -> Image.Image:
    """Convert to a mode that can be resampled, with an alpha channel only if some pixel is transparent."""
    if opened.mode == "I;16":
        opened = _to_eight_bits(opened)
    if opened.has_transparency_data:
        image = opened.convert("LA" if opened.mode in {"1", "L", "LA"} else "RGBA")
        is_opaque = image.getchannel("A").getextrema()[0] == 255
        return image.convert(image.mode.removesuffix("A")) if is_opaque else image
    if opened.mode in _RESAMPLED_MODES:
        return opened
    return opened.convert("L" if opened.mode == "1" else "RGB")


def _to_eight_bits(deep: Image.Image) -> Image.Image:
    """Keep the high bytes of a 16-bit grey picture: Pillow's conversion clips at 255 instead of scaling.

    Only pixels with both bytes of the transparent shade are transparent.
    """
    data = deep.tobytes()
    high = Image.frombytes("L", deep.size, data[1::2])
    transparent = deep.info.get("transparency")
    if not isinstance(transparent, int):
        return high
    low = Image.frombytes("L", deep.size, data[0::2])
    differs = ImageChops.lighter(_differs(high, transparent >> 8), _differs(low, transparent & 255))
    return Image.merge("LA", (high, differs))


def _differs(channel: Image.Image, value: int) -> Image.Image:
    """Return 0 for pixels of this value and 255 for all others."""
    return channel.point([0 if each == value else 255 for each in range(256)])


def _clear_around(pixels: Image.Image, frame: tuple[int, int, int, int]) -> Image.Image:
    """Make the screen around a GIF's first frame transparent, as browsers do. Pillow fills it with a colour."""
    if frame == (0, 0, *pixels.size):
        return pixels
    image = pixels.convert("LA" if pixels.mode in {"L", "LA"} else "RGBA")
    alpha = Image.new("L", image.size, 0)
    alpha.paste(image.getchannel("A").crop(frame), frame)
    image.putalpha(alpha)
    return image
