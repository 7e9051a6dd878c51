"""The description of one generated file, and the smallest parts of each format."""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from profile_media.domain.model import Reason

READY = None
"""The expected rejection reason of a file that must be accepted."""

CPU_MS = 5_000
"""The documented limit per file. Generated files take less than a tenth of it, so it holds on a busy machine."""

PEAK_MIB = 1_024


@dataclass(frozen=True, slots=True)
class Sample:
    """How to make a file, and the expected result."""

    make: Callable[[], bytes]
    expected: Reason | None = READY
    cpu_ms: int = CPU_MS
    """CPU time of parent and child together. It is less for a file with data that must not be read to the end."""
    size: tuple[int, int] | None = None
    """Width and height of the upright picture; None if the test does not check it."""


type Samples = Mapping[str, Sample]


def segment(code: int, data: bytes = b"") -> bytes:
    """Return a JPEG segment."""
    return struct.pack("!BBH", 0xFF, code, len(data) + 2) + data


def chunk(name: bytes, data: bytes = b"", flaw: int = 0) -> bytes:
    """Return a PNG chunk, with a wrong checksum if `flaw` is not 0."""
    return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data) ^ flaw)


def riff(*chunks: bytes) -> bytes:
    """Return a WebP file."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(name: bytes, data: bytes) -> bytes:
    """Return a WebP chunk, padded to even length."""
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def box(name: bytes, *parts: bytes) -> bytes:
    """Return a box of the ISO base media format, which AVIF, HEIC and MP4 use."""
    data = b"".join(parts)
    return struct.pack("!I", len(data) + 8) + name + data


def tiff(*entries: tuple[int, int, int, bytes], following: int = 0) -> bytes:
    """Return EXIF data of one directory: tags, types, counts, and values or offsets, little-endian."""
    table = b"".join(
        struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0") for tag, kind, count, value in entries
    )
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + table + struct.pack("<I", following)


def oriented(orientation: int) -> bytes:
    """Return EXIF data with an orientation and nothing else."""
    return tiff((0x0112, 3, 1, struct.pack("<H", orientation)))


ORIENTATIONS = (*range(10), 65535)

EXIF: Mapping[str, bytes] = {
    "nothing": b"",
    "a directory that follows itself": tiff((0x0112, 3, 1, b"\x01\0"), following=8),
    "a directory inside itself": tiff((0x8769, 4, 1, b"\x08\0\0\0"), (0x8825, 4, 1, b"\x08\0\0\0")),
    "a directory beyond the end": b"II*\0\xff\xff\xff\xff",
    "counts of billions": tiff(*((tag, 2, 0xFFFFFFFF, b"\x08\0\0\0") for tag in (0x010E, 0x010F, 0x0112, 0x9286))),
    "rationals over nothing": tiff((0x011A, 5, 1, b"\x1a\0\0\0"), (0x011B, 5, 9999, b"\x1a\0\0\0")),
    "65,535 entries of which few are there": b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" * 40,
    "orientation as text": tiff((0x0112, 2, 4, b"six\0")),
    "orientation as many": tiff((0x0112, 3, 2, b"\x01\0\x06\0")),
    "unknown types": tiff((0x0112, 99, 1, b"\x06\0")),
    "a maker's note of rubbish": tiff((0x927C, 7, 8, b"\x08\0\0\0")),
    "php": tiff((0x010E, 2, 24, b"\x1a\0\0\0")) + b"<?php system($_GET[0]);?>",
}
"""Invalid or unusual EXIF data for which a picture must not be rejected. None of it has a valid orientation."""

TURNING_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><d tiff:Orientation="6"/></x:xmpmeta>'
"""An orientation that no browser follows."""

SCRIPT = b"<script>alert(1)</script>"
ARCHIVE = b"PK\x03\x04\x14\0\0\0\0\0" + bytes(20) + b"a.htmlPK\x05\x06" + bytes(18)
"""The parts of a ZIP file that readers look for."""

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SVG = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
