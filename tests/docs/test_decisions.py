"""Decisions have numbers of their own, are dated, and say what else there was and whether there is a way back."""

import re

import pytest

from tests.docs.markdown import ROOT, name_of, read

DECISIONS = [name_of(path) for path in sorted((ROOT / "docs/decisions").glob("*.md"))]

SECTIONS = ["Context", "Decision", "Alternatives", "Consequences"]


def test_numbers_are_unique() -> None:
    numbers = [int(name.rpartition("/")[2][:4]) for name in DECISIONS]

    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_is_complete(name: str) -> None:
    title, _, date, *rest = read(name).splitlines()

    assert title.startswith(f"# {name.rpartition('/')[2][:4]}: ")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", date)
    assert [line.removeprefix("## ") for line in rest if line.startswith("## ")] == SECTIONS
    consequences = " ".join(read(name).split("## Consequences")[1].split())
    assert re.search(r"(one|two)-way doors?", consequences)
