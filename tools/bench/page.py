"""docs/performance.md, from what the areas found out: goals on top, then each area with its command."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill

from tools.bench.report import Goal, goals_table
from tools.bench.results import Result

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "performance.md"

OPENING = """\
# Performance

What the service costs in time, memory, calls and money, against what people run today. Written by `make bench`: every
figure was measured or computed by the command under its heading, and none was typed. Times are medians; what stands in
brackets behind a figure is its spread. Ratios are of runs that took turns in one process tree, on one machine: they
carry over to other machines, milliseconds do not. Instructions are counted by valgrind, and repeat.
"""

type Named = tuple[tuple[str, str], ...]


def page(results: Iterable[Result], machine: Named, versions: Named) -> str:
    """The whole page, from the areas' results in the order given."""
    every = list(results)
    found = [result for result in every if result.section]
    theirs = (named for result in found if result.section for named in result.section.versions)
    parts = [OPENING, "## Goals\n", *_goals(found), "## Measured on\n", _machine(machine, (*versions, *theirs))]
    return "\n".join([*parts, *(_area(result) for result in every)])


def _goals(found: list[Result]) -> Iterator[str]:
    goals = [goal for result in found if result.section for goal in result.section.goals]
    yield f"{_tally(goals)}\n"
    for result in found:
        if result.section and result.section.goals:
            yield f"### {result.section.title}: goals\n\n{goals_table(result.section.goals)}\n"


def _tally(goals: list[Goal]) -> str:
    met = sum(goal.met is True for goal in goals)
    unmeasured = sum(goal.met is None for goal in goals)
    return f"{met} of {len(goals)} met" + (f", {unmeasured} not measured." if unmeasured else ".")


def _machine(machine: Named, versions: Iterable[tuple[str, str]]) -> str:
    rows = "\n".join(f"| {name} | {value} |" for name, value in machine)
    named = ", ".join(f"{name} {value}" for name, value in dict(versions).items())
    return f"| | |\n|---|---|\n{rows}\n\n{fill(f'Versions: {named}.', 118, break_on_hyphens=False)}\n"


def _area(result: Result) -> str:
    measured = f"Measured {result.measured} in {result.seconds:.0f} s; the machine's load was {result.load:.1f}."
    section = result.section
    if section is None:
        return f"## {result.area}\n\nNot measured: {result.failure}\n"
    charts = "".join(f"![{section.title}]({_shown(chart)})\n\n" for chart in section.charts)
    return f"## {section.title}\n\n    {section.command}\n\n{measured}\n\n{charts}{section.text.strip()}\n"


def _shown(chart: Path) -> Path:
    """The chart's place as seen from docs/, wherever its area counted from."""
    return (DOCS.parent / chart).resolve().relative_to(DOCS.resolve())
