"""Run work on hostile bytes in a forked child process that can only compute.

A fork starts in about 5 ms with the codecs loaded; a new interpreter imports them for more than 100 ms. The child gets
limits on CPU time, memory and waiting, no descriptor except the pipe for its message, no right to open one, and no
environment, which holds AWS credentials. This does not stop code running in the child from reading the memory that the
child shares with its parent: it protects against files that exhaust or crash a decoder.
"""

import os
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import DecodeCost, Reason

_MIB = 1024 * 1024
_PIPE_BYTES = 64 * 1024
"""The capacity of a pipe on Linux. A read never returns more."""

_SETUP_FAILED = 70
"""Exit status of a child whose limits could not be set. It has not read the picture."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """The limits for rendering one picture."""

    cpu_seconds: int = 4
    """The largest accepted pictures take 2 to 3; hostile files of 50 MB took at most 1. The documented limit is 5:
    freeing the child's memory may take another second."""
    memory_mib: int = 928
    """On top of the parent's, so that both together stay below 1,024. An animated 25-megapixel WebP with transparency
    takes 780; a function of 1,769 MB has room."""
    deadline_seconds: float = 12.0
    """Wall clock, for a child that waits instead of computing, and for both attempts if the first one is killed. API
    Gateway allows 29, including all AWS calls."""
    message_bytes: int = 32 * _MIB
    """The images together take a few MiB: a child that sends more is not running our code."""


@dataclass(frozen=True, slots=True)
class ChildResult:
    """The child's message, not yet checked, with the CPU time and memory that it used."""

    message: bytes
    cost: DecodeCost


class _LimitExceeded(Exception):
    """The child took too long or sent too much."""


class _Killed(Exception):
    """Another process or the kernel ended the child with SIGKILL."""

    def __init__(self, cost: DecodeCost) -> None:
        super().__init__()
        self.cost = cost


def run(task: Callable[[], bytes], limits: SandboxLimits) -> ChildResult:
    """Run the task in a child and return the bytes that it returned.

    A child that is killed from outside, as the kernel does if the machine has no memory left, is started once more: the
    picture need not be the cause. A child that exceeds its own limits is not.

    Raises ImageUnacceptable if the child crashes or exceeds a limit, RuntimeError if its limits cannot be set, and
    OSError if the machine cannot start a process, which a retry may cure.
    """
    deadline = time.monotonic() + limits.deadline_seconds
    with suppress(_Killed):
        return _run_once(task, limits, deadline)
    try:
        return _run_once(task, limits, deadline)
    except _Killed as killed:
        raise ImageUnacceptable(Reason.TOO_COMPLEX, "the decoder was killed twice", killed.cost) from None


def _run_once(task: Callable[[], bytes], limits: SandboxLimits, deadline: float) -> ChildResult:
    """Run the task in one child. Raises _Killed in addition to the errors of `run`."""
    reader, writer = os.pipe()
    try:
        child = _fork()
    except BaseException:
        os.close(reader)
        os.close(writer)
        raise
    if child == 0:
        _run_child(task, writer, limits)
    exceeded: str | None = None
    try:
        os.close(writer)
        message = _receive(reader, limits, deadline)
    except _LimitExceeded as limit:
        exceeded = str(limit)
    finally:
        os.close(reader)
        # A child that closed its end of the pipe has already exited, so the signal does not change its status.
        os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    cost = _cost(usage)
    if exceeded is not None:
        raise ImageUnacceptable(Reason.TOO_COMPLEX, exceeded, cost)
    _check_exit(os.waitstatus_to_exitcode(status), cost)
    return ChildResult(message, cost)


def _fork() -> int:
    # Python warns if other threads exist, because the child could wait for a lock that one of them holds. This child
    # takes no lock: everything is imported, and it does not log. If it hangs all the same, the deadline ends it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _receive(reader: int, limits: SandboxLimits, deadline: float) -> bytes:
    """Return everything that the child writes before it exits. Raises _LimitExceeded."""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    message = bytearray()
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not poll.poll(remaining * 1000):
            raise _LimitExceeded(f"no result within {limits.deadline_seconds} s")
        received = os.read(reader, _PIPE_BYTES)
        if not received:
            return bytes(message)
        message += received
        if len(message) > limits.message_bytes:
            raise _LimitExceeded(f"a result of more than {limits.message_bytes} bytes")


def _cost(usage: resource.struct_rusage) -> DecodeCost:
    peak_mib = usage.ru_maxrss // (_MIB if sys.platform == "darwin" else 1024)
    return DecodeCost(round((usage.ru_utime + usage.ru_stime) * 1000), peak_mib)


def _check_exit(exit_code: int, cost: DecodeCost) -> None:
    """Raise an error if a signal ended the child or its limits were not set. In all other cases its message decides."""
    if exit_code == _SETUP_FAILED:
        raise RuntimeError("cannot set the limits of the sandbox")
    if exit_code == -signal.SIGKILL:
        raise _Killed(cost)
    if exit_code < 0:
        reason = Reason.TOO_COMPLEX if exit_code == -signal.SIGXCPU else Reason.CORRUPT
        raise ImageUnacceptable(reason, f"the decoder was ended by {signal.Signals(-exit_code).name}", cost)


def _run_child(task: Callable[[], bytes], writer: int, limits: SandboxLimits) -> NoReturn:
    """Do everything that the child does. It exits here, so that no code of the parent runs twice."""
    status = _SETUP_FAILED
    try:
        _confine(writer, limits)
        status = 1
        unsent = memoryview(task())
        while unsent:
            unsent = unsent[os.write(writer, unsent) :]
        status = 0
    finally:
        os._exit(status)


def _confine(writer: int, limits: SandboxLimits) -> None:
    """Permanently drop every right and resource that decoding does not need."""
    for handled in (signal.SIGINT, signal.SIGTERM):
        signal.signal(handled, signal.SIG_DFL)
    warnings.simplefilter("ignore")
    os.environ.clear()
    memory = _address_space() + limits.memory_mib * _MIB
    os.closerange(0, writer)
    os.closerange(writer + 1, _descriptor_limit())
    _lower_limit(resource.RLIMIT_CORE, 0)
    _lower_limit(resource.RLIMIT_FSIZE, 0)
    # Not even one descriptor: /proc shows the parent's environment, and a socket is a descriptor too.
    _lower_limit(resource.RLIMIT_NOFILE, 0)
    _lower_limit(resource.RLIMIT_CPU, limits.cpu_seconds, grace=1)
    try:
        _lower_limit(resource.RLIMIT_AS, memory)
    except (OSError, ValueError):
        if sys.platform != "darwin":  # macOS defines the constant but not the limit.
            raise


def _lower_limit(kind: int, soft: int, grace: int = 0) -> None:
    """Set the soft limit and a hard limit that is `grace` above it. Never raise a limit that is lower."""
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
        grace = min(grace, hard - soft)
    resource.setrlimit(kind, (soft, soft + grace))


def _address_space() -> int:
    """Return the bytes of address space that the process has; 0 on systems without /proc."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:
        return 0


def _descriptor_limit() -> int:
    """Return a number above every descriptor that can be open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 20
