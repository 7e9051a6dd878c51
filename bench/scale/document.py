"""Writes the figures into docs/scale.md, between its marks, so that none is typed there: --limits for those alone."""

import re
import sys
from collections.abc import Callable, Mapping

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
BURSTS: Mapping[str, Callable[[], str]] = {"bursts": lambda: bursts_table(play(BURST))}


def filled(text: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """The page with these blocks made anew; raises KeyError for one that it does not have."""
    for name, make in blocks.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not block.search(text):
            raise KeyError(name)
        made = make()
        text = block.sub(lambda found, made=made: f"{found[1]}{made}\n{found[2]}", text)  # type: ignore[misc]
    return text


def main(arguments: list[str]) -> None:
    """Makes the page's figures anew."""
    blocks = LIMITS if "--limits" in arguments else {**LIMITS, **BURSTS}
    PAGE.write_text(filled(PAGE.read_text(), blocks))


if __name__ == "__main__":
    main(sys.argv[1:])
