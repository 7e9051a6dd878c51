"""Hostile and unusual JPEG files."""

import re
import struct
from functools import partial
from io import BytesIO

from PIL import Image

from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason
from profile_media.domain.policy import MAX_JPEG_PADDING, MAX_JPEG_SCANS, MAX_JPEG_SEGMENTS
from tests import pictures
from tests.hostile.parts import (
    ARCHIVE,
    EXIF,
    ORIENTATIONS,
    PDF,
    SCRIPT,
    SVG,
    TURNING_XMP,
    Sample,
    Samples,
    oriented,
    segment,
)

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
PHOTOSHOP = b"Photoshop 3.0\x008BIM\x04\x04\0\0"
"""The header before IPTC data and their length."""


BASELINE, GREY, CMYK = (
    pictures.a_file(ContentType.JPEG, pictures.a_picture(64, 48, mode)) for mode in ("RGB", "L", "CMYK")
)
PROGRESSIVE = pictures.a_jpeg(64, 48, progressive=True)


def with_segments(*segments: bytes, jpeg: bytes = BASELINE) -> bytes:
    """Return a JPEG with more segments after its first marker."""
    return SOI + b"".join(segments) + jpeg[2:]


def with_exif(exif: bytes) -> bytes:
    """Return a JPEG with this EXIF data, valid or not."""
    return with_segments(segment(0xE1, b"Exif\0\0" + exif))


def with_profile(*parts: bytes, of: int | None = None) -> bytes:
    """Return a JPEG with a colour profile in several parts; `of` is a false number of parts."""
    count = min(of or len(parts), 255)
    heads = [b"ICC_PROFILE\0" + bytes([number, count]) for number in range(1, len(parts) + 1)]
    return with_segments(*(segment(0xE2, head + part) for head, part in zip(heads, parts, strict=True)))


def repeated(scans: int, side: int = 64) -> bytes:
    """Return a progressive JPEG of exactly this number of scans. It repeats the last refinement scan."""
    plain = pictures.a_file(ContentType.JPEG, Image.new("L", (side, side), 128), progressive=True)
    starts = [match.start() for match in re.finditer(rb"\xff\xda", plain)]
    return plain[: starts[-1]] + plain[starts[-1] : -2] * (scans - len(starts) + 1) + EOI


def changed(jpeg: bytes, old: bytes, new: bytes) -> bytes:
    """Return a JPEG with one byte sequence replaced."""
    assert old in jpeg
    return jpeg.replace(old, new, 1)


def sampled(jpeg: bytes, factors: int) -> bytes:
    """Return a JPEG whose first component has other sampling factors in its header."""
    at = jpeg.index(b"\xff\xc0") + 11
    return jpeg[:at] + bytes([factors]) + jpeg[at + 1 :]


def two_components() -> bytes:
    """Return a JPEG of two components, which no colour space has."""
    frame, scan = BASELINE.index(b"\xff\xc0"), BASELINE.index(b"\xff\xda")
    two = segment(0xC0, BASELINE[frame + 4 : frame + 9] + b"\x02" + BASELINE[frame + 10 : frame + 16])
    return BASELINE[:frame] + two + BASELINE[frame + 19 : scan] + segment(0xDA, b"\x02\x01\x00\x02\x11\0\x3f\0") + EOI


def without(jpeg: bytes, code: int) -> bytes:
    """Return a JPEG without the segments that have this marker."""
    scan = jpeg.index(b"\xff\xda")
    head, at = SOI, 2
    while at < scan:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4])
        head += b"" if jpeg[at + 1] == code else jpeg[at:end]
        at = end
    return head + jpeg[scan:]


def filled() -> bytes:
    """Return a JPEG with fill bytes before most of its segments."""
    return re.sub(rb"(\xff[\xc0\xc4\xdb\xda])", lambda mark: b"\xff\xff" + mark[0], BASELINE)


def ultra_hdr() -> bytes:
    """Return a photograph with a gain map, as phones write it: several pictures and XMP that describes them."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><d hdrgm:Version="1.0" Item:Semantic="GainMap"/></x:xmpmeta>'
    file = BytesIO()
    main, gains = pictures.a_picture(64, 48), [Image.new("L", (32, 24), 99)]
    main.save(file, "MPO", save_all=True, append_images=gains, xmp=xmp)
    return file.getvalue()


def motion_photo() -> bytes:
    """Return a photograph followed by a video, as phones write it."""
    film = struct.pack("!I", 24) + b"ftypmp42\0\0\0\0isommp42" + struct.pack("!I", 5008) + b"mdat" + b"\xff\xda" * 2500
    return with_segments(segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x MotionPhoto="1"/>')) + film


def _bare_phone_burst() -> bytes:
    """Return a file of several pictures whose directory has invalid offsets."""
    burst = pictures.a_phone_burst()
    at = burst.index(b"MPF\0") + 4
    return burst[: at + 20] + b"\xff" * 30 + burst[at + 50 :]


P3 = pictures.a_display_p3_profile()
_BOMB = repeated(2_000, 256)
_FRAME = re.compile(rb"\xff\xc0.{17}", re.DOTALL)

CODING: Samples = {
    "baseline": Sample(lambda: BASELINE, size=(64, 48)),
    "grey": Sample(lambda: GREY),
    "progressive": Sample(lambda: PROGRESSIVE),
    "CMYK, Adobe's": Sample(lambda: CMYK),
    "CMYK without a mark": Sample(lambda: without(CMYK, 0xEE)),
    "YCCK, Adobe's": Sample(lambda: changed(CMYK, b"Adobe\0d\0\0\0\0\0", b"Adobe\0d\0\0\0\0\x02")),
    "RGB, Adobe's": Sample(lambda: with_segments(segment(0xEE, b"Adobe\0d\0\0\0\0\0"), jpeg=without(BASELINE, 0xE0))),
    # Browsers ignore these two markers. Pillow does not, and no camera or editor writes them.
    "Adobe's mark cut short": Sample(lambda: with_segments(segment(0xEE, b"Adobe")), Reason.CORRUPT),
    "JFIF header cut short": Sample(
        lambda: with_segments(segment(0xE0, b"JFIF\0"), jpeg=without(BASELINE, 0xE0)), Reason.CORRUPT
    ),
    "no JFIF header": Sample(lambda: without(BASELINE, 0xE0)),
    "4:4:4": Sample(lambda: pictures.a_jpeg(64, 48, subsampling=0)),
    "4:2:2": Sample(lambda: pictures.a_jpeg(64, 48, subsampling=1)),
    "4:4:0": Sample(lambda: sampled(pictures.a_jpeg(64, 48, subsampling=1), 0x12)),
    "4:1:1": Sample(lambda: sampled(pictures.a_jpeg(64, 48, subsampling=2), 0x41)),
    "sampled 5 x 5": Sample(lambda: sampled(BASELINE, 0x55), Reason.CORRUPT),
    "sampled 0 x 0": Sample(lambda: sampled(BASELINE, 0x00), Reason.CORRUPT),
    "two components": Sample(two_components, Reason.CORRUPT),
    "no components": Sample(lambda: changed(BASELINE, b"\xff\xc0\0\x11", b"\xff\xc0\0\x08"), Reason.CORRUPT),
    "arithmetic coding": Sample(lambda: changed(BASELINE, b"\xff\xc0", b"\xff\xc9")),
    "lossless": Sample(lambda: changed(BASELINE, b"\xff\xc0", b"\xff\xc3"), Reason.CORRUPT),
    "12 bits": Sample(lambda: changed(BASELINE, b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"), Reason.CORRUPT),
    "hierarchical": Sample(lambda: changed(BASELINE, b"\xff\xc0", b"\xff\xc5"), Reason.CORRUPT),
    "two frames": Sample(lambda: _FRAME.sub(lambda frame: frame[0] * 2, BASELINE), Reason.CORRUPT),
    "no frame": Sample(lambda: without(BASELINE, 0xC0), Reason.CORRUPT),
    "no quantisation tables": Sample(lambda: without(BASELINE, 0xDB), Reason.CORRUPT),
    "no Huffman tables, as webcams write": Sample(lambda: without(BASELINE, 0xC4)),
    "no scan": Sample(lambda: BASELINE[: BASELINE.index(b"\xff\xda")] + EOI, Reason.CORRUPT),
    "restarts at every block": Sample(lambda: pictures.a_jpeg(64, 48, restart_marker_blocks=1)),
    "restarts at every row": Sample(lambda: pictures.a_jpeg(64, 48, restart_marker_rows=1)),
    "a restart interval that is not kept": Sample(lambda: with_segments(segment(0xDD, b"\0\x01"))),
    "fill bytes before every segment": Sample(filled),
    "junk between segments": Sample(lambda: changed(BASELINE, b"\xff\xdb", b"junk\xff\xdb")),
    "line break before it": Sample(lambda: b"\r\n" + BASELINE, Reason.UNSUPPORTED_FORMAT),  # browsers show none either
    "junk behind it": Sample(lambda: BASELINE + b"junk" * 999),
    "no end mark": Sample(lambda: BASELINE[:-2], size=(64, 48)),
    "half an end mark": Sample(lambda: BASELINE[:-1]),
    "progressive, no end mark": Sample(lambda: PROGRESSIVE[:-2], size=(64, 48)),
    "progressive, cut in its tables": Sample(lambda: PROGRESSIVE[: PROGRESSIVE.rindex(b"\xff\xc4") + 9]),
    "another picture instead of its end": Sample(lambda: BASELINE[:-2] + BASELINE, Reason.CORRUPT),
    "a cut picture instead of its end": Sample(lambda: BASELINE[:-2] + BASELINE[:-2], size=(64, 48)),
    "no end mark and no tables": Sample(lambda: without(BASELINE, 0xDB)[:-2], Reason.CORRUPT),
}

BOMBS: Samples = {
    "20 scans": Sample(lambda: repeated(20)),
    f"{MAX_JPEG_SCANS} scans": Sample(lambda: repeated(MAX_JPEG_SCANS)),
    f"{MAX_JPEG_SCANS} scans of 4 megapixels": Sample(lambda: repeated(MAX_JPEG_SCANS, 2048)),
    f"{MAX_JPEG_SCANS + 1} scans": Sample(lambda: repeated(MAX_JPEG_SCANS + 1), Reason.TOO_COMPLEX),
    "30 KB of scans": Sample(lambda: repeated(2_000, 2048), Reason.TOO_COMPLEX),
    "300 KB of scans": Sample(lambda: repeated(20_000, 2048), Reason.TOO_COMPLEX),
    "scans behind fill bytes": Sample(
        lambda: repeated(65).replace(b"\xff\xda", b"\xff\xff\xff\xda"), Reason.TOO_COMPLEX
    ),
    "scans behind restarts": Sample(lambda: repeated(65).replace(b"\xff\xda", b"\xff\xd0\xff\xda"), Reason.TOO_COMPLEX),
    "scans behind a line count": Sample(
        lambda: repeated(65).replace(b"\xff\xda", segment(0xDC, b"\0\x40") + b"\xff\xda"), Reason.TOO_COMPLEX
    ),
    "scans behind comments that look like an end": Sample(
        lambda: repeated(65).replace(b"\xff\xda", segment(0xFE, EOI) + b"\xff\xda"), Reason.TOO_COMPLEX
    ),
    "a line count between scans": Sample(
        lambda: changed(PROGRESSIVE, b"\xff\xda", segment(0xDC, b"\0\x30") + b"\xff\xda")
    ),
    "starts of scans in a comment": Sample(lambda: with_segments(segment(0xFE, b"\xff\xda\0\x08" * 9_999))),
    "a bomb as thumbnail": Sample(lambda: with_segments(segment(0xE1, b"Exif\0\0" + _BOMB[:60_000]))),
    "a bomb behind it": Sample(lambda: BASELINE + repeated(20_000)),
    "as many segments as may be": Sample(lambda: with_segments(*[segment(0xFE)] * (MAX_JPEG_SEGMENTS - 20))),
    "13 million empty comments": Sample(lambda: with_segments(segment(0xFE) * 13_000_000), Reason.TOO_COMPLEX),
    "50 MB of fill bytes": Sample(lambda: with_segments(b"\xff" * 50_000_000), Reason.TOO_COMPLEX),
    "50 MB of fill bytes and no more": Sample(lambda: SOI + b"\xff" * 50_000_000, Reason.TOO_COMPLEX),
    "50 MB of nothing": Sample(lambda: with_segments(b"\xff\0" * 25_000_000), Reason.TOO_COMPLEX),
    "25 million marks without a length": Sample(lambda: with_segments(b"\xff\x01" * 25_000_000), Reason.TOO_COMPLEX),
    "50 MB of nothing in its scan": Sample(lambda: BASELINE[:-2] + b"\xff\0" * 25_000_000 + EOI),
    "50 MB of restarts in its scan": Sample(lambda: BASELINE[:-2] + b"\xff\xd0" * 25_000_000 + EOI),
    "50 MB of restarts and no end": Sample(lambda: BASELINE[:-2] + b"\xff\xd0" * 25_000_000),
    "a little padding": Sample(lambda: with_segments(b"\xff" * (MAX_JPEG_PADDING // 2))),
}

SIZES: Samples = {
    "flood of 65,500²": Sample(lambda: pictures.a_jpeg_claiming(65_500, 65_500), Reason.TOO_MANY_PIXELS),
    "flood of 65,535²": Sample(lambda: pictures.a_jpeg_claiming(65_535, 65_535), Reason.TOO_MANY_PIXELS),
    "just over the cap": Sample(lambda: pictures.a_jpeg_claiming(10_000, 12_001), Reason.TOO_MANY_PIXELS),
    "progressive, just over its cap": Sample(
        lambda: pictures.a_jpeg_claiming(10_000, 5_001, progressive=True), Reason.TOO_MANY_PIXELS
    ),
    "just over the side": Sample(lambda: pictures.a_jpeg_claiming(30_001, 48), Reason.TOO_MANY_PIXELS),
    "claims more than it holds": Sample(lambda: pictures.a_jpeg_claiming(640, 480), size=(640, 480)),
    "claims the cap": Sample(lambda: pictures.a_jpeg_claiming(10_000, 12_000), size=(10_000, 12_000)),
    "claims the cap in the costliest shape": Sample(lambda: pictures.a_jpeg_claiming(3_740, 30_000)),
    "progressive, claims its cap": Sample(lambda: pictures.a_jpeg_claiming(1_666, 30_000, progressive=True)),
    "holds more than it claims": Sample(lambda: pictures.a_jpeg_claiming(32, 24), size=(32, 24)),
    "no height": Sample(lambda: pictures.a_jpeg_claiming(64, 0), Reason.CORRUPT),
    "12000 x 16": Sample(lambda: pictures.a_jpeg(12_000, 16), size=(12_000, 16)),
    "16 x 12000": Sample(lambda: pictures.a_jpeg(16, 12_000), size=(16, 12_000)),
    "1 x 30000": Sample(lambda: pictures.a_jpeg(1, 30_000), size=(1, 30_000)),
    "1 x 1": Sample(lambda: pictures.a_jpeg(1, 1), size=(1, 1)),
}

METADATA: Samples = {
    **{
        f"orientation {number}": Sample(
            partial(with_exif, oriented(number)),
            size=(48, 64) if number in {5, 6, 7, 8} else (64, 48),
        )
        for number in ORIENTATIONS
    },
    **{f"EXIF: {name}": Sample(partial(with_exif, data)) for name, data in EXIF.items()},
    "a place and a comment": Sample(
        lambda: pictures.a_jpeg(64, 48, exif=pictures.exif(6, place=True), comment=b"mine")
    ),
    "XMP": Sample(lambda: pictures.a_jpeg(64, 48, xmp=b"<x:xmpmeta>mine</x:xmpmeta>")),
    "XMP drawn out": Sample(
        lambda: with_segments(*[segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(60_000))] * 20)
    ),
    "XMP that turns it": Sample(lambda: pictures.a_jpeg(64, 48, xmp=TURNING_XMP), size=(64, 48)),
    "IPTC": Sample(lambda: with_segments(segment(0xED, PHOTOSHOP + b"\0\0\0\x0a\x1c\x02\x78\0\x05mine!"))),
    "IPTC of lies": Sample(lambda: with_segments(segment(0xED, PHOTOSHOP + b"\x7f\xff\xff\xff\x1c\x02"))),
    "Photoshop's resolution of rubbish": Sample(
        lambda: with_segments(segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x02\xff\xff"))
    ),
    "Display P3": Sample(lambda: with_profile(P3)),
    "Display P3 in parts": Sample(lambda: with_profile(P3[:100], P3[100:])),
    "a profile of 255 x 64 KB": Sample(lambda: with_profile(*[bytes(65_000)] * 130, of=255)),
    "a profile of rubbish": Sample(lambda: with_profile(bytes(65_000))),
    "a profile cut short": Sample(lambda: with_profile(P3[:200])),
    "a profile that lies about its length": Sample(lambda: with_profile(b"\x7f\xff\xff\xff" + P3[4:])),
    "a profile of another class": Sample(lambda: with_profile(P3.replace(b"mntr", b"link"))),
    "a profile of another space": Sample(lambda: with_profile(P3.replace(b"RGB ", b"CMYK"))),
    "a profile whose tags overlap": Sample(lambda: with_profile(P3[:132] + P3[132:144] * 9 + P3[240:])),
    "a profile of which parts are missing": Sample(lambda: with_profile(P3[:100], of=9)),
    "a burst": Sample(pictures.a_phone_burst, size=(640, 480)),
    "a burst whose directory lies": Sample(_bare_phone_burst, size=(640, 480)),
    "a gain map": Sample(ultra_hdr),
    "a film behind it": Sample(motion_photo),
    "a thumbnail": Sample(lambda: with_exif(oriented(1) + BASELINE)),
}

POLYGLOTS: Samples = {
    "HTML and ZIP in a comment": Sample(lambda: with_segments(segment(0xFE, SCRIPT + ARCHIVE))),
    "HTML and ZIP behind it": Sample(lambda: BASELINE + SCRIPT + ARCHIVE),
    "PDF in a comment": Sample(lambda: with_segments(segment(0xFE, PDF))),
    "PDF before it": Sample(lambda: PDF + BASELINE, Reason.UNSUPPORTED_FORMAT),
    "SVG behind it": Sample(lambda: BASELINE + SVG.encode()),
    "script as its first segment": Sample(
        lambda: with_segments(segment(0x2F, b"*" * 42 + b"*/=alert(1);/*")), Reason.CORRUPT
    ),
}

JPEGS: Samples = {**CODING, **BOMBS, **SIZES, **METADATA, **POLYGLOTS}
