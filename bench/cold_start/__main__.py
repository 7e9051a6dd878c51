"""python -m bench.cold_start"""

from bench.cold_start import run
from bench.report import main

main(run)
