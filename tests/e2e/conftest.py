"""One local stack for all end-to-end tests of a session, on free ports, with a short purge delay; one browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.chromium import DEADLINE_MS, chromium
from tests.e2e.clients import CLIENT
from tests.e2e.packages import program, run
from tests.e2e.pages import Person, people
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


@pytest.fixture
def errors() -> list[str]:
    """Console errors and warnings, uncaught exceptions, CSP violations."""
    return []


@pytest.fixture
def page(browser: Browser, errors: list[str]) -> Iterator[Page]:
    """An empty page with storage of its own."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(DEADLINE_MS)
    page.on(
        "console",
        lambda said: errors.append(f"{said.text} {said.location}") if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()


@pytest.fixture
def person(stack: dict[str, Any]) -> Person:
    """The user of the page."""
    return people(stack)[0]
