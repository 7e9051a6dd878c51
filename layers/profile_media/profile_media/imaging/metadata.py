"""Check that an encoded derivative holds pixels and nothing else. Runs in the parent, on bytes that the child sent."""

import re

from profile_media.domain.formats import ContentType

_WEBP_PIXEL_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_WEBP_HEADER = (b"VP8X", 10)
"""Name and length of the extended header, which holds flags, width and height."""
_WEBP_ANIMATION = (b"ANIM", 6)
"""The same of the chunk with background colour and repetitions."""
_WEBP_FRAME = b"ANMF"
_WEBP_FRAME_HEADER = 16
"""Bytes of a frame before its own chunks: position, size, duration and flags."""

_START_OF_SCAN = 0xDA
_JPEG_TABLES = frozenset({0xC0, 0xC4, 0xDB})
"""Markers of a baseline frame, Huffman tables and quantization tables."""
_JFIF_HEADER = (0xE0, 16)
"""Marker and length of a JFIF header without a thumbnail."""
_JPEG_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7]")
"""The next marker after entropy-coded data, which contains stuffed bytes (FF 00) and restarts (FF D0 to D7)."""


def is_pixels_only(content: bytes, content_type: ContentType, *, is_animated: bool = False) -> bool:
    """Return whether a WebP or JPEG file has no metadata and no bytes before, between or after its parts."""
    if content_type is ContentType.JPEG:
        return _is_pixels_only_jpeg(content)
    return _is_pixels_only_webp(content, is_animated=is_animated)


def _is_pixels_only_webp(content: bytes, *, is_animated: bool) -> bool:
    riff_length = int.from_bytes(content[4:8], "little")
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or riff_length + 8 != len(content):
        return False
    at, names = 12, set[bytes]()
    while at < len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name not in _WEBP_PIXEL_CHUNKS and (name, length) not in {_WEBP_HEADER, _WEBP_ANIMATION}:
            if name != _WEBP_FRAME:
                return False
            length = _WEBP_FRAME_HEADER  # and then the chunks of the frame
        names.add(name)
        at += 8 + length + length % 2
    return at == len(content) and (_WEBP_FRAME in names) == is_animated


def _is_pixels_only_jpeg(content: bytes) -> bool:
    """Accept baseline files with one scan, as our encoder writes them."""
    if content[:2] != b"\xff\xd8":
        return False
    at = 2
    while content[at : at + 1] == b"\xff":
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        at += 2 + length
        if marker == _START_OF_SCAN:
            end = _JPEG_SCAN_END.search(content, at)
            return end is not None and end[0] == b"\xff\xd9" and end.end() == len(content)
        if marker not in _JPEG_TABLES and (marker, length) != _JFIF_HEADER:
            return False
    return False
