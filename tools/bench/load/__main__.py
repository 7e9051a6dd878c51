from tools.bench.load import run
from tools.bench.report import main

main(run)
