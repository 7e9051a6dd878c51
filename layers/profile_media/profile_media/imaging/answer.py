"""How the child tells what it made: a plain binary form, read by a parent that trusts none of it.

    refused   0, reason, detail in UTF-8
    made      1, width, height; then for each picture: type, width, height, length, bytes

Not pickle: whoever takes over a decoder would take over its reader. So the parent also checks that it was sent the
sizes it asked for, and that each is nothing but a picture: no metadata, and nothing before, between or behind.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import MASTER, ContentType, Reason, Slot
from profile_media.domain.policy import MASTER_SIDE, SIZES

_REFUSED, _MADE = 0, 1
_REASONS = tuple(Reason)
_TYPES = (ContentType.WEBP, ContentType.JPEG)
_VERDICT = struct.Struct("!BB")
_FULL = struct.Struct("!BII")
_PICTURE = struct.Struct("!BIII")

_DETAIL = 200
"""Characters of an error's text that are worth a log line: the text may quote the file."""

_WEBP_PIXELS = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_JPEG_TABLES = frozenset({0xC0, 0xC4, 0xDB})
_JPEG_END = re.compile(rb"\xff[^\x00\xd0-\xd7]")


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded picture, as the pipeline made it."""

    name: str
    content_type: ContentType
    width: int
    height: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """Everything made of one upload; width and height are the original's, as a person sees it."""

    width: int
    height: int
    pictures: tuple[Picture, ...]


def names(slot: Slot, *, keep_master: bool = True) -> tuple[str, ...]:
    """What is made for a slot, in the order it is sent."""
    shown = tuple(size.name for size in SIZES[slot])
    return (*shown, MASTER) if keep_master else shown


def write_refusal(reason: Reason, detail: str) -> bytes:
    """The child's no."""
    return _VERDICT.pack(_REFUSED, _REASONS.index(reason)) + detail[:_DETAIL].encode(errors="replace")


def write_made(made: Made) -> bytes:
    """The child's yes; pictures in the order of `names`."""
    parts: list[bytes] = [_FULL.pack(_MADE, made.width, made.height)]
    for picture in made.pictures:
        head = _PICTURE.pack(_TYPES.index(picture.content_type), picture.width, picture.height, len(picture.content))
        parts += (head, picture.content)
    return b"".join(parts)


def read(answer: bytes, slot: Slot, *, keep_master: bool = True) -> Made:
    """What the child answered; raises ImageUnacceptable for its refusal and for what no honest child would send."""
    try:
        if answer[0] == _MADE:
            return _read_made(answer, slot, names(slot, keep_master=keep_master))
        refused, reason = _VERDICT.unpack_from(answer)
        if refused == _REFUSED:
            raise ImageUnacceptable(_REASONS[reason], answer[_VERDICT.size :].decode(errors="replace")[:_DETAIL])
    except (struct.error, IndexError, ValueError) as malformed:
        raise ImageUnacceptable(Reason.CORRUPT, f"a malformed answer: {malformed}") from malformed
    raise ImageUnacceptable(Reason.CORRUPT, "neither made nor refused")


def _read_made(answer: bytes, slot: Slot, expected: Sequence[str]) -> Made:
    _, width, height = _FULL.unpack_from(answer)
    at = _FULL.size
    pictures: list[Picture] = []
    for name in expected:
        kind, picture_width, picture_height, length = _PICTURE.unpack_from(answer, at)
        at += _PICTURE.size
        content = answer[at : at + length]
        at += length
        pictures.append(Picture(name, _TYPES[kind], picture_width, picture_height, content))
    if at != len(answer):
        raise ValueError("more or less than was asked for")
    _check(pictures, slot)
    return Made(width, height, tuple(pictures))


def _check(pictures: Sequence[Picture], slot: Slot) -> None:
    """Raises ValueError unless these are the pictures the slot asks for, and bare."""
    sizes = {size.name: size for size in SIZES[slot]}
    for picture in pictures:
        size = sizes.get(picture.name)
        if size is None:
            if not (0 < picture.width <= MASTER_SIDE and 0 < picture.height <= MASTER_SIDE):
                raise ValueError("the master's sides are out of bounds")
        elif (picture.content_type, picture.width, picture.height) != (ContentType.WEBP, size.width, size.height):
            raise ValueError(f"{size.name} is not as asked for")
        if not is_bare(picture.content, picture.content_type):
            raise ValueError(f"{picture.name} is more than a picture")


def is_bare(content: bytes, content_type: ContentType) -> bool:
    """Whether a WebP or JPEG file holds pixels and what decoding them takes, and nothing else."""
    return _is_bare_webp(content) if content_type is ContentType.WEBP else _is_bare_jpeg(content)


def _is_bare_webp(content: bytes) -> bool:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or int.from_bytes(content[4:8], "little") + 8 != len(content):
        return False
    at = 12
    while at < len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        # VP8X, the extended header, is 10 bytes of flags and sides.
        if name not in _WEBP_PIXELS and (name, length) != (b"VP8X", 10):
            return False
        at += 8 + length + length % 2
    return at == len(content)


def _is_bare_jpeg(content: bytes) -> bool:
    """Baseline, one scan, a JFIF header of 16 bytes and no other application data or comment."""
    at = 2
    while content[at : at + 1] == b"\xff" and content[:2] == b"\xff\xd8":
        code, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        at += 2 + length
        if code == 0xDA:
            end = _JPEG_END.search(content, at)
            return end is not None and end[0] == b"\xff\xd9" and end.end() == len(content)
        if code not in _JPEG_TABLES and (code, length) != (0xE0, 16):
            return False
    return False
