"""One stack for all end-to-end tests, in processes of its own, on free ports, with delays short enough to watch."""

from collections.abc import Iterator
from typing import Any

import pytest

from tools.local.launch import launched

PARAMETERS = {"PurgeDelaySeconds": "1", "OpenIntents": "100", "IntentsPerHour": "1000", "WritesPerMinute": "1000"}


@pytest.fixture(scope="session")
def stack() -> Iterator[dict[str, Any]]:
    """What is in the running stack's stack.json, and the `folder` it lies in."""
    with launched(PARAMETERS) as state:
        yield state
