"""Start the Chromium of this machine for the browser tests."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]

DEADLINE_MS = 300_000
"""Maximum wait for anything on a page. An upload takes about a second on an idle machine."""

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""A browser without a display and without background network traffic, which may run as root."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser, or skip the test if there is none."""
    found = subprocess.run([ROOT / "tools/scripts/browser"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip(found.stderr.strip())
    expect.set_options(timeout=DEADLINE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found.stdout.strip(), args=QUIET)
        yield running
        running.close()
