"""Read the boxes of the ISO base media format, which AVIF and HEIC files consist of."""

import re

_FILE_TYPE = re.compile(rb".{4}ftyp", re.DOTALL)
_MAX_BRANDS = 64
"""Far more than any encoder lists."""

_MAX_BOXES = 64
"""Boxes before the one with the metadata, which comes first or second."""


def brands(content: bytes) -> frozenset[bytes]:
    """Return the brands that a file names, the major one included; none for a file of another format."""
    if not _FILE_TYPE.match(content):
        return frozenset()
    others = content[16 : min(int.from_bytes(content[:4]), 16 + 4 * _MAX_BRANDS)]
    return frozenset({content[8:12], *(others[at : at + 4] for at in range(0, len(others), 4))})


def with_major_brand(content: bytes, brand: bytes) -> bytes:
    """Return the file with another major brand."""
    return content[:8] + brand + content[12:]


def metadata(content: bytes) -> tuple[int, int]:
    """Return where the box with the metadata starts and ends; two zeros if there is none."""
    at = 0
    for _ in range(_MAX_BOXES):
        length, name = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        if name == b"meta":
            return at, at + length
        at += max(8, length)
    return 0, 0
