"""Files in other formats."""

import gzip
import struct
from functools import partial

from PIL import Image

from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason
from tests import pictures
from tests.hostile.parts import ARCHIVE, PDF, SCRIPT, SVG, Sample, Samples, box

GOOD = {
    ContentType.JPEG: pictures.a_jpeg(64, 48),
    ContentType.PNG: pictures.a_png(64, 48),
    ContentType.WEBP: pictures.a_webp(64, 48),
    ContentType.GIF: pictures.a_gif(64, 48),
    ContentType.AVIF: pictures.an_avif(64, 48),
}
"""A valid picture in each format."""

FILES = {
    "nothing": b"",
    "one byte": b"\xff",
    "text": b"I am a photograph, honestly.",
    "SVG": SVG.encode(),
    "SVG after a byte order mark": b"\xef\xbb\xbf" + SVG.encode(),
    "SVG in UTF-16": SVG.encode("utf-16"),
    "SVG in gzip": gzip.compress(SVG.encode(), mtime=0),
    "SVG in HTML": b"<!DOCTYPE html><body>" + SVG.encode(),
    "SVG after line breaks": b"\r\n\t " + SVG.encode(),
    "HTML": b"<!DOCTYPE html>" + SCRIPT,
    "TIFF": b"II*\0\x08\0\0\0" + bytes(64),
    "TIFF, big-endian": b"MM\0*\0\0\0\x08" + bytes(64),
    "BigTIFF": b"II+\0\x08\0\0\0" + bytes(64),
    "BMP": b"BM" + bytes(64),
    "ICO": b"\0\0\x01\0\x01\0" + bytes(64),
    "HEIC": box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(64),
    "HEIC, neutral brand": box(b"ftyp", b"mif1\0\0\0\0mif1heic") + bytes(64),
    "MP4": box(b"ftyp", b"isom\0\0\0\0isommp42") + bytes(64),
    "QuickTime": box(b"ftyp", b"qt  \0\0\0\0qt  ") + bytes(64),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(64),
    "JPEG 2000, bare": b"\xff\x4f\xff\x51" + bytes(64),
    "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(64),
    "JPEG XL, bare": b"\xff\x0a" + bytes(64),
    "JPEG XR": b"II\xbc\x01" + bytes(64),
    "PDF": PDF,
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "PostScript in its own wrapping": b"\xc5\xd0\xd3\xc6" + bytes(64),
    "ZIP": ARCHIVE,
    "Photoshop": b"8BPS\0\x01" + bytes(64),
    "DDS": b"DDS \x7c\0\0\0" + bytes(64),
    "PNM": b"P6 64 48 255\n" + bytes(64 * 48 * 3),
    "XBM": b"#define w_width 16\n#define w_height 16\nstatic char w_bits[] = {0};",
    "FITS": b"SIMPLE  =                    T",
    "WAVE": b"RIFF\x24\0\0\0WAVEfmt " + bytes(64),
    "MNG": b"\x8aMNG\r\n\x1a\n" + bytes(64),
    "a Windows program": b"MZ" + bytes(64),
    "a Linux program": b"\x7fELF" + bytes(64),
    "half of PNG's signature": b"\x89PNG\r\n",
    "two thirds of JPEG's": b"\xff\xd8",
    "GIF of 1988": b"GIF88a" + bytes(64),
    "RIFF and WEBP and no more": b"RIFF\x04\0\0\0WEBP",
    "a space before a picture": b" " + GOOD[ContentType.JPEG],
}
"""Files of other formats, and files too short to have a format."""

_STARTS = {
    ContentType.JPEG: b"\xff\xd8\xff",
    ContentType.PNG: b"\x89PNG\r\n\x1a\n",
    ContentType.WEBP: b"RIFF\x0c\0\0\0WEBPVP8 ",
    ContentType.GIF: b"GIF89a",
    ContentType.AVIF: b"\0\0\0\x18ftypavif",
}
"""The first bytes of each format, with nothing after them."""


def tiff_in(content_type: ContentType) -> bytes:
    """Return a TIFF picture after the first bytes of another format."""
    return _STARTS[content_type] + b"II*\0" + struct.pack("<I", 8) + Image.new("RGB", (64, 48)).tobytes()


FOREIGN: Samples = {
    **{name: Sample(partial(bytes, content), Reason.UNSUPPORTED_FORMAT) for name, content in FILES.items()},
    **{
        f"only the start of {content_type}": Sample(partial(bytes, start), Reason.CORRUPT)
        for content_type, start in _STARTS.items()
    },
    **{
        f"TIFF behind the start of {content_type}": Sample(partial(tiff_in, content_type), Reason.CORRUPT)
        for content_type in pictures.TYPES
    },
}
