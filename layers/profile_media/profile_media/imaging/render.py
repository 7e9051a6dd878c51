"""The pipeline from a picture's bytes to its derivatives: decode once and small, crop and shrink, encode afresh.

Only the sandbox's child runs this. Where the time goes decided its shape (12-megapixel JPEG, one core, CPU): decoding
takes 70 ms in full and 44 at half size; turning the original takes 50 ms, what is left of it 3; resampling it to the
master's bounds 156 ms, and each size from one already made next to nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from types import MappingProxyType

# Imported here so that the child, which can open no file, finds them loaded: Pillow imports most of these on first use.
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    ImagePalette,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import FORMATS
from profile_media.domain.model import MASTER, ContentType, Reason, Slot
from profile_media.domain.policy import (
    MASTER_QUALITY,
    MASTER_SIDE,
    MAX_SIDE,
    MIN_SIDE,
    SIZES,
)
from profile_media.imaging.answer import Made, Picture

LOADED = (
    AvifImagePlugin,
    GifImagePlugin,
    ImageFile,
    ImagePalette,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
"""Named so that no tool takes the imports for unused."""

Image.preinit()

_TURNS = MappingProxyType(
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
"""What sets a picture upright, by EXIF orientation."""

_SIDEWAYS = frozenset(
    {Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_90}
)

_ORIENTATION = 0x0112

_DECODED_DENSITY = 1.25
"""Source pixels per output pixel, each way, that a JPEG decoded at a half, a quarter or an eighth must leave. Sparser
loses sharpness: SSIM -0.015 at 1.1."""

_DENSITY = 1.6
"""The same where pixels are averaged before they are resampled. It takes more, because averaging blurs more than the
decoder does: over 18 pictures 2.0 is no better (SSIM +0.0004 at most), 1.3 is worse by 0.006 in some."""

_SPARSE_QUALITY = 1
"""What a size decoded at less than _DENSITY gets on top of its encoder's quality: as sharp, and as large a file, as
from twice the pixels (SSIM 0.000 on average), for 10 ms less of decoding and 12 of resampling."""

_MASTER_DENSITY = 2.0
"""The same for the master, from which later sizes are made: nothing is to be lost there yet."""

_MASTER_SLACK = 0.9
"""The master is a whole fraction of the original where that comes this near to MASTER_SIDE. Phones' 4000 to 4080 pixels
halve to just below it, and 3840 do; decoding in full and resampling all of it for so little costs more than the rest.
"""

_MASTER_FILTER = Image.Resampling.BICUBIC
"""Two thirds of Lanczos' work, and what is made of the master is as good: SSIM -0.002 at the most, for covers."""

_MASTER_WEBP_METHOD = 0
"""Encoder effort where the master needs transparency: it is stored once and read rarely, so time counts, not bytes."""

_WEBP_METHOD = 4
"""Encoder effort: 5 and 6 gain nothing, 2 halves the encode for 8 % more bytes."""

_MAX_PROFILE = 1024 * 1024
"""Bytes of a colour profile; those of real devices have at most a few hundred thousand."""

_PROFILE_MODES = MappingProxyType({"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"})
"""The mode whose pixels a colour profile of each space describes."""

_RESAMPLED = frozenset({"L", "RGB", "CMYK"})
"""Opaque modes that need no conversion before they are resampled."""

_WEIGHTED = MappingProxyType({"LA": "La", "RGBA": "RGBa"})
"""The modes in which colours are multiplied by their alpha."""

type _Size = tuple[int, int]
type _Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Source:
    """A decoded picture, and what is still to be done about it: all of that is cheapest for what is left at the end."""

    pixels: Image.Image
    turn: Image.Transpose | None
    profile: bytes | None
    drafted: bool
    """Whether it was decoded at less than its size."""


def render(content: bytes, content_type: ContentType, slot: Slot, *, keep_master: bool = True) -> Made:
    """Makes a slot's derivatives and the master, in that order.

    Raises ImageUnacceptable for what is known to be wrong, and whatever Pillow raises for what is found to be:
    Pillow's own list of errors is not complete, so callers take any exception for a refusal.
    """
    with _open(content, content_type) as opened:
        turn = _turn(opened)
        full = _as_seen(opened.size, turn)
        _check_size(opened.size, content_type)
        drafted = _draft(opened, full, slot, keep_master=keep_master)
        opened.load()
        profile = opened.info.get("icc_profile")
        source = _Source(_plain(opened), turn, profile if isinstance(profile, bytes) else None, drafted)
    pictures = _shown(source, slot)
    return Made(*full, (*pictures, _master(source)) if keep_master else tuple(pictures))


def _open(content: bytes, content_type: ContentType) -> Image.Image:
    # Pillow's own check, which it also makes of what it allocates while opening, raises at twice this figure.
    Image.MAX_IMAGE_PIXELS = FORMATS[content_type].max_pixels // 2
    # One Lambda has about one core, and threads would reserve address space that the sandbox counts.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    try:
        return Image.open(BytesIO(content), formats=[FORMATS[content_type].pillow_name])
    except Image.DecompressionBombError as bomb:
        raise ImageUnacceptable(Reason.TOO_MANY_PIXELS, str(bomb)) from bomb


def _check_size(size: _Size, content_type: ContentType) -> None:
    width, height = size
    if max(size) > MAX_SIDE or width * height > FORMATS[content_type].max_pixels:
        raise ImageUnacceptable(Reason.TOO_MANY_PIXELS, f"{width} x {height}")
    if min(size) < MIN_SIDE:
        raise ImageUnacceptable(Reason.TOO_SMALL, f"{width} x {height}")


def _turn(opened: Image.Image) -> Image.Transpose | None:
    """What sets the picture upright; None where it is, or where its EXIF data cannot be read.

    Not `ImageOps.exif_transpose`, which writes the EXIF data back and fails on some. AVIF's own rotation arrives here
    too: Pillow leaves those pixels alone and reports the rotation as an orientation.
    """
    try:
        return _TURNS.get(opened.getexif().get(_ORIENTATION, 1))
    except Exception:
        return None


def _as_seen(size: _Size, turn: Image.Transpose | None) -> _Size:
    """A size before turning as it is after, and the other way round."""
    return (size[1], size[0]) if turn in _SIDEWAYS else size


def _draft(opened: Image.Image, full: _Size, slot: Slot, *, keep_master: bool) -> bool:
    """Has a JPEG decoded at a half, a quarter or an eighth, whichever is the least that keeps the quality."""
    if not isinstance(opened, JpegImagePlugin.JpegImageFile):
        return False
    largest = SIZES[slot][0]
    for part in (8, 4, 2):
        dense = _density(full, (largest.width, largest.height)) >= part * _DECODED_DENSITY
        if dense and (not keep_master or max(full) >= part * MASTER_SIDE * _MASTER_SLACK):
            opened.draft(None, (opened.width // part, opened.height // part))
            return True
    return False


def _density(source: _Size, target: _Size) -> float:
    """Source pixels per output pixel, each way, when the target is a crop of the source."""
    return min(source[0] / target[0], source[1] / target[1])


def _plain(opened: Image.Image) -> Image.Image:
    """The pixels in a mode that can be resampled, with an alpha channel only where something shines through."""
    if opened.mode == "I;16":
        opened = _eight_bits(opened)
    if opened.has_transparency_data:
        plain = _as_mode(opened, "LA" if opened.mode in {"1", "L", "LA"} else "RGBA")
        if plain.getchannel("A").getextrema()[0] == 255:
            plain = plain.convert(plain.mode.removesuffix("A"))
    elif opened.mode in _RESAMPLED:
        plain = opened
    else:
        plain = opened.convert("L" if opened.mode == "1" else "RGB")
    return plain


def _eight_bits(deep: Image.Image) -> Image.Image:
    """The high bytes of a 16-bit grey picture: Pillow's own conversion cuts off at 255 where it should scale."""
    shallow = Image.frombytes("L", deep.size, deep.tobytes(), "raw", "L;16")
    if isinstance(transparent := deep.info.get("transparency"), int):
        shallow.info["transparency"] = transparent >> 8
    return shallow


def _shown(source: _Source, slot: Slot) -> Iterator[Picture]:
    """Each size from the one before it where that is dense enough, and from the source where it is not."""
    larger: Image.Image | None = None
    for size in SIZES[slot]:
        target = _as_seen((size.width, size.height), source.turn)
        density = _density(source.pixels.size, target)
        quality = size.quality
        if larger and _density(larger.size, target) >= min(_DENSITY, density):
            larger = _cropped(larger, target)
        else:
            larger = _srgb(_cropped(source.pixels, target), source.profile)
            quality += _SPARSE_QUALITY if source.drafted and density < _DENSITY else 0
        upright = _upright(larger, source.turn)
        yield _encoded(size.name, upright, ContentType.WEBP, quality=quality, method=_WEBP_METHOD)


def _master(source: _Source) -> Picture:
    """The whole picture; not what the sizes are made from, because colours and alpha cost by the pixel."""
    upright = _upright(_srgb(_shrunk(source.pixels), source.profile), source.turn)
    if upright.mode == "RGBA":
        return _encoded(MASTER, upright, ContentType.WEBP, quality=MASTER_QUALITY, method=_MASTER_WEBP_METHOD)
    return _encoded(MASTER, upright, ContentType.JPEG, quality=MASTER_QUALITY)


def _shrunk(source: Image.Image) -> Image.Image:
    """The whole picture within the master's bounds."""
    longest = max(source.size)
    if longest <= MASTER_SIDE:
        return source
    part = ceil(longest / MASTER_SIDE)
    if longest >= part * MASTER_SIDE * _MASTER_SLACK:
        return source.reduce(part)
    width, height = (max(1, round(side * MASTER_SIDE / longest)) for side in source.size)
    return _resampled(source, (width, height), None, _MASTER_DENSITY, _MASTER_FILTER)


def _cropped(source: Image.Image, target: _Size) -> Image.Image:
    """The middle of the picture, filling the target exactly, enlarged where the picture is smaller."""
    return _resampled(source, target, _centre(source.size, target), _DENSITY, Image.Resampling.LANCZOS)


def _resampled(
    source: Image.Image, target: _Size, box: _Box | None, density: float, kernel: Image.Resampling
) -> Image.Image:
    """A box of the picture at another size, averaged first as far as this density allows.

    Colours count by how much of them shows, or the invisible ones would fringe the edges. Pillow sees to that by itself
    too, but then averages nothing first.
    """
    weighted = _WEIGHTED.get(source.mode, source.mode)
    resampled = _as_mode(source, weighted).resize(target, kernel, box, reducing_gap=density)
    return _as_mode(resampled, source.mode)


def _centre(source: _Size, target: _Size) -> _Box:
    """The largest box of the target's shape in the middle of the source, in source pixels and not cut to whole ones."""
    density = _density(source, target)
    # Rounding can put a corner a hair outside, which Pillow refuses.
    left, top = (max(0.0, (have - density * want) / 2) for have, want in zip(source, target, strict=True))
    return (left, top, source[0] - left, source[1] - top)


def _upright(picture: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    return picture if turn is None else picture.transpose(turn)


def _srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture as RGB or RGBA in sRGB; the profile is taken at its word only if nothing is wrong with it."""
    alpha = picture.getchannel("A") if picture.mode in {"LA", "RGBA"} else None
    colours = _as_mode(picture, picture.mode.removesuffix("A"))
    if profile is not None and len(profile) <= _MAX_PROFILE:
        colours = _converted(colours, profile)
    rgb = _as_mode(colours, "RGB")
    if alpha is not None:
        rgb.putalpha(alpha)
    return rgb


def _as_mode(picture: Image.Image, mode: str) -> Image.Image:
    """The picture in a mode; itself where it has it, because Pillow would copy it."""
    return picture if picture.mode == mode else picture.convert(mode)


def _converted(colours: Image.Image, profile: bytes) -> Image.Image:
    """The colours through their profile; as they are where it is broken, of another space, or sRGB itself."""
    try:
        described = ImageCms.ImageCmsProfile(BytesIO(profile))
        if (described.profile.profile_description or "").startswith("sRGB"):
            return colours  # the commonest profile: converting 3 million pixels into themselves costs 30 ms
        mode = _PROFILE_MODES[described.profile.xcolor_space.strip()]
        if mode != colours.mode:
            if (colours.mode, mode) != ("L", "RGB"):
                return colours
            colours = colours.convert(mode)
        transform = ImageCms.buildTransform(described, ImageCms.createProfile("sRGB"), mode, "RGB")
        return transform.apply(colours)
    except Exception:
        return colours


def _encoded(name: str, picture: Image.Image, content_type: ContentType, **options: int) -> Picture:
    """The picture as a file, from a canvas that never held anything but these pixels, so nothing else can be in it."""
    canvas = Image.new(picture.mode, picture.size)
    canvas.paste(picture)
    content = BytesIO()
    canvas.save(content, FORMATS[content_type].pillow_name, **options)
    return Picture(name, content_type, *picture.size, content.getvalue())
