"""`.local/stack.json`: where a running stack is and what is in it, for scripts, tests and people.

It is there exactly while a stack is ready: written whole, and removed when that stack stops.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FILE = "stack.json"
LOCK = "lock"


class StackNotRunning(Exception):
    """There is no stack, or it died without removing its file."""


class StackRunning(Exception):
    """The folder belongs to a stack that runs, or is just starting; says where it is."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keeps the folder for one stack, until that ends, however it ends; raises StackRunning."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackRunning(
                f"A stack is {_whereabouts(folder)} already, with its state in {folder}. "
                "Another beside it wants a folder of its own: python -m tools.local --state FOLDER"
            ) from None
        yield


def _whereabouts(folder: Path) -> str:
    try:
        return f"running on {read_state(folder)['page']}"
    except StackNotRunning:
        return "starting"


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
