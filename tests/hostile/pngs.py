"""Hostile and unusual PNG files."""

import struct
import zlib
from functools import partial

import numpy as np
from PIL import PngImagePlugin

from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason
from profile_media.domain.policy import MAX_PNG_CHUNKS
from tests import pictures
from tests.hostile.parts import ARCHIVE, EXIF, ORIENTATIONS, SCRIPT, TURNING_XMP, Sample, Samples, chunk, oriented

SIGNATURE = b"\x89PNG\r\n\x1a\n"
IEND = chunk(b"IEND")
PLAIN = pictures.a_png(64, 48)
GREY, PALETTE = 0, 3


def header(width: int, height: int, depth: int = 8, colour: int = GREY, interlaced: int = 0) -> bytes:
    """Return the header chunk."""
    return chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def png(*chunks: bytes) -> bytes:
    """Return a file of these chunks."""
    return SIGNATURE + b"".join(chunks) + IEND


def having(*chunks: bytes) -> bytes:
    """Return a valid picture with more chunks after its header."""
    return PLAIN[:33] + b"".join(chunks) + PLAIN[33:]


def with_exif(exif: bytes) -> bytes:
    """Return a PNG with this EXIF data, valid or not."""
    return having(chunk(b"eXIf", exif))


def rows(width: int, height: int) -> bytes:
    """Return the compressed pixel data of a plain grey picture."""
    return zlib.compress((b"\0" + b"\x80" * width) * height, 1)


def interlaced() -> bytes:
    """Return an interlaced picture (Adam7), which Pillow reads but cannot write."""
    grey = np.asarray(pictures.a_picture(64, 48, "L"))
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    lines = (b"\0" + line.tobytes() for x, y, across, down in passes for line in grey[y::down, x::across])
    return png(header(64, 48, interlaced=1), chunk(b"IDAT", zlib.compress(b"".join(lines))))


def inflating(name: bytes, before: bytes) -> bytes:
    """Return a chunk of a few kilobytes that decompresses to 64 MiB."""
    compress = zlib.compressobj(9)
    zeros = bytes(1 << 20)
    return chunk(name, before + b"".join(compress.compress(zeros) for _ in range(64)) + compress.flush())


def endless_data() -> bytes:
    """Return 100 x 100 pixels, followed by 5 GiB of zeros compressed into 5 MB."""
    block = _flushed(bytes(1 << 20))
    return png(header(100, 100), chunk(b"IDAT", b"\x78\x01" + block * 5 * 1024))


def _flushed(data: bytes) -> bytes:
    """Compress data into a block that can be repeated."""
    compress = zlib.compressobj(9, wbits=-15)
    return compress.compress(data) + compress.flush(zlib.Z_FULL_FLUSH)


def animation(frames: int) -> bytes:
    """Return an APNG of this number of frames. All but the first have one pixel."""
    control = struct.Struct("!IIIIIHHBB")
    parts = [header(64, 48), chunk(b"acTL", struct.pack("!II", frames, 0))]
    parts += [chunk(b"fcTL", control.pack(0, 64, 48, 0, 0, 1, 10, 0, 0)), chunk(b"IDAT", rows(64, 48))]
    pixel = rows(1, 1)
    for at in range(1, 2 * frames - 2, 2):
        parts.append(chunk(b"fcTL", control.pack(at, 1, 1, 0, 0, 1, 10, 0, 0)))
        parts.append(chunk(b"fdAT", struct.pack("!I", at + 1) + pixel))
    return png(*parts)


def see_through(mode: str, transparency: int | bytes | tuple[int, int, int]) -> bytes:
    """Return a picture with transparent colours."""
    return pictures.a_png(64, 48, mode, transparency=transparency)


def deep_colour() -> bytes:
    """Return a picture with 16 bits per channel."""
    colours = np.asarray(pictures.a_picture(64, 48)).astype(">u2") * 257
    lines = b"".join(b"\0" + line.tobytes() for line in colours)
    return png(header(64, 48, 16, 2), chunk(b"IDAT", zlib.compress(lines)))


def described() -> bytes:
    """Return a picture with all kinds of text chunks."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "mine")
    texts.add_text("Software", "mine " * 99, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>mine</x:xmpmeta>")
    return pictures.a_png(64, 48, pnginfo=texts)


def _data() -> bytes:
    """Return the compressed pixels of the plain picture."""
    at = PLAIN.index(b"IDAT")
    return PLAIN[at + 4 : at + 4 + int.from_bytes(PLAIN[at - 4 : at])]


def cut_up(length: int) -> bytes:
    """Return the plain picture with its data in chunks of this length."""
    data = _data()
    parts = (chunk(b"IDAT", data[at : at + length]) for at in range(0, len(data), length))
    return PLAIN[:33] + b"".join(parts) + IEND


def flawed_data() -> bytes:
    """Return the plain picture with a wrong checksum of its data."""
    return PLAIN[:33] + chunk(b"IDAT", _data(), flaw=1) + IEND


P3 = pictures.a_display_p3_profile()

CODING: Samples = {
    "colour": Sample(lambda: PLAIN, size=(64, 48)),
    **{mode: Sample(partial(pictures.a_png, 64, 48, mode)) for mode in ("1", "L", "LA", "P", "RGBA", "I;16")},
    "16 bits a channel": Sample(deep_colour),
    "grey of 2 bits": Sample(lambda: png(header(64, 48, 2), chunk(b"IDAT", rows(16, 48)))),
    "grey, one shade transparent": Sample(lambda: see_through("L", 77)),
    "colour, one transparent": Sample(lambda: see_through("RGB", (60, 40, 200))),
    "palette, one transparent": Sample(lambda: see_through("P", 3)),
    "palette, many transparent": Sample(lambda: see_through("P", bytes(range(128)))),
    "black and white, white transparent": Sample(lambda: see_through("1", 1)),
    "transparency of rubbish": Sample(lambda: having(chunk(b"tRNS", b"\0"))),
    "interlaced": Sample(interlaced),
    "a palette too short": Sample(
        lambda: png(header(64, 48, 8, PALETTE), chunk(b"PLTE", b"\xff\0\0"), chunk(b"IDAT", rows(64, 48)))
    ),
    "no palette": Sample(lambda: png(header(64, 48, 8, PALETTE), chunk(b"IDAT", rows(64, 48))), Reason.CORRUPT),
    "a depth there is not": Sample(lambda: png(header(64, 48, 3), chunk(b"IDAT", rows(64, 48))), Reason.CORRUPT),
    "gamma, primaries and intent": Sample(
        lambda: having(chunk(b"gAMA", struct.pack("!I", 45455)), chunk(b"cHRM", bytes(32)), chunk(b"sRGB", b"\0"))
    ),
    "chunks unknown to everybody": Sample(lambda: having(chunk(b"teSt", b"mine"), chunk(b"prVt", bytes(5000)))),
    "Apple's own chunk": Sample(lambda: having(chunk(b"iDOT", bytes(28)))),
    "many small chunks of data": Sample(lambda: cut_up(16)),
    "one byte in each chunk of data": Sample(lambda: cut_up(1)),
    "junk behind it": Sample(lambda: PLAIN + b"junk" * 99),
    "no end chunk": Sample(lambda: PLAIN[:-12]),  # all its pixels are there
    "an end chunk of wrong checksum": Sample(lambda: PLAIN[:-12] + chunk(b"IEND", flaw=1)),
    "data of wrong checksum": Sample(flawed_data),  # all its pixels are there
    **{
        f"{name.decode()} of wrong checksum": Sample(partial(having, chunk(name, bytes(4), flaw=1)))
        for name in (b"tEXt", b"iCCP", b"gAMA", b"eXIf", b"tRNS", b"tIME")
    },
    **{
        f"{name.decode()} of wrong length": Sample(partial(having, chunk(name, b"\0")))
        for name in (b"gAMA", b"cHRM", b"pHYs", b"cICP", b"acTL", b"fcTL", b"eXIf")
    },
    "a name of control characters": Sample(lambda: having(chunk(b"t\1\0\2", b"mine"))),
    "text longer than the file": Sample(lambda: PLAIN[:-12] + b"\x7f\xff\xff\xfftEXta\0b"),
    "text that swallows the data": Sample(lambda: PLAIN[:33] + b"\0\1\0\0tEXt" + PLAIN[33:], Reason.CORRUPT),
    "a header of wrong checksum": Sample(lambda: SIGNATURE + header(64, 48)[:-1] + b"\0" + PLAIN[33:], Reason.CORRUPT),
    "no data": Sample(lambda: png(header(64, 48)), Reason.CORRUPT),
    "no header": Sample(lambda: SIGNATURE + PLAIN[33:], Reason.CORRUPT),
}

BOMBS: Samples = {
    "10,000 frames": Sample(lambda: animation(10_000)),
    "an animation": Sample(lambda: pictures.an_animation(ContentType.PNG), size=(320, 240)),
    "an animation that lies": Sample(lambda: having(chunk(b"acTL", struct.pack("!II", 0xFFFFFFFF, 0)))),
    "5 GiB behind 100 x 100": Sample(endless_data, cpu_ms=1_000, size=(100, 100)),
    "1 GiB of data claimed": Sample(lambda: PLAIN[:33] + b"\x3f\xff\xff\xffIDAT" + PLAIN[41:]),
    "64 MiB of text in a little": Sample(lambda: having(inflating(b"zTXt", b"bomb\0\0"))),
    "64 MiB of text in a little, international": Sample(lambda: having(inflating(b"iTXt", b"bomb\0\x01\0\0\0"))),
    "64 MiB of profile in a little": Sample(lambda: having(inflating(b"iCCP", b"bomb\0\0"))),
    "3 MB of text": Sample(lambda: having(chunk(b"tEXt", b"x\0" + b"y" * 3_000_000))),
    "70 MB of text in parts": Sample(lambda: having(*[chunk(b"tEXt", b"x\0" + b"y" * 1_000_000)] * 9)),
    "50 MB of text": Sample(lambda: having(*[chunk(b"tEXt", b"x\0" + b"y" * 1_000_000)] * 50)),
    "50 MB of checksums": Sample(lambda: having(*[chunk(b"eXIf", bytes(1_000_000))] * 50)),
    "100,000 texts": Sample(lambda: having(chunk(b"tEXt", b"a\0b") * 100_000), Reason.TOO_COMPLEX),
    "as many texts as may be": Sample(lambda: having(chunk(b"tEXt", b"a\0b") * (MAX_PNG_CHUNKS - 9))),
    "800,000 empty chunks": Sample(lambda: having(chunk(b"teSt") * 800_000), Reason.TOO_COMPLEX),
    "800,000 empty chunks behind": Sample(lambda: PLAIN[:-12] + chunk(b"teSt") * 800_000 + IEND, Reason.TOO_COMPLEX),
    "800,000 chunks of no data": Sample(lambda: having(chunk(b"IDAT") * 800_000), Reason.TOO_COMPLEX),
}

SIZES: Samples = {
    "flood of 65,500²": Sample(lambda: pictures.a_png_claiming(65_500, 65_500), Reason.TOO_MANY_PIXELS),
    "flood of 2^31²": Sample(lambda: pictures.a_png_claiming(2**31 - 1, 2**31 - 1), Reason.TOO_MANY_PIXELS),
    "flood of 2^32²": Sample(lambda: pictures.a_png_claiming(2**32 - 1, 2**32 - 1), Reason.TOO_MANY_PIXELS),
    "just over the cap": Sample(lambda: pictures.a_png_claiming(5_001, 5_000), Reason.TOO_MANY_PIXELS),
    "claims more than it holds": Sample(lambda: png(header(64, 480), chunk(b"IDAT", rows(64, 48))), size=(64, 480)),
    "holds more than it claims": Sample(lambda: png(header(64, 24), chunk(b"IDAT", rows(64, 48))), size=(64, 24)),
    "claims the cap and holds nothing": Sample(lambda: pictures.a_png_claiming(5_000, 5_000), Reason.CORRUPT),
    "no width": Sample(lambda: png(header(0, 48), chunk(b"IDAT", rows(0, 48))), Reason.CORRUPT),
    "12000 x 16": Sample(lambda: pictures.a_png(12_000, 16), size=(12_000, 16)),
    "16 x 12000": Sample(lambda: pictures.a_png(16, 12_000), size=(16, 12_000)),
    "12000 x 1": Sample(lambda: pictures.a_png(12_000, 1), size=(12_000, 1)),
    "1 x 30000": Sample(lambda: pictures.a_png(1, 30_000), size=(1, 30_000)),
    "30001 x 1": Sample(lambda: pictures.a_png(30_001, 1), Reason.TOO_MANY_PIXELS),
    "1 x 1": Sample(lambda: pictures.a_png(1, 1), size=(1, 1)),
}

METADATA: Samples = {
    **{
        f"orientation {number}": Sample(
            partial(with_exif, oriented(number)),
            size=(48, 64) if number in {5, 6, 7, 8} else (64, 48),
        )
        for number in ORIENTATIONS
    },
    **{f"EXIF: {name}": Sample(partial(with_exif, data)) for name, data in EXIF.items()},
    "text of every kind": Sample(described),
    "Display P3": Sample(lambda: pictures.a_png(64, 48, icc_profile=P3)),
    "a profile cut short": Sample(lambda: pictures.a_png(64, 48, icc_profile=P3[:200])),
    "a profile that does not inflate": Sample(lambda: having(chunk(b"iCCP", b"bomb\0\0" + bytes(10)))),
    "a profile of nothing": Sample(lambda: having(chunk(b"iCCP", b""))),
    "a profile of unknown compression": Sample(lambda: having(chunk(b"iCCP", b"x\0\1" + zlib.compress(P3)))),
    **{
        f"gamma {gamma}": Sample(partial(having, chunk(b"gAMA", struct.pack("!I", gamma))))
        for gamma in (0, 1, 22_727, 100_000, 2**32 - 1)
    },
    **{
        f"colours {primaries}/{transfer}": Sample(partial(having, chunk(b"cICP", bytes((primaries, transfer, 0, 1)))))
        for primaries, transfer in ((9, 16), (9, 18), (12, 13), (255, 255))
    },
    "XMP that turns it": Sample(
        lambda: having(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + TURNING_XMP)), size=(64, 48)
    ),
}

POLYGLOTS: Samples = {
    "script in its text": Sample(lambda: having(chunk(b"tEXt", b"Comment\0" + SCRIPT))),
    "script in its data": Sample(
        lambda: png(header(64, 48), chunk(b"IDAT", zlib.compress((b"\0" + SCRIPT + b"\x80" * 39) * 48, 0)))
    ),
    "script in its palette": Sample(
        lambda: png(header(64, 48, 8, PALETTE), chunk(b"PLTE", SCRIPT + b"//"), chunk(b"IDAT", rows(64, 48)))
    ),
    "ZIP behind it": Sample(lambda: PLAIN + ARCHIVE),
}

PNGS: Samples = {**CODING, **BOMBS, **SIZES, **METADATA, **POLYGLOTS}
