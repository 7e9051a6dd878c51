"""What is measured reaches the page: goals judged, failures named, every area kept until it is measured again."""

from pathlib import Path

import pytest

from tools.bench.page import page
from tools.bench.report import Goal, Section, goals_table, number
from tools.bench.results import Result, keep, kept

MACHINE = (("processor", "some (x86_64)"), ("cores", "2"))
VERSIONS = (("Python", "3.13.5"), ("sharp", "0.35.5"))

REACHED = Goal("job A ÷ sharp", 0.85, 0.8476, spread="0.83-0.86")
MISSED = Goal("init", 0.3, 0.3004)
UNMEASURED = Goal("instructions", 1, None, note="no valgrind")
SECTION = Section(
    "Derivatives",
    "python -m tools.bench.derivatives",
    "| job | ms |\n|---|---|\n| A | 86 |",
    charts=(Path("docs/images/derivatives.svg"),),
    goals=(REACHED, MISSED, UNMEASURED),
    versions=(("mozjpeg", "4.1.5"),),
)
FOUND = Result("derivatives", "2026-11-21 04:00 UTC", 61.2, 1.5, SECTION)
FAILED = Result("load", "2026-11-21 04:01 UTC", 2.0, 1.5, failure="OSError: no stack")


def test_goals_are_judged_by_the_figure_and_not_by_how_it_is_shown() -> None:
    assert [goal.met for goal in SECTION.goals] == [True, False, None]
    assert goals_table(SECTION.goals).splitlines()[2:] == [
        "| job A ÷ sharp | 0.848 (0.83-0.86) | ≤ 0.85 | yes |",
        "| init | 0.3 | ≤ 0.3 | **no** |",
        "| instructions | - | ≤ 1 | not measured: no valgrind |",
    ]


def test_more_is_better_where_the_goal_says_so() -> None:
    assert Goal("rate", 20, 21, better="higher").met
    assert not Goal("rate", 20, 19, better="higher").met


@pytest.mark.parametrize(("value", "shown"), [(0.0712, "0.0712"), (12.345, "12.3"), (1426.4, "1,426"), (0, "0")])
def test_figures_show_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_the_page_has_goals_machine_versions_and_every_area() -> None:
    text = page([FOUND, FAILED], MACHINE, VERSIONS)
    assert "1 of 3 met, 1 not measured." in text
    assert "| processor | some (x86_64) |" in text
    assert "Versions: Python 3.13.5, sharp 0.35.5, mozjpeg 4.1.5." in text
    assert "    python -m tools.bench.derivatives\n" in text
    assert "![Derivatives](images/derivatives.svg)" in text
    assert "## load\n\nNot measured: OSError: no stack\n" in text


def test_a_result_is_kept_as_it_was(tmp_path: Path) -> None:
    for result in (FOUND, FAILED):
        keep(result, tmp_path)
        assert kept(result.area, tmp_path) == result
    assert kept("cost", tmp_path) is None
