"""Every sample there is, by name: hostile files, and odd ones that must not be taken for hostile."""

from collections.abc import Callable, Collection, Iterator
from functools import partial

from profile_media.domain.model import ContentType, Reason, Slot
from tests import pictures
from tests.hostile.avifs import AVIFS
from tests.hostile.foreign import FOREIGN
from tests.hostile.gifs import GIFS
from tests.hostile.harness import Verdict, examine, judged
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
"""Good files, to be cut."""

_ANNOUNCED = {"JPEG": 3, "progressive JPEG": 3, "PNG": 8, "interlaced PNG": 8, "GIF": 6, "animated GIF": 6}
"""Bytes from which on a file is taken for what it is; 16 for containers, which name their content late."""


def _cuts() -> Iterator[tuple[str, Sample]]:
    for name, make in WHOLE.items():
        whole = make()
        for at in range(CUTS):
            kept = len(whole) * at // CUTS
            yield f"{name}/{at} of {CUTS}", Sample(partial(bytes, whole[:kept]), _of_a_cut(name, kept, whole))


def _of_a_cut(name: str, kept: int, whole: bytes) -> Reason | None:
    if kept < _ANNOUNCED.get(name, 16):
        return Reason.UNSUPPORTED_FORMAT
    # Only the first frame is shown, so only that must be whole.
    if name == "animated GIF" and kept >= _first_frame(whole):
        return READY
    return Reason.CORRUPT


def _first_frame(gif: bytes) -> int:
    """Where the second frame's control block starts, at the latest the last."""
    return gif.rindex(b"\x21\xf9\x04", 0, gif.rindex(b"\x21\xf9\x04"))


CUT: Samples = dict(_cuts())
"""Good files cut off at 64 points each."""

_TABLES = {"JPEG": JPEGS, "PNG": PNGS, "GIF": GIFS, "WebP": WEBPS, "AVIF": AVIFS, "foreign": FOREIGN, "cut": CUT}

SAMPLES: Samples = {f"{table}/{name}": sample for table, samples in _TABLES.items() for name, sample in samples.items()}
"""By names like folders'."""


def examine_sample(name: str, slots: Collection[Slot] = tuple(Slot)) -> Verdict:
    """The verdict on one of the samples, which also fails by not being what was expected."""
    sample = SAMPLES[name]
    return judged(examine(name, sample.make(), sample.declared, slots), sample)
