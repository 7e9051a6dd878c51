"""Read the boxes of AVIF files that Pillow does not: brands and coded colours."""

import re

from profile_media.imaging.profiles import CodedColours

_FILE_TYPE = re.compile(rb".{4}ftyp", re.DOTALL)
_BRANDS = frozenset({b"avif", b"avis"})
_MAX_BRANDS = 64
"""Far more than any encoder lists."""
_PILLOW_BRANDS = _BRANDS | {b"mif1", b"msf1"}
"""The major brands that Pillow's plugin accepts."""

_MAX_BOXES = 64
"""Boxes before the one with the metadata, which comes first or second."""
_CODED_COLOURS = re.compile(rb"colrnclx(.{2})(.{2})", re.DOTALL)
"""Colour primaries and transfer characteristics, as numbers of ITU-T H.273."""


def is_avif(content: bytes) -> bool:
    """Return whether a file of the ISO base media format names an AVIF brand, as its major brand or another one."""
    if not _FILE_TYPE.match(content):
        return False
    brands = content[16 : min(int.from_bytes(content[:4]), 16 + 4 * _MAX_BRANDS)]
    return content[8:12] in _BRANDS or any(brands[at : at + 4] in _BRANDS for at in range(0, len(brands), 4))


def with_known_brand(avif: bytes) -> bytes:
    """Return the file with a major brand that Pillow accepts."""
    return avif if avif[8:12] in _PILLOW_BRANDS else avif[:8] + b"avif" + avif[12:]


def coded_colours(avif: bytes) -> CodedColours | None:
    """Return the colours that the file states as numbers; None if it states none."""
    at = 0
    for _ in range(_MAX_BOXES):
        length, name = int.from_bytes(avif[at : at + 4]), avif[at + 4 : at + 8]
        if name == b"meta":
            found = _CODED_COLOURS.search(avif, at, at + length)
            return CodedColours(*map(int.from_bytes, found.groups())) if found else None
        at += max(8, length)
    return None
