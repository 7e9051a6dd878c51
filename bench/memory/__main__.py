"""The memory model by itself: `python -m bench.memory [--quick]`."""

from bench.memory import run
from bench.report import main

main(run)
