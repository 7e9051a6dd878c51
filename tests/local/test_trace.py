"""`make trace`: the records of one upload and of the requests that handled it, from all logs, by time."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.local.trace import main

UPLOAD = "6b1f3c1e-8f5a-4b54-9a17-0d6a2c3b9d11"
OTHER = "7c2f3c1e-8f5a-4b54-9a17-0d6a2c3b9d11"

LOGS: dict[str, list[dict[str, Any] | str]] = {
    "Api": [
        {"timestamp": "2026-11-21T12:00:00Z", "message": "POST /media/intents 201", "requestId": "r-1"},
        {"timestamp": "2026-11-21T12:00:09Z", "message": "POST /media/intents 201", "requestId": "r-2"},
    ],
    "CreateUploadIntentFunction": [
        {"timestamp": "2026-11-21T12:00:00.2Z", "message": "intended", "correlation_id": "r-1", "upload_id": UPLOAD},
        {"timestamp": "2026-11-21T12:00:09.2Z", "message": "intended", "correlation_id": "r-2", "upload_id": OTHER},
        {"_aws": {}, "timestamp": "2026-11-21T12:00:00.2Z", "correlation_id": "r-1"},
    ],
    "PurgeMediaFunction": [
        {"timestamp": "2026-11-21T12:00:03.5Z", "message": "purged", "function_request_id": "f", "upload_id": UPLOAD},
        {
            "time": "2026-11-21T12:00:03.6Z",
            "type": "platform.report",
            "record": {"requestId": "f", "status": "success", "metrics": {"durationMs": 2}},
        },
        "no JSON, and no time",
    ],
}


def test_trace_joins_an_uploads_records_with_those_of_its_requests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").mkdir()
    for name, lines in LOGS.items():
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        (tmp_path / "logs" / f"{name}.log").write_text(text + "\n")

    assert main([UPLOAD, "--state", str(tmp_path)]) == 0

    shown = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [(words[0], words[2], words[3]) for words in shown] == [
        ("+0.000", "Api", "POST"),
        ("+0.200", "CreateUploadIntent", "intended"),
        ("+3.500", "PurgeMedia", "purged"),
        ("+3.600", "PurgeMedia", "success"),
    ]


@pytest.mark.parametrize("upload", ["nothing", OTHER])
def test_trace_of_an_unknown_upload_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], upload: str
) -> None:
    assert main([upload, "--state", str(tmp_path)]) == 1
    assert capsys.readouterr().err
