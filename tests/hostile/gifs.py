"""Hostile and unusual GIF files."""

import struct

from PIL import Image

from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason
from tests import pictures
from tests.hostile.parts import ARCHIVE, SCRIPT, Sample, Samples

PLAIN = pictures.a_gif(64, 48)
PALETTE = b"\0\0\0\xff\xff\xff"
XMP = b"\x21\xff\x0bXMP DataXMP<x>mine</x>\x01" + bytes(range(255, -1, -1)) + b"\0"
"""XMP is not in blocks. The descending bytes after it lead a block reader to the terminator."""

_SCREEN = 13
_END = b"\x3b"
_PIXEL = b"\x02\x02\x4c\x01\0"


def screen(width: int, height: int) -> bytes:
    """Return the start of a GIF with two colours."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + PALETTE


def frame(left: int, top: int, width: int, height: int, data: bytes) -> bytes:
    """Return one picture on the screen."""
    return b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0) + data


def blocks(data: bytes, length: int = 255) -> bytes:
    """Return the data in GIF's sub-blocks."""
    cut = (data[at : at + length] for at in range(0, len(data), length))
    return b"".join(bytes([len(block)]) + block for block in cut) + b"\0"


def grey(width: int, height: int) -> bytes:
    """Return the data of a plain picture: codes of 3 bits, reset before they would grow."""
    codes = [4, 0, 0] * ((width * height + 1) // 2) + [5]
    number = sum(code << (3 * at) for at, code in enumerate(codes))
    return b"\x02" + blocks(number.to_bytes((3 * len(codes) + 7) // 8, "little"))


def having(*extensions: bytes) -> bytes:
    """Return a valid picture with extensions before it."""
    at = _SCREEN + 3 * (2 << (PLAIN[10] & 7))
    return PLAIN[:at] + b"".join(extensions) + PLAIN[at:]


def comment(text: bytes, length: int = 255) -> bytes:
    """Return a comment in sub-blocks of this length."""
    return b"\x21\xfe" + blocks(text, length)


def transparent() -> bytes:
    """Return a picture whose left half is transparent."""
    picture = Image.new("P", (64, 48), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.paste(1, (32, 0, 64, 48))
    return pictures.a_file(ContentType.GIF, picture, transparency=0)


def archive_in_its_comment() -> bytes:
    """Return a GIFAR: a picture at the start and a ZIP file, which Java ran, at the end."""
    return PLAIN[:-1] + comment(ARCHIVE) + _END + ARCHIVE


def script() -> bytes:
    """Return a GIF that is valid JavaScript: its width opens a script comment, which the GIF comment closes."""
    opens = struct.unpack("<H", b"/*")[0]
    return screen(opens, 48) + frame(0, 0, 64, 48, grey(64, 48)) + comment(b"*/=alert(1);//") + _END


GIFS: Samples = {
    "plain": Sample(lambda: PLAIN, size=(64, 48)),
    "of 1987": Sample(lambda: b"GIF87a" + PLAIN[6:]),
    "in two colours": Sample(lambda: screen(64, 48) + frame(0, 0, 64, 48, grey(64, 48)) + _END),
    "transparent": Sample(transparent),
    "interlaced": Sample(lambda: pictures.a_gif(64, 48, interlace=1)),
    "not interlaced": Sample(lambda: pictures.a_gif(64, 48, interlace=0)),
    "grey": Sample(lambda: pictures.a_file(ContentType.GIF, pictures.a_picture(64, 48, "L"))),
    "an animation": Sample(lambda: pictures.an_animation(ContentType.GIF), size=(320, 240)),
    "a comment": Sample(lambda: having(comment(b"mine"))),
    "extensions unknown to everybody": Sample(
        lambda: having(b"\x21\x42" + blocks(b"mine"), b"\x21\x01" + blocks(b"text"))
    ),
    "an endless loop and XMP": Sample(lambda: having(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0", XMP)),
    "no end mark": Sample(lambda: PLAIN[:-1]),  # all its pixels are there
    "junk behind it": Sample(lambda: PLAIN + b"junk" * 99),
    "no colours": Sample(lambda: b"GIF89a\x40\0\x30\0\0\0\0" + frame(0, 0, 64, 48, grey(64, 48)) + _END),
    "no picture": Sample(lambda: screen(64, 48) + _END, Reason.CORRUPT),
    "codes too wide": Sample(
        lambda: screen(64, 48) + frame(0, 0, 64, 48, b"\x0d" + grey(64, 48)[1:]) + _END, Reason.CORRUPT
    ),
    "codes of nothing": Sample(lambda: screen(64, 48) + frame(0, 0, 64, 48, b"\0" + grey(64, 48)[1:]) + _END),
    "a frame larger than the screen": Sample(
        lambda: screen(32, 24) + frame(0, 0, 64, 48, grey(64, 48)) + _END, size=(64, 48)
    ),
    "a frame outside the screen": Sample(
        lambda: screen(64, 48) + frame(100, 100, 16, 16, grey(16, 16)) + _END, size=(116, 116)
    ),
    "a small frame on a large screen": Sample(
        lambda: screen(640, 480) + frame(9, 9, 16, 16, grey(16, 16)) + _END, size=(640, 480)
    ),
    "a tiny frame on a huge screen": Sample(
        lambda: screen(65_535, 65_535) + frame(0, 0, 16, 16, grey(16, 16)) + _END, Reason.TOO_MANY_PIXELS
    ),
    "a huge frame on a tiny screen": Sample(
        lambda: screen(16, 16) + frame(0, 0, 65_535, 65_535, _PIXEL) + _END, Reason.TOO_MANY_PIXELS
    ),
    "a huge frame far out": Sample(
        lambda: screen(16, 16) + frame(65_535, 65_535, 1, 1, _PIXEL) + _END, Reason.TOO_MANY_PIXELS
    ),
    "flood of 65,535²": Sample(lambda: pictures.a_gif_claiming(65_535, 65_535), Reason.TOO_MANY_PIXELS),
    "just over the cap": Sample(lambda: pictures.a_gif_claiming(5_001, 5_000), Reason.TOO_MANY_PIXELS),
    "claims the cap and holds one pixel": Sample(lambda: pictures.a_gif_claiming(5_000, 5_000), Reason.CORRUPT),
    "16 x 12000": Sample(lambda: pictures.a_gif(16, 12_000), size=(16, 12_000)),
    "12000 x 1": Sample(lambda: pictures.a_gif(12_000, 1), size=(12_000, 1)),
    "a side over the cap": Sample(lambda: pictures.a_gif_claiming(30_001, 16), Reason.TOO_MANY_PIXELS),
    "1 x 1": Sample(lambda: pictures.a_gif(1, 1), size=(1, 1)),
    "no width": Sample(lambda: screen(0, 48) + _END, Reason.CORRUPT),
    "300,000 frames": Sample(lambda: PLAIN[:-1] + frame(0, 0, 1, 1, _PIXEL) * 300_000 + _END, size=(64, 48)),
    "50 MB of frames": Sample(lambda: PLAIN[:-1] + frame(0, 0, 1, 1, _PIXEL) * 3_200_000 + _END, size=(64, 48)),
    "a comment of a million blocks": Sample(lambda: having(b"\x21\xfe" + b"\x01a" * 1_000_000 + b"\0")),
    "200,000 comments": Sample(lambda: having(b"\x21\xfe\x01a\0" * 200_000)),
    "a megabyte of nothing": Sample(lambda: having(bytes(1_000_000))),
    "ZIP in its comment and behind it": Sample(archive_in_its_comment),
    "a script too": Sample(script, size=(struct.unpack("<H", b"/*")[0], 48)),
    "HTML in its comment": Sample(lambda: having(comment(SCRIPT))),
}
