"""Leaves seeded bugs alone unless asked for them, and tells at the end which test caught which."""

from pathlib import Path

import pytest

from tests.mutants.workbench import Workbench

CAUGHT = "caught"
"""The property under which a test leaves a line of the table."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Passes by what takes minutes: `make mutants` asks for it."""
    return True if collection_path.name == "test_bugs.py" and not config.getoption("--mutants") else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table."""
    reports = [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]
    lines = [value for report in reports for name, value in report.user_properties if name == CAUGHT]
    if lines:
        terminalreporter.section("seeded bugs")
    for bug, caught_by, seconds in sorted(lines):
        terminalreporter.write_line(f"{bug:60} {seconds:6.1f} s  {caught_by}")


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A copy of the project, one for each process of the run."""
    bench = Workbench(tmp_path_factory.mktemp("project"))
    assert bench.package().is_relative_to(bench.folder), "the tests would run the code of the tree, not the copy's"
    return bench
