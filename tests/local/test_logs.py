"""`make logs`: one readable line per record, of one function or upload, also of records that are still to come."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.local.logs import Logs, main, parse

TIME = "2026-11-21T12:00:0{}.500Z"


def _write(folder: Path, name: str, *lines: dict[str, Any] | str) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.log").open("a") as log:
        log.writelines(line if isinstance(line, str) else f"{json.dumps(line)}\n" for line in lines)


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        (
            {"level": "INFO", "message": "upload processed", "outcome": "ready", "service": "x", "reason": None},
            "INFO",
            "upload processed  outcome=ready",
        ),
        ({"level": "ERROR", "message": "m", "exception": "Traceback\n  File\nE: no"}, "ERROR", "m  exception=E: no"),
        (
            {"type": "platform.report", "record": {"status": "success", "metrics": {"durationMs": 2.5}}},
            "report",
            "success in 2.5 ms",
        ),
        ({"_aws": {}, "UploadsReady": [1.0], "stack": "s"}, "metric", "UploadsReady=[1.0]"),
        ({"message": "a\nb\x1b[2J"}, "", r"a\nb\x1b[2J"),
        ("plain\x07 text\n", "", r"plain\x07 text"),
    ],
)
def test_record_is_one_printable_line(line: dict[str, Any] | str, level: str, text: str) -> None:
    record = parse("F", line if isinstance(line, str) else json.dumps(line))
    assert (record.level, record.text) == (level, text)


def test_records_of_all_files_are_sorted_filtered_and_followed(tmp_path: Path) -> None:
    _write(tmp_path, "BindAvatarFunction", {"timestamp": TIME.format(2), "message": "second", "upload_id": "u-1"})
    _write(tmp_path, "GetUploadFunction", {"time": TIME.format(1), "message": "first"}, "no newline yet")
    every, one, upload = Logs(tmp_path), Logs(tmp_path, function="bind_avatar"), Logs(tmp_path, upload="u-1")
    assert [record.text for record in every.read()] == ["first", "second  upload_id=u-1"]
    assert [record.source for record in one.read()] == ["BindAvatar"]
    assert [record.source for record in upload.read()] == ["BindAvatar"]
    _write(tmp_path, "GetUploadFunction", "\n")
    _write(tmp_path, "BindAvatarFunction", {"message": "third"})
    assert [record.text for record in every.read()] == ["third", "no newline yet"]
    assert [record.text for record in one.read()] == ["third"]
    (tmp_path / "BindAvatarFunction.log").write_text('{"message": "again"}\n')
    assert [record.text for record in every.read()] == ["again"]


def test_lines_have_colours_only_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "logs", "GetUploadFunction", {"level": "ERROR", "message": "broken"})
    arguments = ["--state", str(tmp_path), "--no-follow"]
    assert main(arguments, {}) == 0
    plain = capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(arguments, {}) == 0
    coloured = capsys.readouterr().out
    assert main(arguments, {"NO_COLOR": "1"}) == 0
    assert (plain.count("\n"), "\x1b" in plain, "\x1b[31mERROR" in coloured) == (1, False, True)
    assert capsys.readouterr().out == plain
