"""Read JPEG files segment by segment: count segments, find truncated files and files that take much memory."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from profile_media.domain.policy import MAX_JPEG_PADDING, MAX_JPEG_SCANS, MAX_JPEG_SEGMENTS

_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
"""Any marker except the ones without a length that can appear anywhere: stuffed bytes (FF 00), fill bytes (FF FF),
FF 01, and restarts (FF D0 to D7)."""
_START_OF_SCAN = 0xDA
_START_OF_IMAGE, _END_OF_IMAGE = 0xD8, 0xD9
_END_OF_FILE = 0
"""Stands for a marker where the file ends."""

_END_MARKER = b"\xff\xd9"

_SEQUENTIAL_FRAMES = frozenset({0xC0, 0xC1, 0xC9})
_PROGRESSIVE_FRAMES = frozenset({0xC2, 0xCA})


class Segment(NamedTuple):
    """A segment of a JPEG file: its marker, where it starts and ends, and the bytes between the last one and it."""

    marker: int
    start: int
    end: int
    skipped: int


def segments(jpeg: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG file's first picture, the last one with the marker END_OF_FILE if it has no end.

    Follow the markers as libjpeg does: step over segments by their length, so that thumbnails inside them are not
    counted, and stop at the end of the picture, so that pictures and videos that phones append are not either.
    """
    at = 2
    while found := _MARKER.search(jpeg, at):
        marker, start = found[1][0], found.start()
        end = found.end() + max(2, int.from_bytes(jpeg[found.end() : found.end() + 2]))
        yield Segment(marker, start, end, start - at)
        if marker in {_START_OF_IMAGE, _END_OF_IMAGE}:
            return
        at = end
    yield Segment(_END_OF_FILE, len(jpeg), len(jpeg), max(0, len(jpeg) - at))


def exceeded_limit(jpeg: bytes) -> str | None:
    """Return the limit that the first picture of a JPEG file exceeds, as words; None for a picture within limits."""
    scans, padding = 0, 0
    for count, segment in enumerate(segments(jpeg), start=1):
        padding += 0 if scans else segment.skipped
        scans += segment.marker == _START_OF_SCAN
        if scans > MAX_JPEG_SCANS:
            return f"{MAX_JPEG_SCANS} scans"
        if count > MAX_JPEG_SEGMENTS:
            return f"{MAX_JPEG_SEGMENTS} segments"
        if padding > MAX_JPEG_PADDING:
            return f"{MAX_JPEG_PADDING} bytes of padding"
    return None


def complete(jpeg: bytes) -> bytes:
    """Return a file whose picture has an end marker: the same file, or a truncated one up to its last whole segment.

    libjpeg then decodes what is there and fills the rest with grey. Pillow's `LOAD_TRUNCATED_IMAGES` is not used,
    because it also accepts files that cannot be decoded at all, as black pictures.
    """
    if jpeg.endswith(
        _END_MARKER
    ):  # Almost all files do, and need no search. The end can be that of an appended picture.
        return jpeg
    for segment in segments(jpeg):
        if segment.marker == _END_OF_IMAGE:
            return jpeg
        if segment.marker == _START_OF_IMAGE or segment.end > len(jpeg):
            return jpeg[: segment.start] + _END_MARKER
    return jpeg + _END_MARKER


def is_buffered(jpeg: bytes) -> bool:
    """Return whether decoding holds the whole picture's coefficients: if it is progressive or has several scans."""
    components = b""
    for segment in segments(jpeg):
        if segment.marker in _PROGRESSIVE_FRAMES:
            return True
        if segment.marker in _SEQUENTIAL_FRAMES:
            components = jpeg[segment.start + 9 : segment.start + 10]
        if segment.marker == _START_OF_SCAN:
            return jpeg[segment.start + 4 : segment.start + 5] != components
    return False
