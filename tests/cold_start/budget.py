"""Measure what each function imports before its first call to AWS, and compare it with budget.json.

`make budget` writes budget.json again. Review its difference like code.
"""

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests import cloud
from tests.template.document import FOLDERS, ROOT

FILE = Path(__file__).parent / "budget.json"
PROBE = Path(__file__).parent / "probe.py"

ALL = "all"
ALL_BUT = "all but "

ENVIRONMENT = {
    **cloud.ENVIRONMENT,
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # an address, so that no host name is resolved
    "TOKEN_ISSUER": "https://issuer.example.com/",
    "TOKEN_AUDIENCE": "budget",
}


_PLATFORM_MODULE = "_sysconfigdata"
"""The start of the name of a Python module; the rest depends on the platform."""


@dataclass(frozen=True)
class Imports:
    """The imports of one function."""

    modules: frozenset[str]
    """Full names of our modules and of packages; only the first part of Python's own, which differ between patches."""
    kilobytes: int
    """Of bytecode, Python's own included."""


@cache
def measured(folder: str) -> Imports:
    """Measure the imports of a function, from the source tree."""
    event = json.loads((ROOT / "events" / f"{folder}.json").read_text())
    if folder == "process_upload":
        event["Records"][0]["s3"]["bucket"]["name"] = cloud.UPLOADS_BUCKET
    folders = (PROBE, ROOT / "functions" / folder, *_layers())
    done = subprocess.run(
        [os.path.realpath(sys.executable), "-I", "-S", *map(str, folders)],
        input=json.dumps(event),
        env={"PATH": os.defpath, "PYTHONHASHSEED": "0", **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the probe of {folder} failed: {done.stderr[-2000:]}{done.stdout[-500:]}")
    sizes: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return Imports(frozenset(map(_recorded_name, sizes)) - {_PLATFORM_MODULE}, round(sum(sizes.values()) / 1000))


@cache
def _layers() -> tuple[Path, Path]:
    """Return our package and a folder with exactly the packages that are locked for functions."""
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "layers/dependencies/requirements.txt").read_text(), re.MULTILINE)
    found = [distribution(name) for name in locked]
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    for each in found:
        for top in {file.parts[0] for file in each.files or () if file.parts[0] not in {"..", "__pycache__"}}:
            (folder / top).symlink_to(Path(str(each.locate_file(top))))
    return ROOT / "layers/profile_media", folder


def _recorded_name(module: str) -> str:
    first = module.partition(".")[0]
    if first.startswith(_PLATFORM_MODULE):
        return _PLATFORM_MODULE
    return first if first in sys.stdlib_module_names else module


def allowed(folder: str) -> Imports:
    """Return the budget of a function."""
    budget = _read()
    modules = (module for module, folders in budget["modules"].items() if folder in _unfold(folders))
    return Imports(frozenset(modules), budget["kilobytes"].get(folder, 0))


@cache
def _read() -> dict[str, Any]:
    budget: dict[str, Any] = json.loads(FILE.read_text())
    return budget


def _unfold(folders: str) -> set[str]:
    if folders == ALL:
        return set(FOLDERS)
    if folders.startswith(ALL_BUT):
        return set(FOLDERS) - set(folders.removeprefix(ALL_BUT).split())
    return set(folders.split())


def _fold(folders: Iterable[str]) -> str:
    """Return the names of the functions, or the names of the other functions if that list is shorter."""
    named = set(folders)
    others = set(FOLDERS) - named
    if not others:
        return ALL
    return " ".join(sorted(named)) if len(named) <= len(others) else ALL_BUT + " ".join(sorted(others))


def main() -> None:
    """Write the present imports to budget.json."""
    now = {folder: measured(folder) for folder in FOLDERS}
    every = sorted(frozenset().union(*(imports.modules for imports in now.values())))
    budget = {
        "kilobytes": {folder: imports.kilobytes for folder, imports in sorted(now.items())},
        "modules": {
            module: _fold(folder for folder, imports in now.items() if module in imports.modules) for module in every
        },
    }
    FILE.write_text(json.dumps(budget, indent=1) + "\n")


if __name__ == "__main__":
    main()
