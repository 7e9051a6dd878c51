"""Find out whether source files have changed, by a look at the files before each call.

A file watcher would report a save some time after it; a call that begins after the save could still run old code.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

type Version = frozenset[tuple[str, int, int, int]]
"""Path, time of the last change, size and inode of every Python file."""


def version_of(folders: Iterable[Path]) -> Version:
    """Return a value that is another one after a Python file in the folders was saved, added or removed."""
    return frozenset(
        (entry.path, status.st_mtime_ns, status.st_size, status.st_ino)
        for folder in folders
        for entry, status in _python_files(str(folder))
    )


def _python_files(folder: str) -> Iterator[tuple["os.DirEntry[str]", os.stat_result]]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name.endswith(".py"):
            try:
                yield entry, entry.stat()
            except FileNotFoundError:  # an editor replaces the file at this moment
                continue
        elif entry.is_dir() and entry.name != "__pycache__":
            yield from _python_files(entry.path)
