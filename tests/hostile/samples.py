"""All generated files by name: hostile ones, and unusual ones that must be accepted."""

from collections.abc import Callable, Collection, Iterator
from functools import partial

from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason, Slot
from tests import pictures
from tests.hostile.avifs import AVIFS
from tests.hostile.foreign import FOREIGN
from tests.hostile.gifs import GIFS
from tests.hostile.harness import Verdict, compare, examine
from tests.hostile.jpegs import JPEGS
from tests.hostile.parts import READY, Sample, Samples
from tests.hostile.pngs import PNGS, interlaced
from tests.hostile.webps import WEBPS

CUTS = 64

WHOLE: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: pictures.a_jpeg(160, 120),
    "progressive JPEG": lambda: pictures.a_jpeg(160, 120, progressive=True),
    "PNG": lambda: pictures.a_png(160, 120),
    "interlaced PNG": interlaced,
    "GIF": lambda: pictures.a_gif(160, 120),
    "animated GIF": lambda: pictures.an_animation(ContentType.GIF),
    "lossy WebP": lambda: pictures.a_webp(160, 120),
    "lossless WebP": lambda: pictures.a_webp(160, 120, lossless=True),
    "AVIF": lambda: pictures.an_avif(160, 120),
}
"""Valid files that are truncated."""

_DETECTION_BYTES = {"JPEG": 3, "progressive JPEG": 3, "PNG": 8, "interlaced PNG": 8, "GIF": 6, "animated GIF": 6}
"""Bytes that the format detection needs; 16 for containers, which name their content late."""

_HALF = {"JPEG": 30.5 / CUTS, "progressive JPEG": 5.5 / CUTS}
"""The share of the file in which at least half of the rows are: of a progressive JPEG, in its first scan."""


def _truncated_files() -> Iterator[tuple[str, Sample]]:
    for name, make in WHOLE.items():
        whole = make()
        for at in range(CUTS):
            kept = len(whole) * at // CUTS
            yield (
                f"{name}/{at} of {CUTS}",
                Sample(partial(bytes, whole[:kept]), _expected_of_truncated(name, kept, whole)),
            )


def _expected_of_truncated(name: str, kept: int, whole: bytes) -> Reason | None:
    if kept < _DETECTION_BYTES.get(name, 16):
        return Reason.UNSUPPORTED_FORMAT
    if kept >= _HALF.get(name, 1) * len(whole):
        return READY
    # Only the first frame is rendered, so only the first frame must be complete.
    if name == "animated GIF" and kept >= _first_frame(whole):
        return READY
    return Reason.CORRUPT


def _first_frame(gif: bytes) -> int:
    """Return an offset after the first frame: that of the control block before the last one."""
    return gif.rindex(b"\x21\xf9\x04", 0, gif.rindex(b"\x21\xf9\x04"))


TRUNCATED: Samples = dict(_truncated_files())
"""Valid files truncated at 64 points each."""

_TABLES = {
    "JPEG": JPEGS,
    "PNG": PNGS,
    "GIF": GIFS,
    "WebP": WEBPS,
    "AVIF": AVIFS,
    "foreign": FOREIGN,
    "truncated": TRUNCATED,
}

SAMPLES: Samples = {f"{table}/{name}": sample for table, samples in _TABLES.items() for name, sample in samples.items()}
"""The names have the form table/file."""


def examine_sample(name: str, slots: Collection[Slot] = tuple(Slot)) -> Verdict:
    """Examine one generated file and compare the result with the expected one."""
    sample = SAMPLES[name]
    return compare(examine(name, sample.make(), slots), sample)
