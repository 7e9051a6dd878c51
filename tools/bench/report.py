"""What every area of the benchmarks returns: figures with their goals, and Markdown."""

import importlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "build/bench"
IMAGES = ROOT / "docs/images"


@dataclass(frozen=True)
class Goal:
    """A figure and the value it must not exceed. The figure is None if it could not be measured."""

    name: str
    limit: float
    figure: float | None
    spread: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.figure is None:
            return "not measured"
        return "yes" if self.figure <= self.limit else "**no**"


@dataclass(frozen=True)
class Section:
    """The result of one area. `text` is Markdown with headings from ### down."""

    title: str
    text: str
    goals: tuple[Goal, ...] = ()
    chart: str = ""
    """File name in docs/images."""


@dataclass(frozen=True)
class Result:
    """One run of one area. `section` is None if the run failed."""

    area: str
    measured: str = ""
    seconds: float = 0
    load: float = 0
    """Load average of the machine when the run started."""
    section: Section | None = None
    failure: str = ""


def measure(area: str, quick: bool) -> Section:
    """Run an area, with fewer repetitions if `quick`."""
    section: Section = importlib.import_module(f"tools.bench.{area}.area").run(quick)
    return section


def save(result: Result, folder: Path = RESULTS) -> None:
    """Keep the result, so that running one area later leaves the others on the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.area}.json").write_text(json.dumps(asdict(result), indent=1))


def load(area: str, folder: Path = RESULTS) -> Result | None:
    """Return the last result of an area, or None if it never ran here."""
    path = folder / f"{area}.json"
    if not path.exists():
        return None
    stored = json.loads(path.read_text())
    section = stored.pop("section")
    if section:
        section["goals"] = tuple(Goal(**goal) for goal in section["goals"])
    return Result(**stored, section=Section(**section) if section else None)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table. The first column is aligned left, all others right."""
    lines = [_row(header), "|---|" + "---:|" * (len(header) - 1), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def goals_table(goals: Iterable[Goal]) -> str:
    """Return the goals as a Markdown table."""
    return table(("Figure", "Measured", "Goal", "Reached", "Note"), map(_goal_cells, goals))


def _goal_cells(goal: Goal) -> Sequence[str]:
    spread = f" ({goal.spread})" if goal.spread else ""
    figure = "-" if goal.figure is None else f"{number(goal.figure)}{spread}"
    return goal.name, figure, f"≤ {number(goal.limit)}", goal.verdict, goal.note


def number(value: float) -> str:
    """Format a figure with three significant digits, or with thousands separators from 100 up.

    >>> number(0.0712), number(1426.4)
    ('0.0712', '1,426')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, str]:
    """Return the median of the ratios of paired measurements, and the two quartiles as text."""
    each = [one / other for one, other in zip(ours, theirs, strict=True)]
    low, _, high = quantiles(each, n=4)
    return median(each), f"{low:.2f}-{high:.2f}"
