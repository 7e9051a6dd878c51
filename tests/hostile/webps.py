"""Hostile and unusual WebP files."""

import struct
from functools import partial

from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason
from tests import pictures
from tests.hostile.parts import EXIF, ORIENTATIONS, SCRIPT, TURNING_XMP, Sample, Samples, oriented, riff, riff_chunk

PLAIN = pictures.a_webp(64, 48)
LOSSLESS = pictures.a_webp(64, 48, lossless=True)
PROFILED, ALPHA, DESCRIBED, TOLD, ANIMATED = 0x20, 0x10, 0x08, 0x04, 0x02
"""Flags of the extended header: colour profile, transparency, EXIF, XMP, animation."""

_PIXELS = LOSSLESS[12:]


def extended(flags: int, width: int = 64, height: int = 48) -> bytes:
    """Return the extended header."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides)


def frame(width: int = 64, height: int = 48, pixels: bytes = _PIXELS) -> bytes:
    """Return one frame of an animation, in the top left corner."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff_chunk(b"ANMF", bytes(6) + sides + bytes(4) + pixels)


def animation(*frames: bytes, width: int = 64, height: int = 48) -> bytes:
    """Return an animation on a canvas."""
    return riff(extended(ANIMATED, width, height), riff_chunk(b"ANIM", bytes(6)), *frames)


def claiming(width: int, height: int) -> bytes:
    """Return a lossy file with a false size in its frame header."""
    at = PLAIN.index(b"\x9d\x01\x2a") + 3
    return PLAIN[:at] + struct.pack("<HH", width, height) + PLAIN[at + 4 :]


def with_exif(exif: bytes) -> bytes:
    """Return a WebP with this EXIF data, valid or not."""
    return riff(extended(DESCRIBED), _PIXELS, riff_chunk(b"EXIF", exif))


def _pixel() -> bytes:
    return pictures.a_webp(1, 1, lossless=True)[12:]


P3 = pictures.a_display_p3_profile()

WEBPS: Samples = {
    "lossy": Sample(lambda: PLAIN, size=(64, 48)),
    "lossless": Sample(lambda: LOSSLESS),
    "lossy, transparent": Sample(lambda: pictures.a_webp(64, 48, "RGBA")),
    "lossless, transparent": Sample(lambda: pictures.a_webp(64, 48, "RGBA", lossless=True)),
    "an animation": Sample(lambda: pictures.an_animation(ContentType.WEBP), size=(320, 240)),
    "an animation of one frame": Sample(lambda: animation(frame())),
    "an animation of no frame": Sample(animation, Reason.CORRUPT),
    "a small frame on a large canvas": Sample(lambda: animation(frame(), width=640, height=480), size=(640, 480)),
    "a tiny frame on a huge canvas": Sample(
        lambda: animation(frame(), width=16_384, height=16_384), Reason.TOO_MANY_PIXELS
    ),
    "a frame larger than its canvas": Sample(lambda: animation(frame(), width=32, height=24), Reason.CORRUPT),
    "10,000 frames": Sample(lambda: animation(frame(), frame(1, 1, _pixel()) * 10_000)),
    "flood of 16,384², lossless": Sample(lambda: pictures.a_webp_claiming(16_384, 16_384), Reason.TOO_MANY_PIXELS),
    "flood of 16,383², lossy": Sample(lambda: claiming(16_383, 16_383), Reason.TOO_MANY_PIXELS),
    "flood of 2^24², by its header": Sample(lambda: riff(extended(0, 2**24, 2**24), _PIXELS), Reason.TOO_MANY_PIXELS),
    "just over the cap": Sample(lambda: pictures.a_webp_claiming(5_001, 5_000), Reason.TOO_MANY_PIXELS),
    "claims more than it holds": Sample(lambda: claiming(640, 480), Reason.CORRUPT),
    "a header of another size": Sample(lambda: riff(extended(0, 640, 480), _PIXELS), Reason.CORRUPT),
    "12000 x 16": Sample(lambda: pictures.a_webp(12_000, 16), size=(12_000, 16)),
    "1 x 12000": Sample(lambda: pictures.a_webp(1, 12_000), size=(1, 12_000)),
    "1 x 1": Sample(lambda: pictures.a_webp(1, 1), size=(1, 1)),
    "XMP": Sample(lambda: pictures.a_webp(64, 48, xmp=b"<x:xmpmeta>mine</x:xmpmeta>")),
    "Display P3": Sample(lambda: pictures.a_webp(64, 48, icc_profile=P3)),
    "a profile cut short": Sample(lambda: pictures.a_webp(64, 48, icc_profile=P3[:200])),
    "flags of what is not there": Sample(lambda: riff(extended(PROFILED | DESCRIBED | TOLD | ALPHA), _PIXELS)),
    "chunks unknown to everybody": Sample(lambda: riff(extended(0), _PIXELS, riff_chunk(b"teSt", b"mine"))),
    "50 MB of unknown chunks": Sample(lambda: riff(extended(0), _PIXELS, riff_chunk(b"teSt", b"") * 6_000_000)),
    "100,000 unknown chunks": Sample(lambda: riff(extended(0), _PIXELS, riff_chunk(b"teSt", b"") * 100_000)),
    "XMP that turns it": Sample(lambda: pictures.a_webp(64, 48, xmp=TURNING_XMP), size=(64, 48)),
    "junk behind it": Sample(lambda: PLAIN + b"junk" * 99),
    "claims to be longer": Sample(lambda: PLAIN[:4] + struct.pack("<I", len(PLAIN) + 50) + PLAIN[8:], Reason.CORRUPT),
    "a chunk that claims to be longer": Sample(
        lambda: PLAIN[:16] + struct.pack("<I", 0x7FFFFFFE) + PLAIN[20:], Reason.CORRUPT
    ),
    "no pixels": Sample(lambda: riff(extended(0)), Reason.CORRUPT),
    "script behind it": Sample(lambda: PLAIN + SCRIPT),
    "script as a chunk": Sample(lambda: riff(extended(TOLD), _PIXELS, riff_chunk(b"XMP ", SCRIPT))),
    **{
        f"orientation {number}": Sample(
            partial(with_exif, oriented(number)),
            size=(48, 64) if number in {5, 6, 7, 8} else (64, 48),
        )
        for number in ORIENTATIONS
    },
    **{f"EXIF: {name}": Sample(partial(with_exif, data)) for name, data in EXIF.items()},
}
