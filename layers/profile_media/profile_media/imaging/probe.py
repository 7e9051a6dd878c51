"""Check a file's bytes before any decoder reads them, in time linear in the file's size.

Nothing here needs Pillow, so a text file named .jpg or a JPEG with thousands of scans is rejected without a child.
"""

import re
from types import MappingProxyType

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import FORMATS, ContentType
from profile_media.domain.model import Reason
from profile_media.imaging import avif, jpeg, png

_MAGIC = MappingProxyType(
    {content_type: re.compile(file_format.magic, re.DOTALL) for content_type, file_format in FORMATS.items()}
)

_EXCEEDED_LIMIT = MappingProxyType({ContentType.JPEG: jpeg.exceeded_limit, ContentType.PNG: png.exceeded_limit})
"""Checks for files that are cheaper to reject by counting than by decoding."""


def probe(content: bytes) -> ContentType:
    """Return the format. Raises ImageUnacceptable for an unsupported one and for a file of too many parts."""
    detected = identify(content)
    if detected in _EXCEEDED_LIMIT and (exceeded := _EXCEEDED_LIMIT[detected](content)):
        raise ImageUnacceptable(Reason.TOO_COMPLEX, f"more than {exceeded}")
    return detected


def identify(content: bytes) -> ContentType:
    """Return the format that the first bytes announce. Raises ImageUnacceptable for an unsupported one."""
    detected = detect_format(content)
    if detected is None:
        raise ImageUnacceptable(Reason.UNSUPPORTED_FORMAT, f"starts with {content[:12].hex()}")
    return detected


def detect_format(content: bytes) -> ContentType | None:
    """Return the format that the first bytes announce; None for an unsupported one."""
    for content_type, magic in _MAGIC.items():
        if magic.match(content):
            return content_type
    return ContentType.AVIF if avif.is_avif(content) else None
