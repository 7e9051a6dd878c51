"""Imperfect files that browsers show are rendered as browsers show them. tests/e2e compares more of them."""

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import MASTER, Reason, Slot
from profile_media.imaging import PillowImages
from tests import pictures
from tests.hostile.gifs import frame, grey, screen
from tests.hostile.parts import TURNING_XMP, chunk
from tests.hostile.pngs import having, header, png
from tests.unit.imaging.files import contents, difference, opened

MAX_DIFFERENCE = 3


def master_of(content: bytes) -> Image.Image:
    return opened(contents(PillowImages().render(content, Slot.AVATAR))[MASTER])


def colour_of(content: bytes, at: tuple[int, int] = (4, 4)) -> tuple[int, ...]:
    colour = master_of(content).convert("RGBA").getpixel(at)
    assert isinstance(colour, tuple)
    return tuple(map(int, colour))


def flat(value: int, *chunks: bytes) -> bytes:
    """Return a grey PNG of one value with more chunks."""
    return png(header(16, 16), *chunks, chunk(b"IDAT", zlib.compress((b"\0" + bytes([value]) * 16) * 16)))


def gamma(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack("!I", value))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("missing", [1, 2, 40])
def test_render_accepts_jpeg_without_its_end(missing: int, mode: str, *, progressive: bool) -> None:
    whole = pictures.a_jpeg(picture=pictures.a_picture(320, 240, mode), progressive=progressive)
    assert difference(master_of(whole[:-missing]), pictures.a_picture(320, 240, mode)) <= MAX_DIFFERENCE


def test_render_accepts_jpeg_cut_in_a_segment() -> None:
    whole = pictures.a_jpeg(320, 240, progressive=True)
    cut = whole[: whole.rindex(b"\xff\xc4") + 9]
    assert difference(master_of(cut), pictures.a_picture(320, 240)) <= MAX_DIFFERENCE


def test_render_rejects_jpeg_without_its_lower_half() -> None:
    whole = pictures.a_jpeg(320, 240)
    master_of(whole[: len(whole) * 6 // 10])
    with pytest.raises(ImageUnacceptable) as rejected:
        master_of(whole[: len(whole) * 3 // 10])
    assert rejected.value.reason is Reason.CORRUPT


def test_render_accepts_truncated_jpeg_of_one_colour() -> None:
    plain = pictures.a_jpeg(picture=Image.new("RGB", (64, 64), (200, 30, 30)))
    assert colour_of(plain[:-2])[0] == pytest.approx(200, abs=3)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (flat(128), 128),
        (flat(128, gamma(100_000)), 188),  # linear
        (flat(128, gamma(100_000), chunk(b"sRGB", b"\0")), 128),
        (flat(128, gamma(45_455)), 128),
        (flat(32, gamma(43_300)), 32),  # close enough to sRGB for browsers
        (flat(32, gamma(43_000)), 22),
        (flat(128, gamma(22_727)), 61),
        (flat(128, gamma(0)), 128),
        (flat(128, chunk(b"gAMA", struct.pack("!I", 100_000), flaw=1)), 128),
        (flat(128, chunk(b"iCCP", b"x\0\0broken"), gamma(100_000)), 188),
        (flat(128, chunk(b"cICP", bytes((1, 8, 0, 1)))), 188),
        (pictures.an_avif_in(1, 13, Image.new("RGB", (16, 16), (128, 128, 128))), 128),
        (pictures.an_avif_in(1, 8, Image.new("RGB", (16, 16), (128, 128, 128))), 188),
        # 1,000 cd/m² is white, 203 is half of it, and 5 a fortieth of that.
        (pictures.an_avif_in(9, 16, Image.new("RGB", (16, 16), (192, 192, 192))), 255),
        (pictures.an_avif_in(9, 16, Image.new("RGB", (16, 16), (148, 148, 148))), 188),
        (pictures.an_avif_in(9, 16, Image.new("RGB", (16, 16), (63, 63, 63))), 29),
        (pictures.an_avif_in(9, 18, Image.new("RGB", (16, 16), (255, 255, 255))), 255),
        (pictures.an_avif_in(9, 18, Image.new("RGB", (16, 16), (191, 191, 191))), 188),
    ],
)
def test_render_converts_stated_colours(file: bytes, expected: int) -> None:
    assert colour_of(file)[:3] == pytest.approx([expected] * 3, abs=4)


def test_render_converts_stated_primaries() -> None:
    red = Image.new("RGB", (16, 16), (200, 60, 40))
    assert colour_of(pictures.an_avif_in(12, 13, red))[:3] == pytest.approx((217, 48, 27), abs=5)
    assert colour_of(pictures.an_avif_in(9, 13, red))[:3] == pytest.approx((247, 0, 23), abs=5)


def test_render_keeps_hue_of_high_dynamic_range() -> None:
    """The expected colours are Chromium's."""
    for transfer, expected in ((16, (137, 52, 9)), (18, (101, 65, 38))):
        brown = pictures.an_avif_in(9, transfer, Image.new("RGB", (16, 16), (120, 90, 60)))
        assert colour_of(brown)[:3] == pytest.approx(expected, abs=6)
    bright = pictures.an_avif_in(9, 16, Image.new("RGB", (16, 16), (200, 100, 100)))
    assert colour_of(bright)[2] < 40
    blue = pictures.an_avif_in(9, 18, Image.new("RGB", (16, 16), (0, 0, 150)))
    assert colour_of(blue)[:3] == pytest.approx((0, 0, 98), abs=6)


@pytest.mark.parametrize("make", [pictures.a_jpeg, pictures.a_webp, pictures.an_avif], ids=["JPEG", "WebP", "AVIF"])
def test_render_ignores_orientation_in_xmp(make: Callable[..., bytes]) -> None:
    assert master_of(make(64, 48, xmp=TURNING_XMP)).size == (64, 48)
    exif = pictures.exif(6)
    assert master_of(make(64, 48, xmp=TURNING_XMP.replace(b'"6"', b'"1"'), exif=exif)).size == (48, 64)


def test_render_ignores_orientation_in_text_of_png() -> None:
    assert master_of(having(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + TURNING_XMP))).size == (64, 48)


def deep(values: np.ndarray, transparent: int) -> bytes:
    """Return a 16-bit grey PNG with one transparent shade."""
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(
        header(values.shape[1], values.shape[0], 16),
        chunk(b"tRNS", struct.pack("!H", transparent)),
        chunk(b"IDAT", zlib.compress(lines)),
    )


def test_render_compares_all_bits_of_transparent_shade() -> None:
    shades = np.full((32, 32), 30_000, np.uint16)
    shades[:, 16:] = 30_001
    file = deep(shades, 30_000)
    assert [colour_of(file, (x, 16))[3] for x in (2, 29)] == [0, 255]


@pytest.mark.parametrize(("depth", "transparent"), [(2, 2), (4, 9)])
def test_render_keeps_transparent_shade_of_few_bits(depth: int, transparent: int) -> None:
    shades = np.repeat([transparent, transparent - 1], 16).astype(np.uint8)
    row = np.packbits(np.unpackbits(shades[:, None], axis=1)[:, -depth:]).tobytes()
    file = png(
        header(32, 32, depth),
        chunk(b"tRNS", struct.pack("!H", transparent)),
        chunk(b"IDAT", zlib.compress((b"\0" + row) * 32)),
    )
    assert [colour_of(file, (x, 16))[3] for x in (2, 29)] == [0, 255]


def test_render_clears_screen_around_first_frame_of_gif() -> None:
    file = screen(32, 24) + frame(40, 30, 24, 18, grey(24, 18)) + b";"
    assert master_of(file).size == (64, 48)
    assert [colour_of(file, at)[3] for at in ((4, 4), (60, 4), (52, 40))] == [0, 0, 255]


def test_render_enlarges_one_pixel() -> None:
    for content_type in pictures.TYPES:
        dot = pictures.a_file(content_type, Image.new("RGB", (1, 1), (90, 90, 90)))
        files = contents(PillowImages().render(dot, Slot.COVER_IMAGE))
        assert opened(files["full"]).size == (1500, 500)
        assert opened(files["full"]).getpixel((750, 250)) == pytest.approx((90, 90, 90), abs=4)
