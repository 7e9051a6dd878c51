"""The harness finds every kind of fault, and one file cannot end a run."""

import os
import signal
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType
from profile_media.domain.model import DecodeCost, Derivative, Reason, Slot
from profile_media.domain.ports import Rendered
from profile_media.imaging import PillowImages
from tests import pictures
from tests.hostile.__main__ import main
from tests.hostile.harness import Verdict, Workers, compare, examine, faults_of_derivative
from tests.hostile.parts import ARCHIVE, PDF, SCRIPT, Sample

PNG = pictures.a_png(32, 32)
AVATAR = (Slot.AVATAR,)
FAULTY: dict[str, bytes] = {
    "EXIF in a WebP": pictures.a_webp(32, 32, exif=pictures.exif()),
    "XMP in a WebP": pictures.a_webp(32, 32, xmp=b"<x/>"),
    "profile in a WebP": pictures.a_webp(32, 32, icc_profile=pictures.a_display_p3_profile()),
    "data after a WebP": pictures.a_webp(32, 32) + b"x",
    "EXIF in a JPEG": pictures.a_jpeg(32, 32, exif=pictures.exif()),
    "XMP in a JPEG": pictures.a_jpeg(32, 32, xmp=b"<x/>"),
    "profile in a JPEG": pictures.a_jpeg(32, 32, icc_profile=pictures.a_display_p3_profile()),
    "comment in a JPEG": pictures.a_jpeg(32, 32, comment=b"mine"),
    "picture after a JPEG": pictures.a_jpeg(32, 32) * 2,
    "script after a JPEG": pictures.a_jpeg(32, 32) + SCRIPT + b"\xff\xd9",
    "grey": pictures.a_file(ContentType.JPEG, pictures.a_picture(32, 32, "L")),
    "other size": pictures.a_jpeg(32, 31),
    "PDF": PDF,
    "ZIP": ARCHIVE,
    "empty": b"",
}


def derivative_of(content: bytes) -> Derivative:
    content_type = ContentType.WEBP if content[:4] == b"RIFF" else ContentType.JPEG
    return Derivative("x", "0" * 32, content_type, 32, 32, len(content))


@pytest.mark.parametrize("content", [pictures.a_jpeg(32, 32), pictures.a_webp(32, 32), pictures.a_webp(32, 32, "RGBA")])
def test_faults_of_derivative_accepts_pixels_only(content: bytes) -> None:
    assert not list(faults_of_derivative(derivative_of(content), content))


@pytest.mark.parametrize("name", FAULTY)
def test_faults_of_derivative_finds_fault(name: str) -> None:
    assert list(faults_of_derivative(derivative_of(FAULTY[name]), FAULTY[name]))


def test_examine_fails_unexpected_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Rendered:
        raise KeyError("a bug")

    monkeypatch.setattr(PillowImages, "render", broken)
    assert examine("x", PNG, slots=AVATAR).outcome == "FAILED"


def test_examine_fails_different_second_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    original, renderings = PillowImages.render, count()

    def varying(images: PillowImages, _: bytes, slot: Slot) -> Rendered:
        return original(images, pictures.a_png(32, 32 + next(renderings)), slot)

    monkeypatch.setattr(PillowImages, "render", varying)
    assert "two renderings differ" in examine("x", PNG, slots=AVATAR).faults


@pytest.mark.parametrize("cost", [DecodeCost(5_001, 1), DecodeCost(1, 1_025)])
def test_examine_fails_rejection_over_limits(monkeypatch: pytest.MonkeyPatch, cost: DecodeCost) -> None:
    def costly(*_: object) -> Rendered:
        raise ImageUnacceptable(Reason.TOO_COMPLEX, "x", cost)

    monkeypatch.setattr(PillowImages, "render", costly)
    assert examine("x", PNG, slots=AVATAR).outcome == "FAILED"


def test_compare_fails_unexpected_result() -> None:
    ready, sample = Verdict("x", 1, size=(4, 3), cpu_ms=9, peak_mib=30), Sample(bytes, cpu_ms=9, size=(4, 3))
    assert compare(ready, sample).outcome == "ready"
    for wrong in (replace(ready, reason=Reason.CORRUPT), replace(ready, size=(3, 4)), replace(ready, cpu_ms=10)):
        assert compare(wrong, sample).outcome == "FAILED"


@pytest.mark.parametrize(
    ("reason", "allowed_mib", "peak_mib"), [(Reason.TOO_COMPLEX, 0, 30), (Reason.TOO_MANY_PIXELS, 100, 257)]
)
def test_compare_fails_rejection_after_decoding(reason: Reason, allowed_mib: int, peak_mib: int) -> None:
    verdict, sample = Verdict("x", 1, reason=reason, peak_mib=allowed_mib), Sample(bytes, reason)
    assert compare(verdict, sample).outcome == "rejected"
    assert compare(replace(verdict, peak_mib=peak_mib), sample).outcome == "FAILED"


def examine_or_die(name: str) -> Verdict:
    if name == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "raising":
        raise LookupError(name)
    return Verdict(name, 1)


def test_workers_survive_file_that_ends_its_worker() -> None:
    names = ["first", "deadly", "raising", "last"]
    verdicts = list(Workers(examine_or_die, 1).examine(names))
    assert [verdict.name for verdict in verdicts] == names
    assert [verdict.outcome for verdict in verdicts] == ["ready", "FAILED", "FAILED", "ready"]


def test_main_reports_folder_of_any_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "picture\n.txt").write_bytes(PNG)
    (tmp_path / "text.png").write_bytes(b"text")
    with (tmp_path / "huge.png").open("wb") as huge:
        huge.write(PNG)
        huge.truncate(50 * 1024 * 1024 + 1)
    (tmp_path / "gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")

    assert main([str(tmp_path), "--slot", "avatar", "--workers", "1"]) == 0

    printed = capsys.readouterr().out
    for expected in ("3 files", "1 ready", "1 rejected unsupported_format", "1 rejected too_large", "picture?.txt"):
        assert expected in printed


def test_main_lists_faults_and_returns_1(
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
