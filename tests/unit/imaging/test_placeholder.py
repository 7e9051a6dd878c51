"""ThumbHashes are those of the reference implementation, and dominant colours those that a person would name."""

from base64 import b64decode
from collections.abc import Callable

import pytest
from PIL import Image

from profile_media.imaging.placeholder import dominant_color, make_placeholder
from profile_media.imaging.thumb_hash import thumb_hash
from tests import pictures

PIXELS: dict[str, Callable[[int, int], list[int]]] = {
    "opaque": lambda x, y: [(3 * x + 2 * y) % 256, (555 - 2 * x) % 256, (x * x + y) % 256, 255],
    "faded": lambda x, y: [5 * x % 256, 7 * y % 256, (x + y) % 256, (4 * x + y) % 256],
    "grey": lambda x, y: [(2 * x + 3 * y) % 256] * 3 + [255],
    "empty": lambda x, y: [10 * x % 256, 200, 30, 0],
}
"""Red, green, blue and alpha of the pixel at x, y."""

VECTORS = [
    ("opaque", 100, 100, "YNgJJxIGU5d2dIhnqHeHh4d3h4CH+3YI"),
    ("opaque", 100, 33, "X8gNQoQGZod3h3eHB3joaoA="),
    ("opaque", 33, 100, "HUgOOhiQZGh4eId48YX3MWY="),
    ("opaque", 1, 1, "hKgJLxYI9wiIh4hwj3CI+AiIgIAI94cP"),
    ("opaque", 1, 100, "kGgiKRwIhYp4h4iHCIiIIIg="),
    ("opaque", 17, 9, "iwYKTIhwaWmHiIiHiHePeAdniA=="),
    ("opaque", 64, 64, "4egNNwwgiHhmeIeHh3h3eIeHB3Nm3zUF"),
    ("opaque", 7, 2, "RcgBEoSQh4d3d3eIX4gHeIc="),
    ("faded", 100, 100, "3jiGFQQnkKCSmIVpSDx/BLWZZ4B2hHh4hw=="),
    ("faded", 100, 33, "2zmGEooXlJOAmYhsgFj4eAbQd5Z3eHc="),
    ("faded", 33, 100, "GMmFEgYnoLN4aFiTfwSamXB3gnh4eIg="),
    ("faded", 1, 1, "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="),
    ("faded", 1, 100, "0AehCT4zCIeIiHj3jnJ/iAj3hIuIeIg="),
    ("faded", 17, 9, "yCiCA4AS0Jewh4jBsAj8dYB3h4h3eHc="),
    ("faded", 64, 64, "2jmGFQYYFE+yiKMXuQioIpDZAExHanh4hw=="),
    ("faded", 7, 2, "AiiCAYAR8JekiIfwogfOdnR3h4iHiAg="),
    ("grey", 100, 100, "HwgOBwCFh4d6dXcHiFjId2iGBwAAAAAA"),
    ("grey", 100, 33, "IggSAoBQaHhVamlpAAAAAAA="),
    ("grey", 33, 100, "HQgWAgB3ZweImWeWAAAAAAA="),
    ("grey", 1, 1, "AAgCBwAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("grey", 1, 100, "HAg6AQAIhlmoiYZ4AAAAAAA="),
    ("grey", 17, 9, "BwgGBICAd3dyiIiHiHcAAAAAAA=="),
    ("grey", 64, 64, "IggKBwBEd3cgeneydpiFaYiHCAAAAAAA"),
    ("grey", 7, 2, "AggCAoBwd3d1iHiIAAAAAAA="),
    ("empty", 100, 100, "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="),
    ("empty", 100, 33, "AAiCAoAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("empty", 33, 100, "AAiCAgAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("empty", 1, 1, "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="),
    ("empty", 1, 100, "AAiCAQAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("empty", 17, 9, "AAiCA4AAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("empty", 64, 64, "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="),
    ("empty", 7, 2, "AAiCAYAAAAAAAAAAAAAAAAAAAAAAAAA="),
]
"""What the reference implementation in JavaScript returns."""


@pytest.mark.parametrize(("kind", "width", "height", "expected"), VECTORS)
def test_thumb_hash_is_that_of_reference(kind: str, width: int, height: int, expected: str) -> None:
    rgba = bytes(value for y in range(height) for x in range(width) for value in PIXELS[kind](x, y))

    made, wanted = thumb_hash(width, height, rgba), b64decode(expected)

    header = 6 if kind in {"faded", "empty"} else 5
    assert (len(made), made[:header]) == (len(wanted), wanted[:header])
    # The order in which numbers are added decides how a coefficient is rounded that is exactly between two steps.
    steps = [abs(one - other) for one, other in zip(_nibbles(made[header:]), _nibbles(wanted[header:]), strict=True)]
    assert max(steps) <= 1
    assert sum(steps) <= 0.2 * len(steps)


@pytest.mark.parametrize(
    ("colours", "expected"),
    [
        ([(200, 30, 40, 255)] * 3 + [(10, 10, 10, 255)] * 2, "#c81e28"),
        ([(200, 30, 40, 0)] * 3 + [(10, 11, 12, 255)] * 2, "#0a0b0c"),
        ([(0, 0, 0, 255), (2, 4, 6, 255), (255, 255, 255, 255)], "#010203"),
        ([(9, 9, 9, 0)], "#000000"),
    ],
)
def test_dominant_color_is_mean_of_largest_visible_group(colours: list[tuple[int, ...]], expected: str) -> None:
    assert dominant_color(b"".join(map(bytes, colours))) == expected


@pytest.mark.parametrize("size", [(512, 512), (1500, 500)])
def test_placeholder_of_derivative_is_that_of_its_pixels(size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, (250, 200, 20))
    picture.paste((20, 30, 120), (0, 0, size[0] // 3, size[1]))

    placeholder = make_placeholder(picture)

    full = picture.resize((100, 100 * size[1] // size[0]), Image.Resampling.BOX).convert("RGBA")
    close = thumb_hash(*full.size, full.tobytes())
    pairs = zip(_nibbles(b64decode(placeholder.thumb_hash)), _nibbles(close), strict=True)
    assert max(abs(one - other) for one, other in pairs) <= 1
    assert placeholder.dominant_color == "#fac814"


def test_placeholder_of_transparent_derivative_has_alpha() -> None:
    placeholder = make_placeholder(pictures.a_picture(512, 512, "RGBA"))
    assert b64decode(placeholder.thumb_hash)[2] & 0x80


def _nibbles(content: bytes) -> list[int]:
    return [half for byte in content for half in (byte & 15, byte >> 4)]
