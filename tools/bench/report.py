"""What every area of the bench hands back, and how it is printed: `python -m tools.bench.<area>` is `main(run)`."""

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Goal:
    """One figure that was set before it was measured; a figure of None could not be measured, and `note` says why."""

    name: str
    goal: float
    figure: float | None
    better: Literal["lower", "higher"] = "lower"
    unit: str = ""
    spread: str = ""  # of the figure, as measured: "0.71-0.76"
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.figure is None:
            return None
        return self.figure <= self.goal if self.better == "lower" else self.figure >= self.goal


@dataclass(frozen=True)
class Section:
    """What an area found out: Markdown with its tables, headings from ### down, figures with unit and spread."""

    title: str
    command: str
    text: str
    charts: tuple[Path, ...] = ()  # as the page is to show them, below docs/
    goals: tuple[Goal, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()  # of whatever was measured against: ("sharp", "0.34.5")


type Run = Callable[[bool], Section]


def measured_by(area: str, quick: bool) -> Section:
    """What the area by that name finds out now."""
    section: Section = importlib.import_module(f"tools.bench.{area}").run(quick)
    return section


def main(run: Run) -> None:
    """Runs one area by itself and prints what it found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a look")
    section = run(parser.parse_args().quick)
    print(f"# {section.title}\n\n{section.text}\n\n{goals_table(section.goals)}")


VERDICTS = {True: "yes", False: "**no**", None: "not measured"}


def goals_table(goals: tuple[Goal, ...]) -> str:
    """The goals as a Markdown table, or nothing where there are none."""
    if not goals:
        return ""
    rows = ["| Goal | Figure | Set | Met |", "|---|---:|---:|---|"]
    return "\n".join(rows + [_row(goal) for goal in goals])


def _row(goal: Goal) -> str:
    unit = f" {goal.unit}" if goal.unit else ""
    spread = f" ({goal.spread})" if goal.spread else ""
    figure = "-" if goal.figure is None else f"{number(goal.figure)}{unit}{spread}"
    bound = f"{'≤' if goal.better == 'lower' else '≥'} {number(goal.goal)}{unit}"
    verdict = VERDICTS[goal.met] + (f": {goal.note}" if goal.note else "")
    return f"| {goal.name} | {figure} | {bound} | {verdict} |"


def number(value: float) -> str:
    """A figure as tables show it: three digits that say something, and thousands set off."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
