"""The child: what it cannot do, and that the parent survives whatever it does."""

import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import ContentType, DecodeCost, Reason, Slot
from profile_media.imaging import PillowImages, sandbox
from profile_media.imaging.sandbox import Outcome, SandboxLimits
from tests import pictures

LIMITS = SandboxLimits(cpu_seconds=1, memory_mib=256, deadline_seconds=20, answer_bytes=1_000_000)


def said(task: Callable[[], object], limits: SandboxLimits = LIMITS) -> str:
    """What the task came to in the child: its value, or the error it raised."""

    def reported() -> bytes:
        try:
            return repr(task()).encode()
        except Exception as error:
            return repr(error).encode()

    return sandbox.run(reported, limits).answer.decode()


def died(task: Callable[[], object], limits: SandboxLimits = LIMITS) -> Reason:
    with pytest.raises(ImageUnacceptable) as refused:
        sandbox.run(lambda: repr(task()).encode(), limits)
    return refused.value.reason


def test_the_answer_comes_back_whole_and_the_cost_with_it() -> None:
    outcome = sandbox.run(lambda: bytes(range(256)) * 3000, LIMITS)
    assert outcome.answer == bytes(range(256)) * 3000
    assert 0 <= outcome.cost.cpu_ms < 1000
    assert outcome.cost.peak_mib > 5


def test_the_child_knows_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for decoders")
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    assert libc.getenv(b"AWS_SECRET_ACCESS_KEY") == b"not for decoders"

    assert said(lambda: (dict(os.environ), libc.getenv(b"AWS_SECRET_ACCESS_KEY"))) == "({}, None)"

    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "not for decoders"


def test_the_child_can_open_nothing(tmp_path: Path) -> None:
    written = tmp_path / "written"
    assert "Too many open files" in said(lambda: written.write_bytes(b"x"))
    assert not written.exists()
    assert "Too many open files" in said(lambda: Path("/proc/self/environ").read_bytes())
    assert "Too many open files" in said(socket.socketpair)
    assert "Too many open files" in said(os.pipe)


def test_the_child_holds_nothing_the_parent_has_open(tmp_path: Path) -> None:
    with (tmp_path / "held").open("wb") as held:
        assert "Bad file descriptor" in said(lambda: os.write(held.fileno(), b"x"))
    assert (tmp_path / "held").read_bytes() == b""
    assert "Bad file descriptor" in said(lambda: os.write(2, b"x"))


def test_memory_has_an_end() -> None:
    assert said(lambda: bytearray(300 * 1024 * 1024)) == "MemoryError()"


def test_cpu_has_an_end() -> None:
    def spin() -> None:
        while True:
            pass

    assert died(spin) is Reason.TOO_COMPLEX


def test_waiting_has_an_end() -> None:
    started = time.monotonic()
    assert died(signal.pause, SandboxLimits(deadline_seconds=0.2)) is Reason.TOO_COMPLEX
    assert time.monotonic() - started < 5
    assert died(lambda: "in time", SandboxLimits(deadline_seconds=0)) is Reason.TOO_COMPLEX


def test_answering_has_an_end() -> None:
    assert died(lambda: "x" * 2_000_000) is Reason.TOO_COMPLEX


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (signal.SIGSEGV, Reason.CORRUPT),
        (signal.SIGABRT, Reason.CORRUPT),
        (signal.SIGBUS, Reason.CORRUPT),
        (signal.SIGTERM, Reason.CORRUPT),
        (signal.SIGXCPU, Reason.TOO_COMPLEX),
        (signal.SIGKILL, Reason.TOO_COMPLEX),
    ],
)
def test_a_killed_child_is_a_refusal(by: signal.Signals, reason: Reason) -> None:
    assert died(lambda: os.kill(os.getpid(), by)) is reason


@pytest.mark.parametrize("ending", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: "x" * 2_000_000])
def test_a_refusal_tells_what_the_child_took(ending: Callable[[], object]) -> None:
    def busy() -> object:
        while time.process_time() < 0.05:
            pass
        return ending()

    with pytest.raises(ImageUnacceptable) as refused:
        sandbox.run(lambda: str(busy()).encode(), LIMITS)
    assert refused.value.cost
    assert 50 <= refused.value.cost.cpu_ms < 5000
    assert refused.value.cost.peak_mib > 5


def test_what_the_decoder_refuses_has_its_cost_and_what_it_never_saw_has_none() -> None:
    with pytest.raises(ImageUnacceptable) as seen:
        PillowImages().render(pictures.a_png(1, 1), ContentType.PNG, Slot.AVATAR)
    with pytest.raises(ImageUnacceptable) as unseen:
        PillowImages().render(b"text", ContentType.PNG, Slot.AVATAR)
    assert seen.value.cost
    assert seen.value.cost.peak_mib > 5
    assert unseen.value.cost is None


def test_a_crashing_decoder_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        ctypes.string_at(0)

    monkeypatch.setattr("profile_media.imaging.render.render", crash)
    with pytest.raises(ImageUnacceptable) as refused:
        PillowImages().render(pictures.a_jpeg(64, 64), ContentType.JPEG, Slot.AVATAR)
    assert refused.value.reason is Reason.CORRUPT
    assert "SIGSEGV" in refused.value.detail


def test_a_child_that_cannot_be_confined_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no such limit")

    monkeypatch.setattr(sandbox, "_limit", fail)
    with pytest.raises(RuntimeError, match="could not be set up"):
        sandbox.run(lambda: b"done", LIMITS)


def test_a_machine_without_processes_is_not_the_pictures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise BlockingIOError("no process left")

    before = _open_descriptors()
    monkeypatch.setattr(os, "fork", fail)
    with pytest.raises(BlockingIOError):
        sandbox.run(lambda: b"done", LIMITS)
    assert _open_descriptors() == before


@pytest.mark.parametrize("nonsense", [b"", b"\x01", b"\x02", b"\x00\xff", b"\x01" + bytes(8), b"\x01" + b"\xff" * 200])
def test_nonsense_from_the_child_is_a_refusal(monkeypatch: pytest.MonkeyPatch, nonsense: bytes) -> None:
    monkeypatch.setattr(sandbox, "run", lambda *_: Outcome(nonsense, DecodeCost(1, 1)))
    with pytest.raises(ImageUnacceptable) as refused:
        PillowImages().render(pictures.a_jpeg(64, 64), ContentType.JPEG, Slot.AVATAR)
    assert refused.value.reason is Reason.CORRUPT


def test_nothing_is_left_behind() -> None:
    images, good = PillowImages(), pictures.a_png(32, 32)
    before = _open_descriptors(), _children()
    for at in range(50):
        if at % 2:
            images.render(good, ContentType.PNG, Slot.AVATAR)
        else:
            died(signal.pause, SandboxLimits(deadline_seconds=0.001))
    assert (_open_descriptors(), _children()) == before


def _open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def _children() -> set[str]:
    """Zombies included; other tests may have some of their own."""
    return {child for tasks in Path("/proc/self/task").glob("*/children") for child in tasks.read_text().split()}
