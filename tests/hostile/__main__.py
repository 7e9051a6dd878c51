"""Examine a folder of images, or the generated files, and print a line for each.

`python -m tests.hostile [FOLDER] [--workers N] [--slot avatar] [--failed]`; returns 1 if a file failed: an error other
than a rejection, a limit exceeded, or a derivative that contains more than pixels.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from profile_media.domain.model import Slot
from tests.hostile.harness import WORKERS, Verdict, Workers, examine_file
from tests.hostile.samples import SAMPLES, examine_sample

_COLUMNS = "{:<60}  {:>9}  {:<6}  {:<8}  {:<18}  {:>6}  {:>5}  {}"


def files(folder: Path) -> Iterator[str]:
    """Yield every regular file below a folder in order, without following links to folders."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (path for name in sorted(names) if os.path.isfile(path := os.path.join(parent, name)))


def report(verdicts: Iterable[Verdict], *, only_failed: bool = False) -> bool:
    """Print a line for each verdict and a summary. Return whether no file failed."""
    outcomes, most_ms, most_mib, failed = Counter[str](), 0, 0, list[Verdict]()
    _print("file", "bytes", "type", "outcome", "reason", "CPU ms", "MiB", "")
    for verdict in verdicts:
        outcomes[f"{verdict.outcome} {verdict.reason or ''}".strip()] += 1
        most_ms, most_mib = max(most_ms, verdict.cpu_ms), max(most_mib, verdict.peak_mib)
        failed += [verdict] if verdict.faults else []
        if verdict.faults or not only_failed:
            _line(verdict)
    _say(f"\n{outcomes.total()} files, at most {most_ms} ms of CPU and {most_mib} MiB")
    for outcome, count in sorted(outcomes.items()):
        _say(f"{count:>7} {outcome}")
    if failed and not only_failed:
        _say("\nfailed:")
        for verdict in failed:
            _line(verdict)
    return not failed


def _line(verdict: Verdict) -> None:
    announced = verdict.content_type.removeprefix("image/") if verdict.content_type else "-"
    taken = verdict.outcome, verdict.reason or "-", verdict.cpu_ms, verdict.peak_mib, "; ".join(verdict.faults)
    _print(verdict.name, verdict.length, announced, *taken)


def _print(name: str, *columns: object) -> None:
    # File names can contain control characters and bytes that are not Unicode.
    shown = "".join(sign if sign.isprintable() else "?" for sign in name)
    _say(_COLUMNS.format(shown, *map(str, columns)).rstrip())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="any files; default: the generated files")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=WORKERS)
    parser.add_argument("--slot", type=Slot, choices=list(Slot), action="append", help="examine one slot only")
    parser.add_argument("--failed", action="store_true", help="print only files that failed")
    chosen = parser.parse_args(arguments)
    slots = tuple(chosen.slot or Slot)
    if chosen.folder and not chosen.folder.is_dir():
        parser.error(f"{chosen.folder} is not a folder")
    one, names = (examine_file, files(chosen.folder)) if chosen.folder else (examine_sample, iter(SAMPLES))
    verdicts = Workers(partial(one, slots=slots), chosen.workers).examine(names)
    return 0 if report(verdicts, only_failed=chosen.failed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
