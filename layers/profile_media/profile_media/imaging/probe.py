"""What a picture's bytes say before any decoder sees them: plain byte work, in time linear in the file.

Nothing here needs Pillow, so a text file named .jpg or a scan bomb is refused without a decoder and without a child.
"""

import re
from collections.abc import Iterator
from itertools import islice

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import ContentType, Reason
from profile_media.domain.policy import MAX_JPEG_SCANS

_STARTS = (
    (re.compile(rb"\xff\xd8\xff"), ContentType.JPEG),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), ContentType.PNG),
    (re.compile(rb"GIF8[79]a"), ContentType.GIF),
    (re.compile(rb"RIFF.{4}WEBPVP8[ LX]", re.DOTALL), ContentType.WEBP),
    (re.compile(rb".{4}ftypavi[fs]", re.DOTALL), ContentType.AVIF),
)

_BRAND_NEUTRAL = re.compile(rb".{4}ftypm[is]f1.{4}", re.DOTALL)
"""A container that is AVIF or HEIC depending on the brands that follow."""

_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""A JPEG marker, in headers and entropy-coded data alike: stuffed bytes (FF 00), fill (FF FF), restarts are none."""

_START_OF_SCAN = 0xDA
_TEMPORARY = 0x01
_STARTS_OR_ENDS = frozenset({0xD8, 0xD9})


def probe(content: bytes, declared: ContentType) -> None:
    """Refuses what need not be decoded to be refused: other formats, other than declared, too many JPEG scans."""
    sniffed = sniff(content)
    if sniffed is None:
        raise ImageUnacceptable(Reason.UNSUPPORTED_FORMAT, f"starts with {content[:12].hex()}")
    if sniffed is not declared:
        raise ImageUnacceptable(Reason.TYPE_MISMATCH, f"declared {declared}, is {sniffed}")
    if sniffed is ContentType.JPEG and scans(content, MAX_JPEG_SCANS + 1) > MAX_JPEG_SCANS:
        raise ImageUnacceptable(Reason.TOO_COMPLEX, f"more than {MAX_JPEG_SCANS} scans")


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


def scans(jpeg: bytes, most: int) -> int:
    """How many scans the first picture of a JPEG file holds, counted up to `most`.

    Follows the markers as libjpeg does: segments are stepped over by their length, so thumbnails inside them do not
    count, and the walk ends where the picture does, so neither do the further pictures and films phones append.
    """
    return sum(1 for _ in islice(_scan_starts(jpeg), most))


def _scan_starts(jpeg: bytes) -> Iterator[int]:
    at = 2
    while marker := _MARKER.search(jpeg, at):
        at = marker.end()
        code = marker[1][0]
        if code in _STARTS_OR_ENDS:
            return
        if code == _START_OF_SCAN:
            yield at
        if code != _TEMPORARY:
            at += int.from_bytes(jpeg[at : at + 2])
