"""One local stack for all end-to-end tests of a session, on free ports, with a short purge delay; one browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.chromium import chromium
from tools.local.launch import launched

PARAMETERS = {"PurgeDelaySeconds": "1", "OpenIntents": "100", "IntentsPerHour": "1000", "WritesPerMinute": "1000"}


@pytest.fixture(scope="session")
def stack() -> Iterator[dict[str, Any]]:
    """The content of the stack's stack.json, and its `folder`."""
    with launched(PARAMETERS) as state:
        yield state


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the module. Each test has a page of its own."""
    with chromium() as running:
        yield running
