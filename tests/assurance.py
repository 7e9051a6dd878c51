"""Adds up what the assurance campaigns explored, for the page that `make assurance` writes.

A test says which campaign it belongs to with `pytest.mark.campaign`, and with `note` what it counted or measured.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version

import pytest

from tests.spread import is_one_of_several

CAMPAIGNS = {
    "F-1": "Crash matrix: every call of every function, before its effect, after it, its answer lost",
    "F-2": "Double faults: a second failure at every call of the retry",
    "F-3": "Refusals: every call throttled, every transaction cancelled for every reason at every item",
    "F-4": "Events: duplicated, reordered, dropped, malformed",
    "F-5": "Concurrency: every interleaving of two, seeded ones of three",
    "F-6": "The model: random lives against a small reference",
    "F-7": "Seeded bugs: each one caught",
    "F-8": "Hostile images: ready or rejected, within limits, nothing left inside",
    "F-9": "Tokens and key sets: nobody in who should not be, whatever fails",
    "F-10": "POST policies: what is issued, and what the upload edge makes of forms",
    "F-11": "Soak: many users, small faults all the time",
    "Rights": "Every call made within the calling function's rights, and no right unused",
    "Logs": "Whole suite's records free of secrets, one JSON object a line",
    "Reconcile": "Backstop: what faults left is found, and nothing that a row names is touched",
    "Fuzz": "Parsers fed with whatever is not expected of them",
}
"""What the page has a row for, in this order."""

_FIGURES = "assurance"


@dataclass
class Note:
    """Takes down what a test counted or measured; equal names of one campaign are summed up, or the greatest kept."""

    item: pytest.Item

    def add(self, figure: str, count: int = 1) -> None:
        """Counts something."""
        self.item.user_properties.append((_FIGURES, ("sum", figure, count)))

    def most(self, figure: str, value: float) -> None:
        """Measures something of which the greatest matters; the figure's name ends in its unit."""
        self.item.user_properties.append((_FIGURES, ("max", figure, value)))


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """Where a test of a campaign leaves its figures."""
    return Note(request.node)


@pytest.fixture
def at_length(request: pytest.FixtureRequest) -> bool:
    """Whether campaigns are to run at their full size."""
    return bool(request.config.getoption("--long"))


@dataclass
class Tally:
    """One campaign's outcome."""

    outcomes: Counter[str] = field(default_factory=Counter)
    figures: dict[str, float] = field(default_factory=dict)

    def take(self, kind: str, figure: str, value: float) -> None:
        """Adds a figure that a test noted."""
        before = self.figures.get(figure)
        self.figures[figure] = value if before is None else before + value if kind == "sum" else max(before, value)


class Campaigns:
    """Listens to the run, and tells at its end."""

    def __init__(self, page: Path, *, at_length: bool) -> None:
        self._page = page
        self._size = "at their full size" if at_length else "at the size that every change is checked with"
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a test towards its campaign."""
        names = [str(value) for name, value in report.user_properties if name == "campaign"]
        if not names or (report.when != "call" and report.passed):
            return
        tally = self._tallies[names[0]]
        tally.outcomes[report.outcome] += 1
        for name, value in report.user_properties:
            if name == _FIGURES:
                tally.take(*value)  # type: ignore[misc]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Prints the table, and writes the page."""
        table = "\n".join(self._rows())
        terminalreporter.write_line(table)
        run = f"on {datetime.now(UTC):%Y-%m-%d}, the campaigns {self._size}, with Python {python_version()}"
        self._page.write_text(PAGE.format(run=run, table=table))
        terminalreporter.write_line(f"\nwritten to {self._page}")

    def _rows(self) -> Iterator[str]:
        yield "| campaign | what is explored | tests | failed | figures |"
        yield "|---|---|---|---|---|"
        for name, what in CAMPAIGNS.items():
            tally = self._tallies.get(name, Tally())
            figures = "; ".join(f"{figure}: {value:,.10g}" for figure, value in sorted(tally.figures.items()))
            yield f"| {name} | {what} | {tally.outcomes.total():,} | {tally.outcomes['failed']:,} | {figures} |"


PAGE = """# Assurance

What the campaigns came to that hold the service to its promises: nothing lost, nobody let in, nothing leaked. Each is
a part of the tests; `make assurance` runs them all, seeds the bugs, and writes this page, so no figure here is typed
(`ARGS=--long` for the full sizes, which take hours). This run was {run}.

{table}

What the campaigns are about is in [architecture.md](architecture.md); the invariants that the first six hold after
every call stand at the head of [observer.py](../tests/faults/observer.py).
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--assurance FILE` writes the page; `--long` runs the campaigns at their full size; `--mutants` seeds bugs."""
    parser.addoption("--assurance", type=Path, metavar="FILE", help="write what the campaigns came to")
    parser.addoption("--long", action="store_true", help="campaigns at their full size, instead of CI's")
    parser.addoption("--mutants", action="store_true", help="seed bugs in a copy, and have each one caught")


def pytest_configure(config: pytest.Config) -> None:
    """Listens where a page is asked for."""
    page = config.getoption("--assurance")
    if page and not is_one_of_several(config):
        config.pluginmanager.register(Campaigns(page, at_length=config.getoption("--long")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lets each test's reports carry its campaign."""
    for item in items:
        for marker in item.iter_markers("campaign"):
            (name,) = marker.args
            assert name in CAMPAIGNS, f"{item.nodeid}: no such campaign: {name}"
            item.user_properties.append(("campaign", name))
