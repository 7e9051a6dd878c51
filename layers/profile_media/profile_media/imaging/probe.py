"""What a picture's bytes say before any decoder sees them: plain byte work, in time linear in the file.

Nothing here needs Pillow, so a text file named .jpg or a scan bomb is refused without a decoder and without a child.
"""

import re
from collections.abc import Iterator
from types import MappingProxyType

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import FORMATS
from profile_media.domain.model import ContentType, Reason
from profile_media.domain.policy import MAX_JPEG_PADDING, MAX_JPEG_SCANS, MAX_JPEG_SEGMENTS, MAX_PNG_CHUNKS

_STARTS = tuple((re.compile(each.magic, re.DOTALL), content_type) for content_type, each in FORMATS.items())

_BRAND_NEUTRAL = re.compile(rb".{4}ftypm[is]f1.{4}", re.DOTALL)
"""A container that is AVIF or HEIC depending on the brands that follow."""

_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
"""A JPEG marker, in headers and entropy-coded data alike, but for those without a length that may stand anywhere:
stuffed bytes (FF 00) and fill (FF FF) are no markers, FF 01 and restarts (FF D0 to D7) say nothing."""

_START_OF_SCAN = 0xDA
_START, _END = 0xD8, 0xD9

_PNG_HEAD = 8
_PNG_END = b"IEND"
_PNG_FRAME = 12
"""Bytes of a chunk besides its data: length, name and checksum."""


def probe(content: bytes, declared: ContentType) -> None:
    """Refuses what need not be decoded to be refused: other formats, other than declared, too many parts."""
    sniffed = sniff(content)
    if sniffed is None:
        raise ImageUnacceptable(Reason.UNSUPPORTED_FORMAT, f"starts with {content[:12].hex()}")
    if sniffed is not declared:
        raise ImageUnacceptable(Reason.TYPE_MISMATCH, f"declared {declared}, is {sniffed}")
    if sniffed in _TOO_MANY and (too_many := _TOO_MANY[sniffed](content)):
        raise ImageUnacceptable(Reason.TOO_COMPLEX, too_many)


def sniff(content: bytes) -> ContentType | None:
    """The format the first bytes announce; None for every format the service does not take."""
    for start, content_type in _STARTS:
        if start.match(content):
            return content_type
    if _BRAND_NEUTRAL.match(content):
        brands = content[16 : int.from_bytes(content[:4])]
        # 64 brands are far more than any encoder lists; the box length is the file's own claim.
        if any(brands[at : at + 4] in {b"avif", b"avis"} for at in range(0, min(len(brands), 256), 4)):
            return ContentType.AVIF
    return None


def too_many_in_jpeg(jpeg: bytes) -> str | None:
    """Which limit the first picture of a JPEG file is over; None for pictures a decoder may see."""
    scans, padding = 0, 0
    for count, (skipped, code) in enumerate(segments(jpeg), start=1):
        padding += 0 if scans else skipped
        scans += code == _START_OF_SCAN
        if scans > MAX_JPEG_SCANS:
            return f"more than {MAX_JPEG_SCANS} scans"
        if count > MAX_JPEG_SEGMENTS:
            return f"more than {MAX_JPEG_SEGMENTS} segments"
        if padding > MAX_JPEG_PADDING:
            return f"more than {MAX_JPEG_PADDING} bytes of padding"
    return None


def segments(jpeg: bytes) -> Iterator[tuple[int, int]]:
    """The markers of a JPEG file's first picture: how many bytes before each belong to nothing, and its code.

    Follows the markers as libjpeg does: segments are stepped over by their length, so thumbnails inside them do not
    count, and the walk ends where the picture does, so neither do the further pictures and films phones append.
    """
    at = 2
    while marker := _MARKER.search(jpeg, at):
        code = marker[1][0]
        yield marker.start() - at, code
        if code in {_START, _END}:
            return
        at = marker.end() + int.from_bytes(jpeg[marker.end() : marker.end() + 2])
    yield max(0, len(jpeg) - at), _END


def too_many_in_png(png: bytes) -> str | None:
    """Whether a PNG file has more chunks than a decoder may see."""
    at = _PNG_HEAD
    for _ in range(MAX_PNG_CHUNKS):
        if at >= len(png) or png[at + 4 : at + 8] == _PNG_END:
            return None
        at += int.from_bytes(png[at : at + 4]) + _PNG_FRAME
    return f"more than {MAX_PNG_CHUNKS} chunks"


_TOO_MANY = MappingProxyType({ContentType.JPEG: too_many_in_jpeg, ContentType.PNG: too_many_in_png})
"""What is cheaper to count than to decode, and not worth decoding where there is too much of it."""
