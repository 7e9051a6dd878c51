"""Read PNG files chunk by chunk: count chunks, and keep only the ones that decoding needs.

Ancillary chunks are optional by definition. Browsers skip broken ones; Pillow rejects the file.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from profile_media.domain.policy import MAX_PNG_CHUNKS, MAX_PROFILE_BYTES
from profile_media.imaging.profiles import CodedColours, gamma_profile

_SIGNATURE_BYTES = 8
_LAST_CHUNK = b"IEND"
_OVERHEAD = 12
"""Bytes of a chunk's length, name and checksum."""
_ANCILLARY = 0x20
"""The bit of a name's first letter that makes it lower case."""

_COLOUR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA"})
_GREY, _RGB, _PALETTE = 0, 2, 3
_SRGB_GAMMA = 45_455
_GAMMA_TOLERANCE = 0.05
"""Browsers take a gamma within 5 % of sRGB's for sRGB."""


class Chunk(NamedTuple):
    """A chunk of a PNG file: its name and where it starts and ends."""

    name: bytes
    start: int
    end: int


class Simplified(NamedTuple):
    """A PNG file without unneeded chunks, and its colours: an ICC profile, numbers, or None for sRGB."""

    content: bytes
    profile: bytes | CodedColours | None


def chunks(png: bytes) -> Iterator[Chunk]:
    """Yield the chunks up to the last one, IEND. The last chunk of a truncated file may end after the file."""
    at = _SIGNATURE_BYTES
    while at < len(png):
        end = at + int.from_bytes(png[at : at + 4]) + _OVERHEAD
        chunk = Chunk(png[at + 4 : at + 8], at, end)
        yield chunk
        if chunk.name == _LAST_CHUNK:
            return
        at = end


def exceeded_limit(png: bytes) -> str | None:
    """Return the number of chunks that a PNG file exceeds, as words; None for a file within the limit."""
    exceeds = any(count > MAX_PNG_CHUNKS for count, _ in enumerate(chunks(png), start=1))
    return f"{MAX_PNG_CHUNKS} chunks" if exceeds else None


def simplify(png: bytes) -> Simplified:
    """Keep the critical chunks, transparency and orientation; read the colours. Broken ancillary chunks are skipped."""
    view = memoryview(png)
    kept: list[bytes | memoryview] = [view[:_SIGNATURE_BYTES]]
    colours: dict[bytes, bytes] = {}
    header = b""
    for chunk in chunks(png):
        whole = view[chunk.start : chunk.end]
        if chunk.name == b"IHDR":
            header = bytes(whole[8:-4])
        if not chunk.name[:1] or not chunk.name[0] & _ANCILLARY:
            kept.append(whole)
        elif chunk.name in _COLOUR_CHUNKS and _is_intact(whole):
            colours.setdefault(chunk.name, bytes(whole[8:-4]))
        elif chunk.name == b"eXIf" and _is_intact(whole):
            kept.append(whole)
        elif chunk.name == b"tRNS" and _is_intact(whole):
            kept.append(_transparency(header, bytes(whole[8:-4])))
    return Simplified(b"".join(kept), _profile(colours))


def _is_intact(chunk: memoryview) -> bool:
    """Return whether the chunk is complete and its checksum is right."""
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:])


def _transparency(header: bytes, data: bytes) -> bytes:
    """Return a tRNS chunk as Pillow reads it, or nothing for one that is too short.

    Pillow compares the value with pixels that it has already scaled to 8 bits, except for 16-bit grey.
    """
    depth, colour = header[8], header[9]
    if colour == _GREY and depth in {2, 4} and len(data) >= 2:
        largest = (1 << depth) - 1
        data = struct.pack("!H", (data[1] & largest) * (255 // largest))
    elif colour == _RGB and depth == 16:
        data = b"".join(bytes((0, high)) for high in data[0:6:2])
    if len(data) < {_GREY: 2, _RGB: 6, _PALETTE: 1}.get(colour, len(data) + 1):
        return b""
    named = b"tRNS" + data[:256]
    return struct.pack("!I", len(named) - 4) + named + struct.pack("!I", zlib.crc32(named))


def _profile(colours: Mapping[bytes, bytes]) -> bytes | CodedColours | None:
    """Return the profile by the chunk that counts: cICP before iCCP before sRGB before gAMA."""
    if len(coded := colours.get(b"cICP", b"")) == 4:
        return CodedColours(coded[0], coded[1])
    if profile := _inflate(colours.get(b"iCCP", b"")):
        return profile
    gamma = int.from_bytes(colours.get(b"gAMA", b"")[:4])
    if b"sRGB" in colours or not gamma or abs(gamma / _SRGB_GAMMA - 1) <= _GAMMA_TOLERANCE:
        return None
    return gamma_profile(100_000 / gamma)


def _inflate(named: bytes) -> bytes:
    """Return the profile in an iCCP chunk: a name, a zero, the method 0, compressed data. Empty if unreadable."""
    compressed = named.partition(b"\0")[2]
    if compressed[:1] != b"\0":
        return b""
    try:
        # One byte more than is allowed: `to_srgb` ignores a profile that is too long.
        return zlib.decompressobj().decompress(compressed[1:], MAX_PROFILE_BYTES + 1)
    except zlib.error:
        return b""
