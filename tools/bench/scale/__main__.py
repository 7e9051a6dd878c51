from tools.bench.report import main
from tools.bench.scale import run

main(run)
