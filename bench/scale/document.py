"""Writes the figures into docs/scale.md, between its marks, so that none is typed there.

python -m bench.scale.document [--limits | --users 100000]     the limits alone, or with a burst of so many users
"""

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from bench.scale.limits import ROOT
from bench.scale.scenarios import BURST, bursts_table, play
from bench.scale.tables import days_table, limits_table, times_list, turned_list, work_table

PAGE = ROOT / "docs/scale.md"
LIMITS: Mapping[str, Callable[[], str]] = {
    "times": times_list,
    "work": work_table,
    "limits": limits_table,
    "days": days_table,
    "turned": turned_list,
}


def bursts(users: int) -> str:
    """What becomes of so many users, and of everybody else."""
    burst = replace(BURST, users=users)
    told = f"{users:,} users change their picture within {burst.seconds:.0f} seconds, while others look at "
    return f"{told}{burst.bystanders:.0f} profiles a second.\n\n{bursts_table(play(burst))}"


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
    parser = argparse.ArgumentParser(prog="python -m bench.scale.document", description=__doc__)
    parser.add_argument("--limits", action="store_true", help="leave the bursts as they are")
    parser.add_argument(
        "--users", type=int, default=BURST.users, help="of the burst; 100,000 take a quarter of an hour"
    )
    chosen = parser.parse_args()
    blocks = LIMITS if chosen.limits else {**LIMITS, "bursts": lambda: bursts(chosen.users)}
    PAGE.write_text(filled(PAGE.read_text(), blocks))


if __name__ == "__main__":
    main()
