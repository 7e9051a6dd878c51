"""`.local/stack.json`: the addresses and resource names of a running stack, for scripts, tests and people.

The file exists exactly while a stack is ready.
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
    """No stack uses this folder, or it ended without removing its file."""


class StackRunning(Exception):
    """Another stack uses the folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep the folder for one stack, until its process ends. Raise StackRunning if another stack has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackRunning(
                f"A stack is {_status(folder)} already, with its state in {folder}. "
                "Start another with: make up STATE=folder"
            ) from None
        yield


def _status(folder: Path) -> str:
    try:
        return f"running on {read_state(folder)['page']}"
    except StackNotRunning:
        return "starting"


def read_state(folder: Path) -> dict[str, Any]:
    """Return the state of the running stack. Raise StackNotRunning if there is none."""
    try:
        state: dict[str, Any] = json.loads((folder / FILE).read_text())
        os.kill(state["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        raise StackNotRunning("no stack is running: start one with `make up`") from None
    return state


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Write the file atomically, readable only by its owner: it contains tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({**state, "pid": os.getpid()}, indent=2) + "\n")
    draft.replace(folder / FILE)


def remove_stale_state(folder: Path) -> None:
    """Remove the file of a stack that was killed."""
    try:
        read_state(folder)
    except StackNotRunning:
        (folder / FILE).unlink(missing_ok=True)


def remove_state(folder: Path) -> None:
    """Remove the file, unless another stack has written its own since."""
    try:
        if read_state(folder)["pid"] == os.getpid():
            (folder / FILE).unlink(missing_ok=True)
    except StackNotRunning:
        pass
