"""Check a file's bytes before any decoder reads them, in time linear in the file's size.

Nothing here needs Pillow, so a text file named .jpg or a JPEG with thousands of scans is rejected without a child.
"""

import re
from collections.abc import Iterator
from types import MappingProxyType

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import FORMATS, ContentType
from profile_media.domain.model import Reason
from profile_media.domain.policy import MAX_JPEG_PADDING, MAX_JPEG_SCANS, MAX_JPEG_SEGMENTS, MAX_PNG_CHUNKS

_MAGIC = MappingProxyType(
    {content_type: re.compile(file_format.magic, re.DOTALL) for content_type, file_format in FORMATS.items()}
)

_MIAF_MAGIC = re.compile(rb".{4}ftypm[is]f1.{4}", re.DOTALL)
"""A container that holds AVIF or HEIC, depending on the list of brands that follows."""
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_MAX_BRANDS = 64
"""Far more than any encoder lists."""

_JPEG_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
"""Any JPEG marker except the ones without a length that can appear anywhere: stuffed bytes (FF 00), fill bytes (FF FF),
FF 01, and restarts (FF D0 to D7)."""
_START_OF_SCAN = 0xDA
_START_OF_IMAGE, _END_OF_IMAGE = 0xD8, 0xD9

_PNG_SIGNATURE_BYTES = 8
_PNG_LAST_CHUNK = b"IEND"
_PNG_CHUNK_OVERHEAD = 12
"""Bytes of a chunk's length, name and checksum."""


def probe(content: bytes, declared: ContentType) -> None:
    """Raise ImageUnacceptable for an unsupported format, one that was not declared, and a file of too many parts."""
    detected = detect_format(content)
    if detected is None:
        raise unsupported_format(content)
    if detected is not declared:
        raise ImageUnacceptable(Reason.TYPE_MISMATCH, f"declared {declared}, is {detected}")
    if detected in _EXCEEDED_LIMIT and (exceeded := _EXCEEDED_LIMIT[detected](content)):
        raise ImageUnacceptable(Reason.TOO_COMPLEX, f"more than {exceeded}")


def detect_format(content: bytes) -> ContentType | None:
    """Return the format that the first bytes announce; None for an unsupported one."""
    for content_type, magic in _MAGIC.items():
        if magic.match(content):
            return content_type
    if _MIAF_MAGIC.match(content):
        box_length = int.from_bytes(content[:4])
        brands = content[16 : min(box_length, 16 + 4 * _MAX_BRANDS)]
        if any(brands[at : at + 4] in _AVIF_BRANDS for at in range(0, len(brands), 4)):
            return ContentType.AVIF
    return None


def unsupported_format(content: bytes) -> ImageUnacceptable:
    """Return the error for a file that `detect_format` does not know."""
    return ImageUnacceptable(Reason.UNSUPPORTED_FORMAT, f"starts with {content[:12].hex()}")


def exceeded_jpeg_limit(jpeg: bytes) -> str | None:
    """Return the limit that the first picture of a JPEG file exceeds, as words; None for a picture within limits."""
    scans, padding = 0, 0
    for segments, (skipped, marker) in enumerate(jpeg_segments(jpeg), start=1):
        padding += 0 if scans else skipped
        scans += marker == _START_OF_SCAN
        if scans > MAX_JPEG_SCANS:
            return f"{MAX_JPEG_SCANS} scans"
        if segments > MAX_JPEG_SEGMENTS:
            return f"{MAX_JPEG_SEGMENTS} segments"
        if padding > MAX_JPEG_PADDING:
            return f"{MAX_JPEG_PADDING} bytes of padding"
    return None


def jpeg_segments(jpeg: bytes) -> Iterator[tuple[int, int]]:
    """Yield for each segment of a JPEG file's first picture the bytes skipped before it and its marker.

    Follow the markers as libjpeg does: step over segments by their length, so that thumbnails inside them are not
    counted, and stop at the end of the picture, so that pictures and videos that phones append are not either.
    """
    at = 2
    while found := _JPEG_MARKER.search(jpeg, at):
        marker = found[1][0]
        yield found.start() - at, marker
        if marker in {_START_OF_IMAGE, _END_OF_IMAGE}:
            return
        at = found.end() + int.from_bytes(jpeg[found.end() : found.end() + 2])
    yield max(0, len(jpeg) - at), _END_OF_IMAGE


def exceeded_png_limit(png: bytes) -> str | None:
    """Return the number of chunks that a PNG file exceeds, as words; None for a file within the limit."""
    at = _PNG_SIGNATURE_BYTES
    for _ in range(MAX_PNG_CHUNKS):
        if at >= len(png) or png[at + 4 : at + 8] == _PNG_LAST_CHUNK:
            return None
        at += int.from_bytes(png[at : at + 4]) + _PNG_CHUNK_OVERHEAD
    return f"{MAX_PNG_CHUNKS} chunks"


_EXCEEDED_LIMIT = MappingProxyType({ContentType.JPEG: exceeded_jpeg_limit, ContentType.PNG: exceeded_png_limit})
"""Checks for files that are cheaper to reject by counting than by decoding."""
