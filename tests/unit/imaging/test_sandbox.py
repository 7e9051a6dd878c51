"""The child's limits work, and no failure of the child ends the parent."""

import ctypes
import mmap
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import DecodeCost, Reason, Slot
from profile_media.imaging import PillowImages, sandbox
from profile_media.imaging.sandbox import ChildResult, SandboxLimits
from tests import pictures

LIMITS = SandboxLimits(cpu_seconds=1, memory_mib=256, deadline_seconds=120, message_bytes=1_000_000)

HIGH_DESCRIPTOR = 200
"""A descriptor above the pipe's, as a client's socket can have."""


def result_of(task: Callable[[], object]) -> str:
    """Return the task's value in the child, or the error that it raised, as text."""

    def report() -> bytes:
        try:
            return repr(task()).encode()
        except Exception as error:
            return repr(error).encode()

    return sandbox.run(report, LIMITS).message.decode()


def rejection_of(task: Callable[[], object], limits: SandboxLimits = LIMITS) -> ImageUnacceptable:
    with pytest.raises(ImageUnacceptable) as rejected:
        sandbox.run(lambda: repr(task()).encode(), limits)
    return rejected.value


def spin() -> None:
    while True:
        pass


def test_run_returns_message_and_cost() -> None:
    outcome = sandbox.run(lambda: bytes(range(256)) * 3000, LIMITS)
    assert outcome.message == bytes(range(256)) * 3000
    assert 0 <= outcome.cost.cpu_ms < 1000
    assert outcome.cost.peak_mib > 5


def test_run_clears_environment_of_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    assert libc.getenv(b"AWS_SECRET_ACCESS_KEY") == b"secret"

    assert result_of(lambda: (dict(os.environ), libc.getenv(b"AWS_SECRET_ACCESS_KEY"))) == "({}, None)"

    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "secret"


def test_child_writes_neither_core_dumps_nor_files() -> None:
    kinds = (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)
    soft_before = [resource.getrlimit(kind)[0] for kind in kinds]
    for kind in kinds:  # a shell may have lowered the soft limit to 0 already
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (hard, hard))
    try:
        assert result_of(lambda: [resource.getrlimit(kind) for kind in kinds]) == "[(0, 0), (0, 0)]"
    finally:
        for kind, soft in zip(kinds, soft_before, strict=True):
            resource.setrlimit(kind, (soft, resource.getrlimit(kind)[1]))


def test_child_cannot_open_descriptors(tmp_path: Path) -> None:
    written = tmp_path / "written"
    assert "Too many open files" in result_of(lambda: written.write_bytes(b"x"))
    assert not written.exists()
    assert "Too many open files" in result_of(lambda: Path("/proc/self/environ").read_bytes())
    assert "Too many open files" in result_of(socket.socketpair)
    assert "Too many open files" in result_of(os.pipe)


@pytest.mark.parametrize("descriptor", [0, 1, 2, HIGH_DESCRIPTOR])
def test_run_closes_descriptors_of_parent(descriptor: int) -> None:
    reader, writer = os.pipe()
    os.dup2(reader, HIGH_DESCRIPTOR)
    try:
        assert "Bad file descriptor" in result_of(lambda: os.fstat(descriptor))
    finally:
        for opened in (reader, writer, HIGH_DESCRIPTOR):
            os.close(opened)


def test_run_limits_memory() -> None:
    assert result_of(lambda: bytearray(300 * 1024 * 1024)) == "MemoryError()"


def test_run_limits_cpu_time() -> None:
    rejection = rejection_of(spin)
    assert rejection.reason is Reason.TOO_COMPLEX
    assert "SIGXCPU" in rejection.detail


@pytest.mark.parametrize("deadline_seconds", [0, 0.2])
def test_run_limits_waiting(deadline_seconds: float) -> None:
    rejection = rejection_of(signal.pause, SandboxLimits(deadline_seconds=deadline_seconds))
    assert rejection.reason is Reason.TOO_COMPLEX
    assert "no result within" in rejection.detail


def test_run_limits_message() -> None:
    assert rejection_of(lambda: "x" * 2_000_000).reason is Reason.TOO_COMPLEX


@pytest.mark.parametrize(
    ("ended_by", "reason"),
    [
        (signal.SIGSEGV, Reason.CORRUPT),
        (signal.SIGABRT, Reason.CORRUPT),
        (signal.SIGBUS, Reason.CORRUPT),
        (signal.SIGTERM, Reason.CORRUPT),
        (signal.SIGXCPU, Reason.TOO_COMPLEX),
        (signal.SIGKILL, Reason.TOO_COMPLEX),
    ],
)
def test_run_rejects_if_signal_ends_child(ended_by: signal.Signals, reason: Reason) -> None:
    assert rejection_of(lambda: os.kill(os.getpid(), ended_by)).reason is reason


def _kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("failures", "fail", "attempts", "outcome"),
    [
        (1, _kill_itself, 2, b"done"),
        (2, _kill_itself, 2, Reason.TOO_COMPLEX),
        (1, signal.pause, 1, Reason.TOO_COMPLEX),
        (1, lambda: os.kill(os.getpid(), signal.SIGXCPU), 1, Reason.TOO_COMPLEX),
        (1, lambda: os.kill(os.getpid(), signal.SIGSEGV), 1, Reason.CORRUPT),
    ],
    ids=["killed once", "killed twice", "too slow", "too much CPU", "crash"],
)
def test_run_retries_only_child_killed_from_outside(
    failures: int, fail: Callable[[], object], attempts: int, outcome: object
) -> None:
    started = mmap.mmap(-1, 1)  # The children share it.

    def task() -> bytes:
        started[0] += 1
        if started[0] <= failures:
            fail()
        return b"done"

    try:
        result: object = sandbox.run(task, SandboxLimits(deadline_seconds=1)).message
    except ImageUnacceptable as rejection:
        result = rejection.reason
    assert (started[0], result) == (attempts, outcome)


@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: "x" * 2_000_000])
def test_rejection_has_cost_of_child(end: Callable[[], object]) -> None:
    def compute_and_end() -> object:
        while time.process_time() < 0.05:
            pass
        return end()

    rejection = rejection_of(compute_and_end)
    assert rejection.cost
    assert rejection.cost.cpu_ms >= 50
    assert rejection.cost.peak_mib > 5


def test_rejection_has_no_cost_without_child() -> None:
    with pytest.raises(ImageUnacceptable) as decoded:
        PillowImages().render(pictures.a_png_claiming(65_500, 65_500), Slot.AVATAR)
    with pytest.raises(ImageUnacceptable) as probed:
        PillowImages().render(b"text", Slot.AVATAR)
    assert decoded.value.cost
    assert decoded.value.cost.peak_mib > 5
    assert probed.value.cost is None


def test_render_rejects_if_decoder_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        ctypes.string_at(0)

    monkeypatch.setattr("profile_media.imaging.render.render", crash)
    with pytest.raises(ImageUnacceptable) as rejected:
        PillowImages().render(pictures.a_jpeg(64, 64), Slot.AVATAR)
    assert rejected.value.reason is Reason.CORRUPT
    assert "SIGSEGV" in rejected.value.detail


def test_run_fails_if_limits_cannot_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no such limit")

    monkeypatch.setattr("resource.setrlimit", fail)
    with pytest.raises(RuntimeError, match="cannot set the limits"):
        sandbox.run(lambda: b"done", LIMITS)


def test_run_raises_os_error_if_fork_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise BlockingIOError("no process left")

    before = _open_descriptors()
    monkeypatch.setattr(os, "fork", fail)
    with pytest.raises(BlockingIOError):
        sandbox.run(lambda: b"done", LIMITS)
    assert _open_descriptors() == before


@pytest.mark.parametrize("message", [b"", b"\x01", b"\x02", b"\x00\xff", b"\x01" + bytes(8), b"\x01" + b"\xff" * 200])
def test_render_rejects_malformed_message(monkeypatch: pytest.MonkeyPatch, message: bytes) -> None:
    monkeypatch.setattr(sandbox, "run", lambda *_: ChildResult(message, DecodeCost(1, 1)))
    with pytest.raises(ImageUnacceptable) as rejected:
        PillowImages().render(pictures.a_jpeg(64, 64), Slot.AVATAR)
    assert rejected.value.reason is Reason.CORRUPT
    assert rejected.value.cost == DecodeCost(1, 1)


def test_run_leaves_no_descriptors_and_processes() -> None:
    images, good = PillowImages(), pictures.a_png(32, 32)
    before = _open_descriptors(), _children()
    for number in range(20):
        if number % 2:
            images.render(good, Slot.AVATAR)
        else:
            rejection_of(signal.pause, SandboxLimits(deadline_seconds=0.001))
    assert (_open_descriptors(), _children()) == before


def _open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def _children() -> set[str]:
    """Return the process ids of children, including zombies and those of other tests."""
    return {child for tasks in Path("/proc/self/task").glob("*/children") for child in tasks.read_text().split()}
