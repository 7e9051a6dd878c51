"""The harness sees what it is there to see, and a run survives any file."""

import os
import signal
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import ContentType, DecodeCost, Derivative, Reason, Slot
from profile_media.domain.ports import Rendered
from profile_media.imaging import PillowImages
from tests import pictures
from tests.hostile.__main__ import main
from tests.hostile.harness import Verdict, Workers, examine, flaws, judged
from tests.hostile.parts import ARCHIVE, PDF, SCRIPT, Sample

pytestmark = pytest.mark.campaign("F-8")

PNG = pictures.a_png(32, 32)
AVATAR = (Slot.AVATAR,)
LEAKS: dict[str, bytes] = {
    "EXIF in a WebP": pictures.a_webp(32, 32, exif=pictures.exif()),
    "XMP in a WebP": pictures.a_webp(32, 32, xmp=b"<x/>"),
    "a profile in a WebP": pictures.a_webp(32, 32, icc_profile=pictures.a_display_p3_profile()),
    "something behind a WebP": pictures.a_webp(32, 32) + b"x",
    "EXIF in a JPEG": pictures.a_jpeg(32, 32, exif=pictures.exif()),
    "XMP in a JPEG": pictures.a_jpeg(32, 32, xmp=b"<x/>"),
    "a profile in a JPEG": pictures.a_jpeg(32, 32, icc_profile=pictures.a_display_p3_profile()),
    "a comment in a JPEG": pictures.a_jpeg(32, 32, comment=b"mine"),
    "a picture behind a JPEG": pictures.a_jpeg(32, 32) * 2,
    "script behind a JPEG": pictures.a_jpeg(32, 32) + SCRIPT + b"\xff\xd9",
    "grey": pictures.a_file(ContentType.JPEG, pictures.a_picture(32, 32, "L")),
    "other sides": pictures.a_jpeg(32, 31),
    "a PDF": PDF,
    "a ZIP": ARCHIVE,
    "nothing": b"",
}


def derivative_of(content: bytes) -> Derivative:
    content_type = ContentType.WEBP if content[:4] == b"RIFF" else ContentType.JPEG
    return Derivative("x", "0" * 32, content_type, 32, 32, len(content))


@pytest.mark.parametrize("content", [pictures.a_jpeg(32, 32), pictures.a_webp(32, 32), pictures.a_webp(32, 32, "RGBA")])
def test_a_bare_picture_is_without_flaw(content: bytes) -> None:
    assert not list(flaws(derivative_of(content), content))


@pytest.mark.parametrize("leak", LEAKS)
def test_what_is_left_is_found(leak: str) -> None:
    assert list(flaws(derivative_of(LEAKS[leak]), LEAKS[leak]))


def test_anything_but_a_refusal_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Rendered:
        raise KeyError("a bug")

    monkeypatch.setattr(PillowImages, "render", broken)
    assert examine("x", PNG, slots=AVATAR).outcome == "FAILED"


def test_a_picture_that_comes_out_differently_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, made = PillowImages.render, count()

    def drifting(images: PillowImages, _: bytes, declared: ContentType, slot: Slot) -> Rendered:
        return honest(images, pictures.a_png(32, 32 + next(made)), declared, slot)

    monkeypatch.setattr(PillowImages, "render", drifting)
    assert "came to something else the second time" in examine("x", PNG, slots=AVATAR).faults


@pytest.mark.parametrize("cost", [DecodeCost(5_001, 1), DecodeCost(1, 1_025)])
def test_what_takes_too_much_is_a_fault_even_if_refused(monkeypatch: pytest.MonkeyPatch, cost: DecodeCost) -> None:
    def costly(*_: object) -> Rendered:
        raise ImageUnacceptable(Reason.TOO_COMPLEX, "x", cost)

    monkeypatch.setattr(PillowImages, "render", costly)
    assert examine("x", PNG, slots=AVATAR).outcome == "FAILED"


def test_a_sample_must_be_what_was_expected() -> None:
    ready, sample = Verdict("x", 1, size=(4, 3), cpu_ms=9), Sample(bytes, cpu_ms=9, size=(4, 3))
    assert judged(ready, sample).outcome == "ready"
    for wrong in (replace(ready, reason=Reason.CORRUPT), replace(ready, size=(3, 4)), replace(ready, cpu_ms=10)):
        assert judged(wrong, sample).outcome == "FAILED"


def one(name: str) -> Verdict:
    if name == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "odd":
        raise LookupError(name)
    return Verdict(name, 1)


def test_a_file_that_ends_its_worker_ends_nothing_else() -> None:
    names = ["first", "deadly", "odd", "last"]
    verdicts = list(Workers(one, 1).examine(names))
    assert [verdict.name for verdict in verdicts] == names
    assert [verdict.outcome for verdict in verdicts] == ["ready", "FAILED", "FAILED", "ready"]


def test_a_folder_of_anything_becomes_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "picture\n.txt").write_bytes(PNG)
    (tmp_path / "text.png").write_bytes(b"text")
    (tmp_path / "huge.png").write_bytes(PNG + bytes(10 * 1024 * 1024))
    (tmp_path / "gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")

    assert main([str(tmp_path), "--slot", "avatar", "--workers", "1"]) == 0

    printed = capsys.readouterr().out
    assert "3 files" in printed
    for told in ("1 ready", "1 rejected unsupported_format", "1 rejected too_large", "picture?.txt"):
        assert told in printed


def test_a_failure_is_told_twice_and_decides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = [Verdict("good", 1), Verdict("bad", 1, faults=("leaks",)), Verdict("late", 1)]
    monkeypatch.setattr(Workers, "examine", lambda *_: iter(verdicts))
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("leaks") == 2
    assert main([str(tmp_path), "--failed"]) == 1
    printed = capsys.readouterr().out
    assert printed.count("leaks") == 1
    assert "good" not in printed
