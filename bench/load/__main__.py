from bench.load import run
from bench.report import main

main(run)
