"""Recognise and open HEIC files, in deployments that accept them. The decoder is in the optional layer `heif`."""

import re
from collections.abc import Mapping

from profile_media.imaging import boxes
from profile_media.imaging.profiles import CodedColours

_BRANDS = frozenset({b"heic", b"heix"})
"""Still pictures in HEVC. Sequences (hevc, hevx) are accepted only if they also name one of these."""
_NEUTRAL_BRANDS = frozenset({b"mif1", b"miaf"})
"""Pictures in a codec that only the items name."""
_DECODER_BRANDS = _BRANDS | {b"mif1"}
"""The major brands, of those above, that the decoder accepts."""
_HEVC_ITEM = re.compile(rb"infe.{4}(?:.{4}|.{6})hvc1", re.DOTALL)
"""An item of version 2 or 3 in HEVC: version and flags, number, protection index, type."""


def is_heic(content: bytes) -> bool:
    """Return whether a file names a HEIC brand, or a neutral one and has an item in HEVC."""
    named = boxes.brands(content)
    if not _BRANDS.isdisjoint(named):
        return True
    return not _NEUTRAL_BRANDS.isdisjoint(named) and _HEVC_ITEM.search(content, *boxes.metadata(content)) is not None


def with_known_brand(heic: bytes) -> bytes:
    """Return the file with a major brand that the decoder accepts."""
    return heic if heic[8:12] in _DECODER_BRANDS else boxes.with_major_brand(heic, b"heic")


def register_decoder() -> None:
    """Make Pillow open HEIC files: the picture, but no thumbnails, depth maps and gain maps. Needs pi-heif."""
    from pi_heif import register_heif_opener  # noqa: PLC0415 - the layer is optional

    # A function of this size has one core.
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def coded_colours(info: Mapping[str | tuple[int, int], object]) -> CodedColours | None:
    """Return the colours that the file states as numbers, from what the decoder reports; None if it states none."""
    stated = info.get("nclx_profile")
    if not isinstance(stated, dict):
        return None
    return CodedColours(stated["color_primaries"], stated["transfer_characteristics"])
