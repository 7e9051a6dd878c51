"""Prints what warm calls take."""

from tools.bench.report import main
from tools.bench.warm import run

if __name__ == "__main__":
    main(run)
