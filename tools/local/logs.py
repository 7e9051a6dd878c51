"""Follow the logs of the running stack, one line per record: `make logs FUNCTION=bind_avatar UPLOAD=id`."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.2
SHOWN = 200
"""Earlier records that are shown first."""

COLOURS = {"DEBUG": 2, "INFO": 32, "WARNING": 33, "ERROR": 31, "CRITICAL": 31, "report": 2, "metric": 36}
NAME_COLOUR = 34

HIDDEN = {
    "_aws",
    "exception",
    "function",
    "level",
    "location",
    "message",
    "service",
    "stack",
    "time",
    "timestamp",
    "type",
}
"""Fields that are shown in another way, or are the same in all records."""

LAMBDA_FIELDS = ("function_", "xray_", "cold_start")


@dataclass(frozen=True)
class Record:
    """One line of a log."""

    when: str
    """UTC in ISO format, by which records are sorted; empty for a line that is not JSON."""
    source: str
    level: str
    text: str

    def show(self, *, coloured: bool) -> str:
        """Return the line to print."""
        clock = datetime.fromisoformat(self.when).astimezone().strftime("%H:%M:%S.%f")[:-3] if self.when else " " * 12
        level, source = f"{self.level:<7}", f"{self.source:<22}"
        if coloured:
            level = f"\x1b[{COLOURS.get(self.level, 0)}m{level}\x1b[0m"
            source = f"\x1b[{NAME_COLOUR}m{source}\x1b[0m"
        return f"{clock} {level} {source} {self.text}"


def parse(source: str, line: str) -> Record:
    """Return the record of a line: of the service's logger, of Lambda's platform, a metric, or any text."""
    try:
        fields = json.loads(line)
        when = _normal(fields.get("timestamp") or fields.get("time"))
    except (ValueError, AttributeError):
        return Record("", source, "", _printable(line))
    if fields.get("type") == "platform.report":
        report = fields["record"]
        return Record(when, source, "report", f"{report['status']} in {report['metrics']['durationMs']} ms")
    level = "metric" if "_aws" in fields else str(fields.get("level", ""))
    message = fields.get("message") or fields.get("errorMessage") or ""
    shown = {name: value for name, value in fields.items() if _is_shown(name, value)}
    if "exception" in fields:
        shown["exception"] = str(fields["exception"]).strip().splitlines()[-1]
    pairs = (f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in shown.items())
    return Record(when, source, level, _printable("  ".join([str(message), *pairs]).strip()))


def _is_shown(name: str, value: object) -> bool:
    return name not in HIDDEN and not name.startswith(LAMBDA_FIELDS) and value not in (None, "")


def _normal(when: Any) -> str:
    return datetime.fromisoformat(when).isoformat(timespec="microseconds") if isinstance(when, str) else ""


def _printable(text: str) -> str:
    """Return one line without control characters, which could change the terminal."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text.rstrip("\n"))


@dataclass
class Logs:
    """The log files of a stack, read from where the last read ended."""

    folder: Path
    function: str = ""
    upload: str = ""
    _positions: dict[Path, int] = field(default_factory=dict)

    def read(self) -> list[Record]:
        """Return the new records, sorted by time. A record without a time stays behind the one before it."""
        found: list[tuple[str, Record]] = []
        for name, lines in self.new_lines():
            when = ""
            for line in lines:
                record = parse(name, line)
                when = record.when or when
                if self.upload in line:
                    found.append((when, record))
        return [record for _, record in sorted(found, key=lambda pair: pair[0])]

    def new_lines(self) -> Iterator[tuple[str, Iterator[str]]]:
        """Yield the name and the new lines of each log."""
        for path in sorted(self.folder.glob("*.log")):
            name = path.stem.removesuffix("Function")
            if not self.function or _plain(name) == _plain(self.function.removesuffix("Function")):
                yield name, self._lines(path)

    def _lines(self, path: Path) -> Iterator[str]:
        """Yield the lines that are complete. A file that became shorter belongs to a new stack."""
        position = self._positions.get(path, 0)
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < position:
                position = 0
            file.seek(position)
            new, newline, _ = file.read().rpartition(b"\n")
        self._positions[path] = position + len(new) + len(newline)
        yield from new.decode(errors="replace").splitlines() if new else ()


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def main(arguments: list[str], environment: Mapping[str, str] = os.environ) -> int:
    """Print records until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make logs", description="Follow the logs of the local stack.")
    parser.add_argument("--function", default="", help="only this function: its folder or logical id")
    parser.add_argument("--upload", default="", help="only records that contain this upload id")
    parser.add_argument("--no-follow", action="store_true", help="print what is there and end")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of stack.json")
    chosen = parser.parse_args(arguments)
    logs = Logs(chosen.state / "logs", chosen.function, chosen.upload)
    coloured = sys.stdout.isatty() and "NO_COLOR" not in environment
    try:
        records = logs.read()[-SHOWN:]
        while True:
            for record in records:
                print(record.show(coloured=coloured), flush=True)
            if chosen.no_follow:
                return 0
            time.sleep(POLL_SECONDS)
            records = logs.read()
    except (KeyboardInterrupt, BrokenPipeError):
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
