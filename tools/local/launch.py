"""Start another stack, beside any running one, for the demo and the end-to-end tests."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.local.state import StackNotRunning, read_state

READY_SECONDS = 300
"""A stack starts within five seconds on an idle machine."""

STOP_SECONDS = 60
POLL_SECONDS = 0.1


class LaunchFailed(Exception):
    """The stack ended, or was not ready in time. The message contains its output."""


@contextmanager
def launched(parameters: Mapping[str, str], *arguments: str) -> Iterator[dict[str, Any]]:
    """Start a stack on free ports with a state folder of its own. Yield its state, and stop it at the end.

    `arguments` are those of `python -m tools.local`. Besides the state, `folder` is the state's folder, and `console`
    the file that contains what the stack prints.
    """
    with tempfile.TemporaryDirectory(prefix="profile-media-") as folder:
        pairs = " ".join(f"{name}={value}" for name, value in parameters.items())
        console = Path(folder) / "console.log"
        with console.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tools.local", "--state", folder, "--ports", "0", "--params", pairs, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield {**_wait_until_ready(process, Path(folder)), "folder": folder, "console": str(console)}
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", folder: Path) -> dict[str, Any]:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            return read_state(folder)
        except StackNotRunning:
            if process.poll() is not None:
                raise LaunchFailed(f"the stack did not start: {(folder / 'console.log').read_text()}") from None
            time.sleep(POLL_SECONDS)
    raise LaunchFailed(f"the stack was not ready within {READY_SECONDS} seconds")
