"""Puts bytes through what `process_upload` does with them, and looks at all that comes of it."""

import re
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from multiprocessing import get_context

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import MASTER, ContentType, DecodeCost, Derivative, Reason, Slot
from profile_media.domain.policy import MASTER_SIDE, SIZES, Limits
from profile_media.domain.ports import Rendered
from profile_media.imaging import PillowImages
from tests.hostile.parts import CPU_MS, PEAK_MIB, Sample
from tests.unit.imaging.files import jpeg_segments, opened, webp_chunks

WORKERS = 2
_AHEAD = 64
"""Files handed to the workers before the first is back, so that a folder of any length takes no memory."""

_MOST_BYTES = max(Limits().max_bytes.values()) + 1
"""One more than may be, which is what the service fetches of a file."""

_MARKS = re.compile(
    rb"<script|<svg|<html|<\?php|<\?xml|x:xmpmeta|%PDF-|PK\x03\x04[\x0a\x14\x2d]\0|Exif\0\0|ICC_PROFILE|Photoshop 3\.0"
)
"""What must not be left of scripts, archives and metadata; too long to turn up in compressed pixels by chance."""

_WEBP_PARTS = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH"})
_WEBP_ALPHA = 0x10
_JPEG_PARTS = frozenset({0xE0, 0xC0, 0xC4, 0xDB, 0xDA})
_JPEG_END = re.compile(rb"\xff[^\x00]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one file."""

    name: str
    length: int
    declared: ContentType | None = None
    reason: Reason | None = None
    """None where the file is ready."""
    size: tuple[int, int] | None = None
    cpu_ms: int = 0
    peak_mib: int = 0
    faults: tuple[str, ...] = ()
    """Why it must not have become that."""

    @property
    def outcome(self) -> str:
        """One word for it."""
        return "FAILED" if self.faults else "rejected" if self.reason else "ready"


def examine_file(path: str, slots: Collection[Slot] = tuple(Slot)) -> Verdict:
    """The verdict on a file of any content, as the type its own bytes announce."""
    with open(path, "rb") as file:
        return examine(path, file.read(_MOST_BYTES), slots=slots)


def judged(verdict: Verdict, sample: Sample) -> Verdict:
    """A sample's verdict, which also fails where it is not what was expected."""
    faults = list(verdict.faults)
    if verdict.reason is not sample.expected:
        faults.append(f"expected {sample.expected or 'ready'}")
    if verdict.cpu_ms > sample.cpu_ms:
        faults.append(f"took {verdict.cpu_ms} ms where {sample.cpu_ms} are enough")
    if sample.size and verdict.size and verdict.size != sample.size:
        faults.append(f"is {verdict.size} and not {sample.size}")
    return replace(verdict, faults=tuple(faults))


@dataclass(frozen=True, slots=True)
class _Attempt:
    reason: Reason | None
    cost: DecodeCost
    rendered: Rendered | None = None
    fault: str | None = None


def examine(
    name: str, content: bytes, declared: ContentType | None = None, slots: Collection[Slot] = tuple(Slot)
) -> Verdict:
    """Renders a file for each slot, the first slot twice, since the same bytes must come to the same."""
    try:
        declared = declared or _images().identify(content)
    except ImageUnacceptable as refusal:
        return Verdict(name, len(content), None, refusal.reason)
    attempts = [_attempt(content, declared, slot) for slot in (*slots, *islice(slots, 1))]
    first, *_, again = attempts
    faults = [attempt.fault for attempt in attempts if attempt.fault]
    if (first.reason, _derivatives(first)) != (again.reason, _derivatives(again)):
        faults.append("came to something else the second time")
    if len({attempt.reason for attempt in attempts}) > 1:
        faults.append("was taken for one slot and not for another")
    for slot, attempt in zip(slots, attempts, strict=False):
        faults += _flaws(slot, attempt.rendered) if attempt.rendered else ()
    cpu_ms = max(attempt.cost.cpu_ms for attempt in attempts)
    peak_mib = max(attempt.cost.peak_mib for attempt in attempts)
    faults += [f"took {cpu_ms} ms"] if cpu_ms > CPU_MS else []
    faults += [f"took {peak_mib} MiB"] if peak_mib > PEAK_MIB else []
    size = (first.rendered.width, first.rendered.height) if first.rendered else None
    return Verdict(name, len(content), declared, first.reason, size, cpu_ms, peak_mib, tuple(faults))


@cache
def _images() -> PillowImages:
    return PillowImages()


def _attempt(content: bytes, declared: ContentType, slot: Slot) -> _Attempt:
    """One rendering, with the parent's share of the work, which looks at the bytes first."""
    started = time.process_time()
    rendered, reason, cost, fault = None, None, None, None
    try:
        if len(content) > Limits().max_bytes[slot]:
            raise ImageUnacceptable(Reason.TOO_LARGE)
        rendered = _images().render(content, declared, slot)
        cost = rendered.cost
    except ImageUnacceptable as refusal:
        reason, cost = refusal.reason, refusal.cost
    except Exception as error:
        fault = f"raised {error!r}"
    own_ms = round((time.process_time() - started) * 1000)
    cost = cost or DecodeCost(0, 0)
    return _Attempt(reason, DecodeCost(cost.cpu_ms + own_ms, cost.peak_mib), rendered, fault)


def _derivatives(attempt: _Attempt) -> list[Derivative]:
    return [derivative for derivative, _ in attempt.rendered.derivatives] if attempt.rendered else []


def _flaws(slot: Slot, rendered: Rendered) -> Iterator[str]:
    """What is wrong with a slot's derivatives."""
    wanted = {size.name: (size.width, size.height) for size in SIZES[slot]}
    made = {derivative.name: (derivative.width, derivative.height) for derivative, _ in rendered.derivatives}
    longest = max(made.pop(MASTER, (0, 0)))
    if made != wanted or not 0 < longest <= min(MASTER_SIDE, max(rendered.width, rendered.height)):
        yield f"{slot}: not the sizes asked for"
    for derivative, content in rendered.derivatives:
        yield from (f"{slot} {derivative.name}: {flaw}" for flaw in flaws(derivative, content))


def flaws(derivative: Derivative, content: bytes) -> Iterator[str]:
    """What is wrong with one derivative, by a reader of our own and by Pillow's."""
    try:
        yield from _webp_flaws(content) if derivative.content_type is ContentType.WEBP else _jpeg_flaws(content)
        with opened(content) as picture:
            if picture.size != (derivative.width, derivative.height):
                yield f"is {picture.size}"
            if picture.mode not in {"RGB", "RGBA"}:
                yield f"is in {picture.mode}"
            if left := picture.info.keys() & {"exif", "xmp", "icc_profile", "comment", "photoshop"}:
                yield f"holds {sorted(left)}"
    except Exception as error:
        yield f"cannot be read: {error!r}"
    if mark := _MARKS.search(content):
        yield f"holds {mark[0]!r}"


def _webp_flaws(content: bytes) -> Iterator[str]:
    if others := set(webp_chunks(content)) - _WEBP_PARTS:
        yield f"holds chunks {sorted(others)}"
    if content[12:16] == b"VP8X" and content[20] & ~_WEBP_ALPHA:
        yield f"announces {content[20]:#x}"


def _jpeg_flaws(content: bytes) -> Iterator[str]:
    if others := set(jpeg_segments(content)) - _JPEG_PARTS:
        yield f"holds segments {sorted(others)}"
    # The first mark in the entropy-coded data has to be the file's last two bytes.
    end = _JPEG_END.search(content, content.index(b"\xff\xda"))
    scan = _JPEG_END.search(content, end.end()) if end else None
    if scan is None or scan.end() != len(content):
        yield "goes on behind its picture"


class Workers:
    """Processes that examine files; one that dies takes one file along, and not the run."""

    def __init__(self, one: Callable[[str], Verdict], count: int = WORKERS) -> None:
        self._one = one
        self._count = count
        self._pool = _pool(count)

    def examine(self, names: Iterable[str]) -> Iterator[Verdict]:
        """Verdicts on files of any number, in their order."""
        rest, handed_out = iter(names), deque[tuple[str, Future[Verdict]]]()
        try:
            while True:
                handed_out += [(name, self._submit(name)) for name in islice(rest, _AHEAD - len(handed_out))]
                if not handed_out:
                    return
                yield self._verdict(*handed_out.popleft())
        finally:
            self._pool.shutdown(cancel_futures=True)

    def _submit(self, name: str) -> Future[Verdict]:
        try:
            return self._pool.submit(self._one, name)
        except BrokenProcessPool:
            self._pool = _pool(self._count)
            return self._pool.submit(self._one, name)

    def _verdict(self, name: str, future: Future[Verdict]) -> Verdict:
        try:
            return _result(name, future)
        except BrokenProcessPool:
            return self._alone(name)

    def _alone(self, name: str) -> Verdict:
        """A verdict on one of the files that were with a worker that died: was it this one's doing?"""
        with _pool(1) as pool:
            try:
                return _result(name, pool.submit(self._one, name))
            except BrokenProcessPool:
                return Verdict(name, 0, faults=("ended the process that examined it",))


def _result(name: str, future: Future[Verdict]) -> Verdict:
    """What a worker says; raises BrokenProcessPool where it died."""
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except Exception as error:
        return Verdict(name, 0, faults=(f"raised {error!r}",))


def _pool(count: int) -> ProcessPoolExecutor:
    # Fresh processes, because what a child takes is counted with what its parent holds.
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))
