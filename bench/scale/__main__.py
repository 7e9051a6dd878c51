from bench.report import main
from bench.scale import run

main(run)
