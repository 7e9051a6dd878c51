"""Runs work on hostile bytes in a forked child that can do nothing but compute, and answers even when the child dies.

A fork, not a fresh interpreter: it starts in about 5 ms with the codecs already loaded, where a new process would
import them for more than 100. What the child is kept from: CPU and memory without end, writing and even opening
anything (no descriptor but the answer's pipe), and the environment with its AWS credentials. It is not a wall against
code running in the child: the memory it was forked with is still there to be read.
"""

import os
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import DecodeCost, Reason

_MIB = 1024 * 1024
_SETUP_FAILED = 70
"""Exit status of a child that could not be confined, and so did not look at the bytes."""

_SPENT = frozenset({signal.SIGXCPU, signal.SIGKILL})
"""What the kernel ends a child with that used up its CPU or the machine's memory."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one picture may cost."""

    cpu_seconds: int = 4
    """The largest pictures the caps let through take about 2; 17,000 hostile files took 0.33 at the most. A second is
    left to what is promised of any file, 5, for clearing away what the child held."""
    memory_mib: int = 928
    """Beyond the parent's own, so that both together stay below 1,024. An animated 25-megapixel WebP with transparency
    takes 780; a function of 1,769 MB has room."""
    deadline_seconds: float = 12.0
    """Wall clock, for a child that waits instead of computing; below API Gateway's 29 with the AWS calls around it."""
    answer_bytes: int = 32 * _MIB
    """The derivatives together are at most a few MiB: a child that sends more is not ours any more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the child sent, unchecked, and what it cost."""

    answer: bytes
    cost: DecodeCost


class _OutOfBounds(Exception):
    """The child took too long to answer, or answered too much."""


def run(task: Callable[[], bytes], limits: SandboxLimits) -> Outcome:
    """Lets a child do the task and send what it returns.

    Raises ImageUnacceptable where the child dies, whatever of, and RuntimeError where it cannot be confined; OSError
    where the machine has no process left to give, which trying again may cure.
    """
    reader, writer = os.pipe()
    try:
        child = _fork()
    except BaseException:
        os.close(reader)
        os.close(writer)
        raise
    if child == 0:
        _serve(task, writer, limits)
    out_of_bounds: str | None = None
    try:
        os.close(writer)
        answer = _receive(reader, limits)
    except _OutOfBounds as bounds:
        out_of_bounds = str(bounds)
    finally:
        os.close(reader)
        # An honest child closes its end by exiting, and then its status stands and this signal changes nothing.
        os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    cost = _cost(usage)
    if out_of_bounds is not None:
        raise ImageUnacceptable(Reason.TOO_COMPLEX, out_of_bounds, cost)
    _check(os.waitstatus_to_exitcode(status), cost)
    return Outcome(answer, cost)


def _fork() -> int:
    # Python warns where other threads exist, since the child could wait for a lock that one of them held. Ours takes
    # none: everything it needs is imported, it does not log; and if it ever hung, the deadline would end it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _receive(reader: int, limits: SandboxLimits) -> bytes:
    """Everything the child writes until it exits; raises _OutOfBounds."""
    ends = time.monotonic() + limits.deadline_seconds
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    answer = bytearray()
    while True:
        left = ends - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise _OutOfBounds(f"no answer within {limits.deadline_seconds} s")
        received = os.read(reader, _MIB)
        if not received:
            return bytes(answer)
        answer += received
        if len(answer) > limits.answer_bytes:
            raise _OutOfBounds(f"an answer of more than {limits.answer_bytes} bytes")


def _cost(usage: resource.struct_rusage) -> DecodeCost:
    peak_mib = usage.ru_maxrss // (_MIB if sys.platform == "darwin" else 1024)
    return DecodeCost(round((usage.ru_utime + usage.ru_stime) * 1000), peak_mib)


def _check(exit_code: int, cost: DecodeCost) -> None:
    """Turns the child's death into a refusal; a child that exited by itself is judged by its answer."""
    if exit_code == _SETUP_FAILED:
        raise RuntimeError("the sandbox could not be set up")
    if exit_code < 0:
        reason = Reason.TOO_COMPLEX if -exit_code in _SPENT else Reason.CORRUPT
        raise ImageUnacceptable(reason, f"the decoder died of {signal.Signals(-exit_code).name}", cost)


def _serve(task: Callable[[], bytes], writer: int, limits: SandboxLimits) -> NoReturn:
    """The child's whole life. It never returns, so nothing of the parent's runs twice."""
    status = _SETUP_FAILED
    try:
        _confine(writer, limits)
        status = 1
        rest = memoryview(task())
        while rest:
            rest = rest[os.write(writer, rest) :]
        status = 0
    finally:
        os._exit(status)


def _confine(writer: int, limits: SandboxLimits) -> None:
    """Gives up, for good, everything that decoding does not need."""
    for handled in (signal.SIGINT, signal.SIGTERM):
        signal.signal(handled, signal.SIG_DFL)
    warnings.simplefilter("ignore")
    os.environ.clear()
    memory = _address_space() + limits.memory_mib * _MIB
    os.closerange(0, writer)
    os.closerange(writer + 1, _highest_descriptor())
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    # Not one: the parent's environment could be read through /proc, and a socket is a descriptor too.
    _limit(resource.RLIMIT_NOFILE, 0)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, grace=1)
    try:
        _limit(resource.RLIMIT_AS, memory)
    except (OSError, ValueError):
        if sys.platform != "darwin":  # macOS has the constant and not the limit
            raise


def _limit(what: int, most: int, grace: int = 0) -> None:
    """Lowers a limit, or leaves it where it is lower already."""
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
        grace = min(grace, hard - most)
    resource.setrlimit(what, (most, most + grace))


def _address_space() -> int:
    """Bytes of address space the process has now; 0 where the system does not say, which is not Linux."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:
        return 0


def _highest_descriptor() -> int:
    """One past any descriptor that can be open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 20
