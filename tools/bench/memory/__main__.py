"""The memory model by itself: `python -m tools.bench.memory [--quick]`."""

from tools.bench.memory import run
from tools.bench.report import main

main(run)
