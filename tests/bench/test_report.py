"""Goals, stored results, and the page made from them."""

from pathlib import Path

import pytest

from tools.bench.page import page
from tools.bench.report import Goal, Result, Section, goals_table, load, number, ratios, save, table

REACHED, MISSED = Goal("A", 0.85, 0.8476, spread="0.83-0.86"), Goal("B", 0.3, 0.3004)
UNMEASURED = Goal("C", 1, None, note="no valgrind")
SECTION = Section("Cold start", "| a |\n|---|\n| 1 |", (REACHED, MISSED, UNMEASURED), chart="cold_start.svg")
MEASURED = Result("cold_start", "2026-11-21 04:00 UTC", 61.2, 1.5, SECTION)
FAILED = Result("warm", "2026-11-21 04:01 UTC", 2.0, 1.5, failure="OSError: no socket")


def test_goals_table_compares_unrounded_figures() -> None:
    assert goals_table(SECTION.goals).splitlines()[2:] == [
        "| A | 0.848 (0.83-0.86) | ≤ 0.85 | yes |  |",
        "| B | 0.3 | ≤ 0.3 | **no** |  |",
        "| C | - | ≤ 1 | not measured | no valgrind |",
    ]


@pytest.mark.parametrize(("value", "text"), [(0.0712, "0.0712"), (12.345, "12.3"), (1426.4, "1,426"), (0, "0")])
def test_number_has_three_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_ratios_are_of_pairs() -> None:
    assert ratios([1, 2, 3, 4, 5], [2, 4, 6, 8, 50]) == (0.5, "0.30-0.50")


def test_table_is_markdown() -> None:
    assert table(("a", "b"), [(1, 2)]) == "| a | b |\n|---|---:|\n| 1 | 2 |"


def test_page_has_summary_goals_versions_and_areas() -> None:
    text = page([MEASURED, FAILED], [("Python", "3.13.5")])

    assert "1 of 3 goals are reached; 1 were not measured." in text
    assert "### Cold start: goals" in text
    assert "| Python | 3.13.5 |" in text
    assert '    make bench ARGS="--only cold_start"\n' in text
    assert "![Cold start](images/cold_start.svg)" in text
    assert "## warm\n" in text
    assert "Not measured: OSError: no socket" in text
    assert "{" not in text


@pytest.mark.parametrize("result", [MEASURED, FAILED])
def test_load_returns_what_was_saved(tmp_path: Path, result: Result) -> None:
    save(result, tmp_path)

    assert load(result.area, tmp_path) == result


def test_load_returns_none_for_area_that_never_ran(tmp_path: Path) -> None:
    assert load("cost", tmp_path) is None
