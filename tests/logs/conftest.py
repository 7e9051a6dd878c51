"""Fixtures of the functions' tests, and a book that is only about the test at hand."""

import pytest

from tests.functions.conftest import call, rows
from tests.logbook import LISTENER, Listener, Logbook

__all__ = ["call", "rows"]


@pytest.fixture
def listener(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Listener:
    """The one that listens to this run, with a book of its own meanwhile."""
    heard = request.config.stash[LISTENER]
    monkeypatch.setattr(heard, "book", Logbook())
    return heard
