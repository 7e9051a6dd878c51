"""The picture formats that the service accepts: one table, which keys, imaging and dialects read.

Adding a format means one entry in `ContentType`, one in `FORMATS`, and a decoder that Pillow knows by that name.
HEIC has a decoder only in deployments that chose it, so it is not in `ACCEPTED`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType


class ContentType(StrEnum):
    """The content types, in the order in which error messages list them."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    GIF = "image/gif"
    AVIF = "image/avif"
    HEIC = "image/heic"
    HEIF = "image/heif"
    """The other name of HEIC, which some systems announce."""


@dataclass(frozen=True, slots=True)
class Format:
    """The names of one format, the pattern that recognises it, and its limit."""

    extension: str
    """The end of an object key."""
    magic: bytes
    """A regular expression (DOTALL) that the first bytes of every file of this format match."""
    pillow_name: str
    max_pixels: int
    """Memory follows pixels, not file size: 34 bytes of WebP can claim 16,384 x 16,384."""


WHOLE_DECODE = 25_000_000
"""Pixels. Decoders that hold the whole picture use 4 to 8 bytes a pixel: about 400 MB at most."""

_HEIC = Format("heic", rb".{4}ftyp", "HEIF", 50_000_000)
"""Its decoder takes about 0.06 s and 7 MB a megapixel: a photograph of 48 megapixels takes 3.3 s and 380 MiB in all."""

FORMATS: Mapping[ContentType, Format] = MappingProxyType(
    {
        # A baseline JPEG with one scan is decoded row by row: a 108-megapixel photograph takes 110 MiB, a CMYK picture
        # so narrow that it has to be decoded in full 570. `MAX_BUFFERED_JPEG_PIXELS` is the limit for all others.
        ContentType.JPEG: Format("jpg", rb"\xff\xd8\xff", "JPEG", 120_000_000),
        ContentType.PNG: Format("png", rb"\x89PNG\r\n\x1a\n", "PNG", WHOLE_DECODE),
        ContentType.WEBP: Format("webp", rb"RIFF.{4}WEBPVP8[ LX]", "WEBP", WHOLE_DECODE),
        ContentType.GIF: Format("gif", rb"GIF8[79]a", "GIF", WHOLE_DECODE),
        ContentType.AVIF: Format("avif", rb".{4}ftypavi[fs]", "AVIF", WHOLE_DECODE),
        ContentType.HEIC: _HEIC,
        ContentType.HEIF: replace(_HEIC, extension="heif"),
    }
)

ACCEPTED = frozenset(ContentType) - {ContentType.HEIC, ContentType.HEIF}
"""The types that every deployment accepts."""


def accepted_types(*, heic: bool) -> frozenset[ContentType]:
    """Return the types that a deployment accepts."""
    return frozenset(ContentType) if heic else ACCEPTED
