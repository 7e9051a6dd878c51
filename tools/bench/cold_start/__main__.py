"""python -m tools.bench.cold_start"""

from tools.bench.cold_start import run
from tools.bench.report import main

main(run)
