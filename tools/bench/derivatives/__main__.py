"""Derivatives by themselves: `python -m tools.bench.derivatives [--quick] [--folder PICTURES]`."""

import argparse
from pathlib import Path

from tools.bench.derivatives import run
from tools.bench.derivatives.area import own
from tools.bench.report import goals_table

parser = argparse.ArgumentParser()
parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a look")
parser.add_argument("--folder", type=Path, help="pictures of one's own, instead of those made for it")
chosen = parser.parse_args()
if chosen.folder:
    print(own(chosen.folder, chosen.quick))
else:
    section = run(chosen.quick)
    print(f"# {section.title}\n\n{section.text}\n\n{goals_table(section.goals)}")
