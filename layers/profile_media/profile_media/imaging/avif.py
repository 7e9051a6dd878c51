"""Read what Pillow does not read of AVIF files: brands and coded colours."""

import re

from profile_media.imaging import boxes
from profile_media.imaging.profiles import CodedColours

_BRANDS = frozenset({b"avif", b"avis"})
_PILLOW_BRANDS = _BRANDS | {b"mif1", b"msf1"}
"""The major brands that Pillow's plugin accepts."""

_CODED_COLOURS = re.compile(rb"colrnclx(.{2})(.{2})", re.DOTALL)
"""Colour primaries and transfer characteristics, as numbers of ITU-T H.273."""


def is_avif(content: bytes) -> bool:
    """Return whether a file of the ISO base media format names an AVIF brand, as its major brand or another one."""
    return not _BRANDS.isdisjoint(boxes.brands(content))


def with_known_brand(avif: bytes) -> bytes:
    """Return the file with a major brand that Pillow accepts."""
    return avif if avif[8:12] in _PILLOW_BRANDS else boxes.with_major_brand(avif, b"avif")


def coded_colours(avif: bytes) -> CodedColours | None:
    """Return the colours that the file states as numbers; None if it states none."""
    found = _CODED_COLOURS.search(avif, *boxes.metadata(avif))
    return CodedColours(*map(int.from_bytes, found.groups())) if found else None
