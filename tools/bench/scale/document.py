"""Writes the figures into docs/scale.md, between its marks, so that none is typed there.

python -m tools.bench.scale.document [--limits]   all of them, which takes minutes, or all but the bursts
python -m tools.bench.scale.document --times      takes how long functions take from the last run of bench.memory
"""

import argparse
import re
from collections.abc import Callable, Mapping

from tools.bench.scale.limits import ROOT
from tools.bench.scale.scenarios import BURST, bursts_table, play
from tools.bench.scale.tables import days_table, limits_table, times_list, turned_list, work_table
from tools.bench.scale.times import take

PAGE = ROOT / "docs/scale.md"
LIMITS: Mapping[str, Callable[[], str]] = {
    "times": times_list,
    "work": work_table,
    "limits": limits_table,
    "days": days_table,
    "turned": turned_list,
}


def bursts() -> str:
    """What becomes of the users in the burst, and of everybody else."""
    told = f"{BURST.users:,} users change their picture within {BURST.seconds:.0f} seconds, while others look at "
    return f"{told}{BURST.bystanders:.0f} profiles a second.\n\n{bursts_table(play(BURST))}"


def filled(text: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """The page with these blocks made anew; raises KeyError for one that it does not have."""
    for name, make in blocks.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not block.search(text):
            raise KeyError(name)
        made = make()
        text = block.sub(lambda found, made=made: f"{found[1]}{made}\n{found[2]}", text)  # type: ignore[misc]
    return text


def main() -> None:
    """Makes the page's figures anew."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.scale.document", description=__doc__)
    parser.add_argument("--limits", action="store_true", help="leave the bursts as they are")
    parser.add_argument("--times", action="store_true", help="take what was measured last, and write no page")
    chosen = parser.parse_args()
    if chosen.times:
        take()
    else:
        PAGE.write_text(filled(PAGE.read_text(), LIMITS if chosen.limits else {**LIMITS, "bursts": bursts}))


if __name__ == "__main__":
    main()
