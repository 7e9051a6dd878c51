"""Check a file's bytes before any decoder reads them, in time linear in the file's size.

Nothing here needs Pillow, so a text file named .jpg or a JPEG with thousands of scans is rejected without a child.
"""

import re
from types import MappingProxyType

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ACCEPTED, FORMATS, ContentType
from profile_media.domain.model import Reason
from profile_media.imaging import avif, heic, jpeg, png

_MAGIC = MappingProxyType(
    {
        content_type: re.compile(FORMATS[content_type].magic, re.DOTALL)
        for content_type in ContentType
        if content_type in ACCEPTED
    }
)

_EXCEEDED_LIMIT = MappingProxyType({ContentType.JPEG: jpeg.exceeded_limit, ContentType.PNG: png.exceeded_limit})
"""Checks for files that are cheaper to reject by counting than by decoding."""


def probe(content: bytes, accepted: frozenset[ContentType] = ACCEPTED) -> ContentType:
    """Return the format. Raises ImageUnacceptable for an unsupported one and for a file of too many parts."""
    detected = identify(content, accepted)
    if detected in _EXCEEDED_LIMIT and (exceeded := _EXCEEDED_LIMIT[detected](content)):
        raise ImageUnacceptable(Reason.TOO_COMPLEX, f"more than {exceeded}")
    return detected


def identify(content: bytes, accepted: frozenset[ContentType] = ACCEPTED) -> ContentType:
    """Return the format that the first bytes announce. Raises ImageUnacceptable for an unsupported one."""
    detected = detect_format(content, accepted)
    if detected is None:
        raise ImageUnacceptable(Reason.UNSUPPORTED_FORMAT, f"starts with {content[:12].hex()}")
    return detected


def detect_format(content: bytes, accepted: frozenset[ContentType] = ACCEPTED) -> ContentType | None:
    """Return the format that the first bytes announce; None for an unsupported one."""
    for content_type, magic in _MAGIC.items():
        if magic.match(content):
            return content_type
    if avif.is_avif(content):
        return ContentType.AVIF
    return ContentType.HEIC if ContentType.HEIC in accepted and heic.is_heic(content) else None
