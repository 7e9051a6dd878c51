"""Runs the bench, one area after the other, and writes docs/performance.md."""

import argparse
import multiprocessing
import os
import re
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime

from tools.bench.machine import machine, versions
from tools.bench.page import PAGE, page
from tools.bench.report import measured_by
from tools.bench.results import Result, keep, kept

AREAS = ("derivatives", "cold_start", "warm", "cost", "memory", "load", "scale")
_PATHS = re.compile(r"(?<![\w.])/[\w.-]+(/[\w.-]+)+")


def main() -> int:
    chosen = _arguments()
    results = [] if chosen.page else [_run(area, chosen.quick) for area in chosen.only or AREAS]
    if chosen.quick:
        print(page(results, machine(), versions()))
    else:
        _write()
    return int(any(result.section is None for result in results))


def _write() -> None:
    """The page, from what was kept of every area."""
    results = [kept(area) or Result(area, failure="never run here") for area in AREAS]
    PAGE.write_text(page(results, machine(), versions()))
    print(f"bench: wrote docs/{PAGE.name}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=AREAS, help="measure this area, and keep the others' figures"
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, printed and not kept")
    parser.add_argument("--page", action="store_true", help="measure nothing: write the page from what was kept")
    return parser.parse_args()


def _run(area: str, quick: bool) -> Result:
    """One area in a process of its own: whatever becomes of it, the others are measured, and undisturbed."""
    measured, load, began = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", os.getloadavg()[0], time.monotonic()
    print(f"bench: {area} …", file=sys.stderr)
    section, failure = None, ""
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as own:
            section = own.submit(measured_by, area, quick).result()
    except Exception as error:
        traceback.print_exception(error)
        failure = f"{type(error).__name__}: {_PATHS.sub('…', str(error))}"
    seconds = time.monotonic() - began
    print(f"bench: {area} took {seconds:.0f} s{f', and failed: {failure}' if failure else ''}", file=sys.stderr)
    result = Result(area, measured, seconds, load, section, failure)
    if not quick:
        keep(result)
    return result


if __name__ == "__main__":
    sys.exit(main())
