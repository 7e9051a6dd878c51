"""Print the life of one upload as a timeline, from the running stack's logs: `make trace UPLOAD=id`.

A line belongs to an upload if it contains the upload's id, or the id of a request whose other lines contain it. On AWS,
the saved query "Life of an upload" finds the same records.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from profile_media.domain.keys import is_upload_id
from tools.local.logs import Logs, Record, parse

REQUEST_IDS = ("correlation_id", "requestId", "function_request_id", "trace_id")


@dataclass(frozen=True)
class Line:
    """One line of a log."""

    record: Record
    text: str
    requests: frozenset[str]
    """The ids of the requests that it belongs to."""


def read_lines(logs: Path) -> Iterator[Line]:
    """Yield all lines that have a time, except metrics."""
    for name, texts in Logs(logs).new_lines():
        for text in texts:
            record = parse(name, text)
            if record.when and record.level != "metric":
                yield Line(record, text, frozenset(_requests(json.loads(text))))


def _requests(fields: dict[str, Any]) -> Iterator[str]:
    """Yield the ids in a line, also those in the platform's report of an invocation."""
    for place in (fields, fields.get("record") or {}):
        yield from (place[name] for name in REQUEST_IDS if place.get(name))


def life_of(upload_id: str, lines: Iterable[Line]) -> list[Record]:
    """Return the records of an upload and of the requests that handled it, by time."""
    lines = list(lines)
    requests = {request for line in lines if upload_id in line.text for request in line.requests}
    found = [line.record for line in lines if upload_id in line.text or line.requests & requests]
    return sorted(found, key=lambda record: record.when)


def timeline(records: list[Record]) -> Iterator[str]:
    """Yield one line per record, with the seconds since the first one."""
    began = datetime.fromisoformat(records[0].when)
    for record in records:
        seconds = (datetime.fromisoformat(record.when) - began).total_seconds()
        yield f"{seconds:+10.3f} s  {record.source:<24} {record.text}"


def main(arguments: list[str]) -> int:
    """Print the timeline. Return 1 if the logs do not mention the upload."""
    parser = argparse.ArgumentParser(prog="make trace", description="Print the life of an upload.")
    parser.add_argument("upload", help="the upload's id")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of stack.json")
    chosen = parser.parse_args(arguments)
    if not is_upload_id(chosen.upload):
        print("UPLOAD must be an upload id, as the answer to an intent gives it.", file=sys.stderr)
        return 1
    records = life_of(chosen.upload, read_lines(chosen.state / "logs"))
    if not records:
        print(f"No log in {chosen.state / 'logs'} mentions this upload.", file=sys.stderr)
        return 1
    print(f"Upload {chosen.upload} since {records[0].when}")
    for line in timeline(records):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
