"""Decisions are numbered, dated, and name alternatives and whether they are one-way or two-way doors."""

import re

import pytest

from tests.docs.markdown import ROOT, name_of, read

DECISIONS = [name_of(path) for path in sorted((ROOT / "docs/decisions").glob("*.md"))]

SECTIONS = ["Context", "Decision", "Alternatives", "Consequences"]


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(name.rpartition("/")[2][:4]) for name in DECISIONS]

    assert numbers == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("name", DECISIONS)
def test_decision_has_all_sections(name: str) -> None:
    title, _, date, *rest = read(name).splitlines()

    assert title.startswith(f"# {name.rpartition('/')[2][:4]}: ")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", date)
    assert [line.removeprefix("## ") for line in rest if line.startswith("## ")] == SECTIONS
    consequences = " ".join(read(name).split("## Consequences")[1].split())
    assert re.search(r"(one|two)-way doors?", consequences)
