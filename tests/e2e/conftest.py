"""One local stack for all end-to-end tests of a session, on free ports, with a short purge delay; one browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.chromium import chromium
from tests.e2e.clients import CLIENT
from tests.e2e.packages import program, run
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


@pytest.fixture(scope="session")
def npm() -> str:
    """The program npm, and the packages of the client installed."""
    path = program("npm")
    assert (CLIENT / "node_modules").is_dir(), "run `make client`"
    return path


@pytest.fixture(scope="session")
def built(npm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the bundled examples."""
    folder = tmp_path_factory.mktemp("built")
    run([npm, "run", "--silent", "build-examples", "--", f"--outdir={folder}"], CLIENT)
    return folder
