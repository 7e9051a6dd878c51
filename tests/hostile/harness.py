"""Render a file as `process_upload` does and check the result by rules of its own."""

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
from profile_media.domain.formats import ContentType
from profile_media.domain.model import MASTER, DecodeCost, Derivative, Reason, Slot
from profile_media.domain.policy import MASTER_SIDE, SIZES
from profile_media.domain.ports import Rendered
from profile_media.imaging import PillowImages
from profile_media.imaging.sandbox import SandboxLimits
from tests.hostile.parts import CPU_MS, PEAK_MIB, Sample
from tests.unit.imaging.files import jpeg_segments, opened, webp_chunks

WORKERS = 2
_QUEUED = 64
"""Files submitted ahead of the results, so that a folder of any length needs little memory."""

_MAX_BYTES = 50 * 1024 * 1024
"""The most that a deployment may allow (`AvatarMaxBytes`)."""

_WITHOUT_DECODER = frozenset({Reason.UNSUPPORTED_FORMAT, Reason.TOO_COMPLEX})
"""Generated files with these expected reasons must be rejected before a child process starts."""

_CLAIM_MIB = 256
"""Memory for rejecting a file with too many pixels: it must not allocate them."""

_FORBIDDEN = re.compile(
    rb"<script|<svg|<html|<\?php|<\?xml|x:xmpmeta|%PDF-|PK\x03\x04[\x0a\x14\x2d]\0|Exif\0\0|ICC_PROFILE|Photoshop 3\.0"
)
"""Signs of scripts, archives and metadata, long enough not to occur in compressed pixels by chance."""

_WEBP_CHUNKS = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH"})
_WEBP_ALPHA_FLAG = 0x10
_JPEG_MARKERS = frozenset({0xE0, 0xC0, 0xC4, 0xDB, 0xDA})
_JPEG_NEXT_MARKER = re.compile(rb"\xff[^\x00]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one file."""

    name: str
    length: int
    content_type: ContentType | None = None
    reason: Reason | None = None
    """Why the file was rejected; None if it was accepted."""
    size: tuple[int, int] | None = None
    cpu_ms: int = 0
    peak_mib: int = 0
    """0 if no child process was started."""
    faults: tuple[str, ...] = ()
    """What is wrong with the result."""

    @property
    def outcome(self) -> str:
        """Return FAILED, rejected or ready."""
        return "FAILED" if self.faults else "rejected" if self.reason else "ready"


def examine_file(path: str, slots: Collection[Slot] = tuple(Slot)) -> Verdict:
    """Examine a file on disk as the type that its first bytes announce."""
    with open(path, "rb") as file:
        return examine(path, file.read(_MAX_BYTES + 1), slots=slots)


def compare(verdict: Verdict, sample: Sample) -> Verdict:
    """Add a fault for each difference between a generated file's result and the expected one."""
    faults = list(verdict.faults)
    if verdict.reason is not sample.expected:
        faults.append(f"expected {sample.expected or 'ready'}")
    if verdict.cpu_ms > sample.cpu_ms:
        faults.append(f"took {verdict.cpu_ms} ms of CPU, limit {sample.cpu_ms}")
    if sample.expected in _WITHOUT_DECODER and verdict.peak_mib:
        faults.append("started a child process")
    if sample.expected is Reason.TOO_MANY_PIXELS and verdict.peak_mib > _CLAIM_MIB:
        faults.append(f"took {verdict.peak_mib} MiB, limit {_CLAIM_MIB}")
    if sample.size and verdict.size and verdict.size != sample.size:
        faults.append(f"is {verdict.size}, expected {sample.size}")
    return replace(verdict, faults=tuple(faults))


@dataclass(frozen=True, slots=True)
class _Attempt:
    reason: Reason | None
    cost: DecodeCost
    rendered: Rendered | None = None
    fault: str | None = None


def examine(name: str, content: bytes, slots: Collection[Slot] = tuple(Slot)) -> Verdict:
    """Render a file for each slot, and for the first slot twice to compare the results."""
    try:
        content_type = _images().identify(content)
    except ImageUnacceptable as rejection:
        return Verdict(name, len(content), None, rejection.reason)
    attempts = [_attempt(content, slot) for slot in (*slots, *islice(slots, 1))]
    first, *_, again = attempts
    faults = [attempt.fault for attempt in attempts if attempt.fault]
    if (first.reason, _derivatives(first)) != (again.reason, _derivatives(again)):
        faults.append("two renderings differ")
    if len({attempt.reason for attempt in attempts}) > 1:
        faults.append("accepted for one slot and rejected for another")
    for slot, attempt in zip(slots, attempts, strict=False):
        faults += _faults_of_rendered(slot, attempt.rendered) if attempt.rendered else ()
    cpu_ms = max(attempt.cost.cpu_ms for attempt in attempts)
    peak_mib = max(attempt.cost.peak_mib for attempt in attempts)
    faults += [f"took {cpu_ms} ms of CPU"] if cpu_ms > CPU_MS else []
    faults += [f"took {peak_mib} MiB"] if peak_mib > PEAK_MIB else []
    size = (first.rendered.width, first.rendered.height) if first.rendered else None
    return Verdict(name, len(content), content_type, first.reason, size, cpu_ms, peak_mib, tuple(faults))


@cache
def _images() -> PillowImages:
    # The limits on CPU and memory are those of production. The deadline is wall clock, which depends on the load.
    return PillowImages(SandboxLimits(deadline_seconds=120))


def _attempt(content: bytes, slot: Slot) -> _Attempt:
    """Render once. The CPU time includes the parent's, which probes the bytes before the child starts."""
    started = time.process_time()
    rendered, reason, cost, fault = None, None, None, None
    try:
        if len(content) > _MAX_BYTES:
            raise ImageUnacceptable(Reason.TOO_LARGE)
        rendered = _images().render(content, slot)
        cost = rendered.cost
    except ImageUnacceptable as rejection:
        reason, cost = rejection.reason, rejection.cost
    except Exception as error:
        fault = f"raised {error!r}"
    own_ms = round((time.process_time() - started) * 1000)
    cost = cost or DecodeCost(0, 0)
    return _Attempt(reason, DecodeCost(cost.cpu_ms + own_ms, cost.peak_mib), rendered, fault)


def _derivatives(attempt: _Attempt) -> list[Derivative]:
    return [derivative for derivative, _ in attempt.rendered.derivatives] if attempt.rendered else []


def _faults_of_rendered(slot: Slot, rendered: Rendered) -> Iterator[str]:
    expected = {size.name: (size.width, size.height) for size in SIZES[slot]}
    sizes = {derivative.name: (derivative.width, derivative.height) for derivative, _ in rendered.derivatives}
    longest = max(sizes.pop(MASTER, (0, 0)))
    if sizes != expected or not 0 < longest <= min(MASTER_SIDE, max(rendered.width, rendered.height)):
        yield f"{slot}: wrong sizes"
    for derivative, content in rendered.derivatives:
        yield from (f"{slot} {derivative.name}: {fault}" for fault in faults_of_derivative(derivative, content))


def faults_of_derivative(derivative: Derivative, content: bytes) -> Iterator[str]:
    """Yield what is wrong with one derivative, according to the tests' own parser and to Pillow."""
    try:
        is_webp = derivative.content_type is ContentType.WEBP
        yield from _faults_of_webp(content) if is_webp else _faults_of_jpeg(content)
        with opened(content) as image:
            if image.size != (derivative.width, derivative.height):
                yield f"size {image.size}"
            if image.mode not in {"RGB", "RGBA"}:
                yield f"mode {image.mode}"
            if metadata := image.info.keys() & {"exif", "xmp", "icc_profile", "comment", "photoshop"}:
                yield f"metadata {sorted(metadata)}"
    except Exception as error:
        yield f"unreadable: {error!r}"
    if found := _FORBIDDEN.search(content):
        yield f"contains {found[0]!r}"


def _faults_of_webp(content: bytes) -> Iterator[str]:
    if others := set(webp_chunks(content)) - _WEBP_CHUNKS:
        yield f"chunks {sorted(others)}"
    if content[12:16] == b"VP8X" and content[20] & ~_WEBP_ALPHA_FLAG:
        yield f"flags {content[20]:#x}"


def _faults_of_jpeg(content: bytes) -> Iterator[str]:
    if others := set(jpeg_segments(content)) - _JPEG_MARKERS:
        yield f"segments {sorted(others)}"
    # The first marker after the entropy-coded data must be the last two bytes of the file.
    start_of_scan = _JPEG_NEXT_MARKER.search(content, content.index(b"\xff\xda"))
    end = _JPEG_NEXT_MARKER.search(content, start_of_scan.end()) if start_of_scan else None
    if end is None or end.end() != len(content):
        yield "data after the picture"


class Workers:
    """Processes that examine files. If one dies, only the file that ended it fails."""

    def __init__(self, task: Callable[[str], Verdict], count: int = WORKERS) -> None:
        self._task = task
        self._count = count
        self._pool = _start_pool(count)

    def examine(self, names: Iterable[str]) -> Iterator[Verdict]:
        """Yield the verdicts on any number of files, in their order."""
        remaining, submitted = iter(names), deque[tuple[str, Future[Verdict]]]()
        try:
            while True:
                submitted += [(name, self._submit(name)) for name in islice(remaining, _QUEUED - len(submitted))]
                if not submitted:
                    return
                yield self._wait(*submitted.popleft())
        finally:
            self._pool.shutdown(cancel_futures=True)

    def _submit(self, name: str) -> Future[Verdict]:
        try:
            return self._pool.submit(self._task, name)
        except BrokenProcessPool:
            self._pool = _start_pool(self._count)
            return self._pool.submit(self._task, name)

    def _wait(self, name: str, future: Future[Verdict]) -> Verdict:
        try:
            return _result(name, future)
        except BrokenProcessPool:
            return self._examine_alone(name)

    def _examine_alone(self, name: str) -> Verdict:
        """Examine one of the files whose worker died again, to find out which of them ended it."""
        with _start_pool(1) as pool:
            try:
                return _result(name, pool.submit(self._task, name))
            except BrokenProcessPool:
                return Verdict(name, 0, faults=("ended the worker process",))


def _result(name: str, future: Future[Verdict]) -> Verdict:
    """Return a worker's verdict. Raises BrokenProcessPool if the worker died."""
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except Exception as error:
        return Verdict(name, 0, faults=(f"raised {error!r}",))


def _start_pool(count: int) -> ProcessPoolExecutor:
    # New processes instead of forks: the memory of a worker counts as its children's.
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))
