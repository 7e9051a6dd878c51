"""Reads the files the service makes, by the formats' own rules and not by the code under test."""

import struct
from collections.abc import Mapping
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from profile_media.domain.ports import Rendered
from profile_media.imaging.answer import Made


def webp_chunks(content: bytes) -> list[bytes]:
    """The names of a WebP file's chunks, having checked that they fill the file to the byte."""
    riff, length, webp = struct.unpack_from("<4sI4s", content)
    assert (riff, length + 8, webp) == (b"RIFF", len(content), b"WEBP")
    names, at = [], 12
    while at < len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        names.append(name)
        at += 8 + size + size % 2
    assert at == len(content)
    return names


def jpeg_segments(content: bytes) -> list[int]:
    """The marker codes of a JPEG file up to its scan, having checked that the picture ends where the file does."""
    assert content[:2] == b"\xff\xd8"
    assert content[-2:] == b"\xff\xd9"
    codes, at = [], 2
    while True:
        mark, code, size = struct.unpack_from("!BBH", content, at)
        assert mark == 0xFF
        codes.append(code)
        at += 2 + size
        if code == 0xDA:
            return codes


def contents(rendered: Rendered | Made) -> Mapping[str, bytes]:
    """The files by their derivatives' names."""
    if isinstance(rendered, Made):
        return {picture.name: picture.content for picture in rendered.pictures}
    return {derivative.name: content for derivative, content in rendered.derivatives}


def opened(content: bytes) -> Image.Image:
    """The decoded file."""
    return Image.open(BytesIO(content), formats=["WEBP", "JPEG"])


def pixels(picture: bytes | Image.Image, mode: str = "RGB") -> NDArray[np.float64]:
    """The decoded pixels, as numbers that can be subtracted."""
    image = opened(picture) if isinstance(picture, bytes) else picture
    return np.asarray(image.convert(mode)).astype(np.float64)


def difference(one: bytes | Image.Image, other: bytes | Image.Image) -> float:
    """The mean absolute difference of two pictures of one size, in steps of 256."""
    left, right = pixels(one), pixels(other)
    assert left.shape == right.shape
    return float(np.abs(left - right).mean())
