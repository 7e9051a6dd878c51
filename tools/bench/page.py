"""Write docs/performance.md from the results of all areas."""

from collections.abc import Sequence
from pathlib import Path

from tools.bench.report import ROOT, Goal, Result, goals_table, table

PAGE = ROOT / "docs/performance.md"
TEMPLATE = Path(__file__).with_name("page.md")


def page(results: Sequence[Result], machine: Sequence[tuple[str, str]]) -> str:
    """Return the whole page. `machine` holds names and values: the processor, versions."""
    sections = [result.section for result in results if result.section]
    goals = [f"### {section.title}: goals\n\n{goals_table(section.goals)}" for section in sections if section.goals]
    return TEMPLATE.read_text().format(
        summary=_summary([goal for section in sections for goal in section.goals]),
        goals="\n\n".join(goals),
        machine=table(("", ""), machine),
        areas="\n\n".join(map(_area, results)),
    )


def _summary(goals: Sequence[Goal]) -> str:
    reached = sum(goal.verdict == "yes" for goal in goals)
    missing = sum(goal.figure is None for goal in goals)
    return f"{reached} of {len(goals)} goals are reached" + (f"; {missing} were not measured." if missing else ".")


def _area(result: Result) -> str:
    command = f'    make bench ARGS="--only {result.area}"'
    if result.section is None:
        return f"## {result.area}\n\n{command}\n\nNot measured: {result.failure}"
    section = result.section
    when = f"Measured {result.measured} in {result.seconds:.0f} s, with a load average of {result.load:.1f}."
    chart = f"![{section.title}](images/{section.chart})\n\n" if section.chart else ""
    return f"## {section.title}\n\n{command}\n\n{when}\n\n{chart}{section.text.strip()}"
