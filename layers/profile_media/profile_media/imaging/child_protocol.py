"""The message in which the sandbox's child reports its result, and the checks of the parent that reads it.

    rejection   0, reason, detail in UTF-8
    result      1, width, height, dominant colour, 1 if there is an animation, length of the ThumbHash, ThumbHash;
                for each image: type, width, height, length, bytes

Pickle is not used, because an attacker who controls the child could then run code in the parent. The parent also checks
that the
images have the expected sizes and hold nothing but pixels.
"""

import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType
from profile_media.domain.model import ANIMATED, MASTER, Placeholder, Reason, Slot
from profile_media.domain.policy import MASTER_SIDE, SIZES
from profile_media.imaging.metadata import is_pixels_only

_REJECTION, _RESULT = 0, 1
_REASONS = tuple(Reason)
_TYPES = (ContentType.WEBP, ContentType.JPEG)
_REJECTION_HEADER = struct.Struct("!BB")
_RESULT_HEADER = struct.Struct("!BII3s?B")
_IMAGE_HEADER = struct.Struct("!BIII")

THUMB_HASH_BYTES = (5, 25)
"""The shortest and the longest ThumbHash."""

_MAX_DETAIL = 200
"""Characters of an error message that are logged: it may quote the file."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """One derivative or the master, encoded."""

    name: str
    content_type: ContentType
    width: int
    height: int
    content: bytes


@dataclass(frozen=True, slots=True)
class RenderResult:
    """All images made from one upload, their placeholder, and the size of the upright original."""

    width: int
    height: int
    placeholder: Placeholder
    images: tuple[EncodedImage, ...]


def pack_rejection(reason: Reason, detail: str) -> bytes:
    """Return the message for a rejected picture."""
    return _REJECTION_HEADER.pack(_REJECTION, _REASONS.index(reason)) + detail[:_MAX_DETAIL].encode(errors="replace")


def pack_result(result: RenderResult) -> bytes:
    """Return the message for a rendered picture: the sizes of the slot in order, the master, the animated one."""
    thumb_hash = b64decode(result.placeholder.thumb_hash)
    colour = bytes.fromhex(result.placeholder.dominant_color[1:])
    is_animated = any(image.name == ANIMATED for image in result.images)
    header = _RESULT_HEADER.pack(_RESULT, result.width, result.height, colour, is_animated, len(thumb_hash))
    parts: list[bytes] = [header, thumb_hash]
    for image in result.images:
        header = _IMAGE_HEADER.pack(_TYPES.index(image.content_type), image.width, image.height, len(image.content))
        parts += (header, image.content)
    return b"".join(parts)


def unpack(message: bytes, slot: Slot, *, keep_master: bool = True) -> RenderResult:
    """Return the child's result. Raises ImageUnacceptable for its rejection and for any unexpected message."""
    try:
        if message[0] == _RESULT:
            return _unpack_result(message, slot, keep_master=keep_master)
        kind, reason = _REJECTION_HEADER.unpack_from(message)
        if kind == _REJECTION:
            detail = message[_REJECTION_HEADER.size :].decode(errors="replace")[:_MAX_DETAIL]
            raise ImageUnacceptable(_REASONS[reason], detail)
    except (struct.error, IndexError, ValueError) as malformed:
        raise ImageUnacceptable(Reason.CORRUPT, f"malformed message from the decoder: {malformed}") from malformed
    raise ImageUnacceptable(Reason.CORRUPT, "malformed message from the decoder: unknown kind")


def _unpack_result(message: bytes, slot: Slot, *, keep_master: bool) -> RenderResult:
    _, width, height, colour, is_animated, hash_length = _RESULT_HEADER.unpack_from(message)
    names = [size.name for size in SIZES[slot]] + [MASTER] * keep_master + [ANIMATED] * is_animated
    at = _RESULT_HEADER.size + hash_length
    thumb_hash = message[_RESULT_HEADER.size : at]
    if not (THUMB_HASH_BYTES[0] <= len(thumb_hash) == hash_length <= THUMB_HASH_BYTES[1]):
        raise ValueError("ThumbHash of unexpected length")
    placeholder = Placeholder(b64encode(thumb_hash).decode(), f"#{colour.hex()}")
    images: list[EncodedImage] = []
    for name in names:
        kind, image_width, image_height, length = _IMAGE_HEADER.unpack_from(message, at)
        at += _IMAGE_HEADER.size
        content = message[at : at + length]
        at += length
        images.append(EncodedImage(name, _TYPES[kind], image_width, image_height, content))
    if at != len(message):
        raise ValueError("wrong length")
    _check(images, slot)
    return RenderResult(width, height, placeholder, tuple(images))


def _check(images: Sequence[EncodedImage], slot: Slot) -> None:
    """Raise ValueError for an image of unexpected size or type, or with more than pixels in it."""
    sizes = {size.name: size for size in SIZES[slot]}
    sizes[ANIMATED] = next(size for size in SIZES[slot] if size.default)
    for image in images:
        size = sizes.get(image.name)
        if size is None:
            if not (0 < image.width <= MASTER_SIDE and 0 < image.height <= MASTER_SIDE):
                raise ValueError("master of unexpected size")
        elif (image.content_type, image.width, image.height) != (ContentType.WEBP, size.width, size.height):
            raise ValueError(f"{image.name} of unexpected type or size")
        if not is_pixels_only(image.content, image.content_type, is_animated=image.name == ANIMATED):
            raise ValueError(f"{image.name} holds more than pixels")
