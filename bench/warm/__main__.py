"""Prints what warm calls take."""

from bench.report import main
from bench.warm import run

if __name__ == "__main__":
    main(run)
