"""Read the files that the service makes by the rules of their formats, without the code under test."""

import struct
from collections.abc import Mapping
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from profile_media.domain.ports import Rendered
from profile_media.imaging.child_protocol import RenderResult


def webp_chunks(content: bytes) -> list[bytes]:
    """Return the names of a WebP file's chunks. Assert that they fill the whole file."""
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
    """Return the markers of a JPEG file up to its scan. Assert that the file ends with an end marker."""
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


def contents(rendered: Rendered | RenderResult) -> Mapping[str, bytes]:
    """Return the files by the names of their derivatives."""
    if isinstance(rendered, RenderResult):
        return {image.name: image.content for image in rendered.images}
    return {derivative.name: content for derivative, content in rendered.derivatives}


def opened(content: bytes) -> Image.Image:
    """Open a WebP or JPEG file."""
    return Image.open(BytesIO(content), formats=["WEBP", "JPEG"])


def pixels(picture: bytes | Image.Image, mode: str = "RGB") -> NDArray[np.float64]:
    """Return the decoded pixels as floats."""
    image = opened(picture) if isinstance(picture, bytes) else picture
    return np.asarray(image.convert(mode)).astype(np.float64)


def difference(one: bytes | Image.Image, other: bytes | Image.Image) -> float:
    """Return the mean absolute difference of two pictures of one size, in steps of 256."""
    left, right = pixels(one), pixels(other)
    assert left.shape == right.shape
    return float(np.abs(left - right).mean())
