"""Run the benchmarks and write docs/performance.md."""

import argparse
import multiprocessing
import os
import re
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tools.bench.machine import machine
from tools.bench.page import PAGE, page
from tools.bench.report import Result, load, measure, save

AREAS = ("derivatives", "cold_start", "warm", "cost")
_PATHS = re.compile(r"(?<![\w.])/[\w.-]+(/[\w.-]+)+")


def main() -> int:
    arguments = _arguments()
    if arguments.photographs:
        from tools.bench.derivatives.area import photographs  # noqa: PLC0415 - needs packages of .venv/bench

        print(photographs(arguments.photographs, arguments.quick))
        return 0
    results = [] if arguments.page else [_run(area, arguments.quick) for area in arguments.only or AREAS]
    if arguments.quick:
        print(page(results, machine()))
    else:
        every = [load(area) or Result(area, failure="this area has not been run") for area in AREAS]
        PAGE.write_text(page(every, machine()))
        print(f"bench: wrote {PAGE}", file=sys.stderr)
    return int(any(result.section is None for result in results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=AREAS, help="run this area, and keep the other results")
    parser.add_argument("--quick", action="store_true", help="use few repetitions; print the page, do not write it")
    parser.add_argument("--photographs", type=Path, metavar="FOLDER", help="compare derivatives of your own pictures")
    parser.add_argument("--page", action="store_true", help="measure nothing; write the page from the kept results")
    return parser.parse_args()


def _run(area: str, quick: bool) -> Result:
    """Run one area in a fresh process, so that areas do not influence each other."""
    measured, busy, start = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", os.getloadavg()[0], time.monotonic()
    print(f"bench: running {area}", file=sys.stderr)
    section, failure = None, ""
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            section = process.submit(measure, area, quick).result()
    except Exception as error:
        traceback.print_exception(error)
        failure = f"{type(error).__name__}: {_PATHS.sub('…', str(error))}"
    result = Result(area, measured, time.monotonic() - start, busy, section, failure)
    if not quick:
        save(result)
    return result


if __name__ == "__main__":
    sys.exit(main())
