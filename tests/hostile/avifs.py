"""Hostile and unusual AVIF files."""

import struct
from functools import cache, partial

from PIL import Image

from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason
from tests import pictures
from tests.hostile.parts import EXIF, READY, SCRIPT, TURNING_XMP, Sample, Samples, box

PLAIN = pictures.an_avif(64, 48)


def claiming(width: int, height: int) -> bytes:
    """Return an AVIF with a false size in its `ispe` box."""
    at = PLAIN.index(b"ispe") + 8
    return PLAIN[:at] + struct.pack("!II", width, height) + PLAIN[at + 8 :]


def changed(old: bytes, new: bytes) -> bytes:
    """Return an AVIF with one byte sequence replaced by another of the same length."""
    assert old in PLAIN
    assert len(old) == len(new)
    return PLAIN.replace(old, new, 1)


@cache
def animation(frames: int) -> bytes:
    """Return an animation of this number of small frames."""
    shades = [Image.new("RGB", (16, 16), (255, shade % 256, shade // 256)) for shade in range(frames)]
    return pictures.a_file(
        ContentType.AVIF, shades[0], save_all=True, append_images=shades[1:], duration=10, speed=10, quality=1
    )


def turned(orientation: int) -> bytes:
    """Return a picture with `irot` and `imir` boxes, which Pillow writes for an EXIF orientation."""
    file = pictures.an_avif(64, 48, exif=pictures.exif(orientation))
    assert (b"irot" in file or b"imir" in file) == (orientation != 1)
    return file


def with_exif(exif: bytes) -> bytes:
    """Return an AVIF with its EXIF data replaced by these, valid or not."""
    filler = bytes(max(0, len(exif) - 6)) if len(exif) > 6 else b""
    written = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + filler
    file = pictures.an_avif(64, 48, exif=written)
    at = file.rindex(written[6:])
    return file[:at] + exif.ljust(len(written) - 6, b"\0") + file[at + len(written) - 6 :]


def ten_bits() -> bytes:
    """Return a grey picture with 10 bits per channel, which Pillow reads but cannot write."""
    frame = bytes.fromhex("0a0b02000005157ffc4af94040320c1000e38231c5860300009880")
    size, depths = box(b"ispe", bytes(4), struct.pack("!II", 64, 64)), box(b"pixi", bytes(4), b"\x03\x0a\x0a\x0a")
    properties = box(b"ipco", size, depths, box(b"av1C", bytes.fromhex("81004c00")))
    of_the_item = box(b"ipma", bytes(4), struct.pack("!IHB", 1, 1, 3), b"\x01\x02\x83")
    start = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")

    def described(at: int) -> bytes:
        return box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", bytes(4), b"\0\x01"),
            box(b"iloc", bytes(4), b"\x44\0\0\x01\0\x01\0\0\0\x01", struct.pack("!II", at, len(frame))),
            box(b"iinf", bytes(4), b"\0\x01", box(b"infe", b"\x02\0\0\0\0\x01\0\0av01\0")),
            box(b"iprp", properties, of_the_item),
        )

    return start + described(len(start) + len(described(0)) + 8) + box(b"mdat", frame)


P3 = pictures.a_display_p3_profile()

AVIFS: Samples = {
    "plain": Sample(lambda: PLAIN, size=(64, 48)),
    "4:4:4": Sample(lambda: pictures.an_avif(64, 48, subsampling="4:4:4")),
    "4:2:2": Sample(lambda: pictures.an_avif(64, 48, subsampling="4:2:2")),
    "4:0:0": Sample(lambda: pictures.an_avif(64, 48, subsampling="4:0:0")),
    "full range": Sample(lambda: pictures.an_avif(64, 48, range="full")),
    "limited range": Sample(lambda: pictures.an_avif(64, 48, range="limited")),
    "tiles": Sample(lambda: pictures.an_avif(640, 480, tile_rows=2, tile_cols=2), size=(640, 480)),
    "10 bits": Sample(ten_bits, size=(64, 64)),
    "transparent": Sample(lambda: pictures.an_avif(64, 48, "RGBA")),
    "grey, transparent": Sample(lambda: pictures.an_avif(64, 48, "LA")),
    "an animation": Sample(lambda: pictures.an_animation(ContentType.AVIF), size=(320, 240)),
    "300 frames": Sample(lambda: animation(300), size=(16, 16)),
    **{
        f"the brand {brand}": Sample(partial(changed, b"ftypavif", b"ftyp" + brand.encode()))
        for brand in ("mif1", "miaf", "avio", "heic", "none")
    },
    **{
        f"colours {primaries}/{transfer}": Sample(partial(pictures.an_avif_in, primaries, transfer))
        for primaries, transfer in ((9, 16), (9, 18), (12, 13), (1, 8), (65_535, 65_535))
    },
    "XMP that turns it": Sample(lambda: pictures.an_avif(64, 48, xmp=TURNING_XMP), size=(64, 48)),
    "only a sequence by its brand": Sample(lambda: PLAIN[:8] + b"avis" + PLAIN[12:], Reason.CORRUPT),
    "flood of 65,500²": Sample(lambda: claiming(65_500, 65_500), Reason.CORRUPT),
    "flood of 2^32²": Sample(lambda: claiming(2**32 - 1, 2**32 - 1), Reason.CORRUPT),
    "flood of 16,384²": Sample(lambda: claiming(16_384, 16_384), Reason.TOO_MANY_PIXELS),
    "just over the cap": Sample(lambda: claiming(5_001, 5_000), Reason.TOO_MANY_PIXELS),
    "claims more than it holds": Sample(lambda: claiming(640, 480), size=(640, 480)),
    "claims less than it holds": Sample(lambda: claiming(32, 24), size=(32, 24)),
    "no width": Sample(lambda: claiming(0, 48), Reason.CORRUPT),
    "12000 x 16": Sample(lambda: pictures.an_avif(12_000, 16), size=(12_000, 16)),
    "1 x 1200": Sample(lambda: pictures.an_avif(1, 1_200), size=(1, 1_200)),
    "1 x 1": Sample(lambda: pictures.an_avif(1, 1), size=(1, 1)),
    "no pixels": Sample(lambda: PLAIN[: PLAIN.index(b"mdat") + 4], Reason.CORRUPT),
    "no boxes but the first": Sample(lambda: PLAIN[:32], Reason.CORRUPT),
    "pixels of rubbish": Sample(lambda: PLAIN[: PLAIN.index(b"mdat") + 4] + b"\x55" * 400, Reason.CORRUPT),
    "data that lie beyond the end": Sample(lambda: changed(b"mdat", b"free")[:-30], Reason.CORRUPT),
    "boxes that claim to be longer": Sample(
        lambda: changed(b"\x00\x00\x00\x28iinf", b"\x7f\xff\xff\xffiinf"), Reason.CORRUPT
    ),
    "boxes that claim to be nothing": Sample(
        lambda: changed(b"\x00\x00\x00\x28iinf", b"\x00\x00\x00\x07iinf"), Reason.CORRUPT
    ),
    "an unknown codec": Sample(lambda: changed(b"av01Color", b"hvc1Color"), Reason.CORRUPT),
    "no codec settings": Sample(lambda: changed(b"av1C", b"free"), Reason.CORRUPT),
    "junk behind it": Sample(lambda: PLAIN + b"junk" * 99),
    "boxes unknown to everybody": Sample(lambda: PLAIN + box(b"teSt", b"mine")),
    "100,000 unknown boxes": Sample(lambda: PLAIN + box(b"teSt") * 100_000),
    "50,000 boxes in each other": Sample(
        lambda: PLAIN[:32] + b"".join(struct.pack("!I4s", 8 * deep, b"meta") for deep in range(50_000, 0, -1)),
        Reason.CORRUPT,
    ),
    "XMP": Sample(lambda: pictures.an_avif(64, 48, xmp=b"<x:xmpmeta>mine</x:xmpmeta>")),
    "script behind it": Sample(lambda: PLAIN + box(b"free", SCRIPT)),
    "Display P3": Sample(lambda: pictures.an_avif(64, 48, icc_profile=P3)),
    "a profile cut short": Sample(lambda: pictures.an_avif(64, 48, icc_profile=P3[:200])),
    **{
        f"turned as by orientation {number}": Sample(
            partial(turned, number),
            size=(48, 64) if number in {5, 6, 7, 8} else (64, 48),
        )
        for number in range(1, 9)
    },
    **{
        f"EXIF: {name}": Sample(partial(with_exif, data), READY if data else Reason.CORRUPT)
        for name, data in EXIF.items()
    },
}
