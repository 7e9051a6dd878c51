"""`.local/stack.json`: where a running stack is and what is in it, for scripts, tests and people.

It is there exactly while a stack is ready: written whole, and removed when that stack stops.
"""

import json
import os
from pathlib import Path
from typing import Any

FILE = "stack.json"


class StackNotRunning(Exception):
    """There is no stack, or it died without removing its file."""


def read_state(folder: Path) -> dict[str, Any]:
    """The state of the stack that runs; raises StackNotRunning."""
    try:
        state: dict[str, Any] = json.loads((folder / FILE).read_text())
        os.kill(state["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        raise StackNotRunning("no stack is running: start one with `make up`") from None
    return state


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Writes it in one step, for its owner only: it has tokens in it."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({**state, "pid": os.getpid()}, indent=2) + "\n")
    draft.replace(folder / FILE)


def remove_stale_state(folder: Path) -> None:
    """Removes what a killed stack left, before anybody takes it for the one that is just starting."""
    try:
        read_state(folder)
    except StackNotRunning:
        (folder / FILE).unlink(missing_ok=True)


def remove_state(folder: Path) -> None:
    """Removes it, unless another stack has written its own since."""
    try:
        if read_state(folder)["pid"] == os.getpid():
            (folder / FILE).unlink(missing_ok=True)
    except StackNotRunning:
        pass
