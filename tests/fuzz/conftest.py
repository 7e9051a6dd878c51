"""Counts the targets, and how many examples each is given."""

import hypothesis
import pytest

from tests.assurance import Note
from tests.functions.conftest import rows

__all__ = ["rows"]


@pytest.fixture(autouse=True)
def _counted(request: pytest.FixtureRequest, note: Note) -> None:
    if hasattr(request.function, "hypothesis"):
        note.add("targets")
        note.most("examples each", hypothesis.settings().max_examples)
