"""Describe a picture in a few bytes, for pages to show before the picture is loaded. Runs in the sandbox's child."""

from base64 import b64encode
from collections import defaultdict
from itertools import batched

from PIL import Image

from profile_media.domain.model import Placeholder
from profile_media.imaging.resampling import FROM_DERIVATIVE, shrink
from profile_media.imaging.thumb_hash import thumb_hash

_HASH_SIDE = 48
"""Pixels of the longest side of the copy that is hashed. A hash keeps 7 frequencies a side; 100 pixels, the format's
limit, take four times as long."""

_COLOUR_SIDE = 32
"""Pixels of the longest side of the copy whose colours are counted."""

_BUCKET_BITS = 5
"""Colours that differ only in this many lower bits of each channel are counted as one: 512 buckets."""

_VISIBLE = 128
"""The alpha from which a pixel is counted."""


def make_placeholder(derivative: Image.Image) -> Placeholder:
    """Return the ThumbHash and the dominant colour of a derivative in RGB or RGBA."""
    small = shrink(derivative, _HASH_SIDE, FROM_DERIVATIVE).convert("RGBA")
    return Placeholder(
        b64encode(thumb_hash(*small.size, small.tobytes())).decode(),
        dominant_color(shrink(small, _COLOUR_SIDE, Image.Resampling.BOX).tobytes()),
    )


def dominant_color(rgba: bytes) -> str:
    """Return the mean of the most frequent group of similar visible colours; black if nothing is visible."""
    groups: dict[tuple[int, ...], list[tuple[int, ...]]] = defaultdict(list)
    for *colour, alpha in batched(rgba, 4, strict=True):
        if alpha >= _VISIBLE:
            groups[tuple(value >> _BUCKET_BITS for value in colour)].append(tuple(colour))
    largest = max(groups.values(), key=len, default=[(0, 0, 0)])
    return "#" + bytes(round(sum(channel) / len(largest)) for channel in zip(*largest, strict=True)).hex()
