"""Install packages from lock files, outside the project's environment, and run programs."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".local" / "packages"
"""One installation per lock file."""

INSTALL_SECONDS = 900

NPM_FILES = ("package.json", "package-lock.json", ".npmrc")


def run(command: list[str], folder: Path, said: str = "", seconds: float = INSTALL_SECONDS) -> str:
    """Run a program and return its output. Fail the test if the program fails."""
    done = subprocess.run(command, cwd=folder, input=said, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def installed(name: str, lock: Path, install: Callable[[Path], None]) -> Path:
    """Return the folder of an installation. Create it atomically if it does not exist."""
    folder = KEPT / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    if not folder.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=KEPT))
        install(making)
        try:
            making.rename(folder)
        except OSError:  # another test process created it first
            shutil.rmtree(making)
    return folder


def program(name: str) -> str:
    """Return the path of `node` or `npm`. Without them, skip the test; fail in CI."""
    path = shutil.which(name)
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed")
    return path


def npm_packages(name: str, source: Path) -> Path:
    """Return a folder with the packages of the lock file in `source`."""

    def install(folder: Path) -> None:
        for each in NPM_FILES:
            shutil.copy(source / each, folder)
        run([program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)

    return installed(name, source / "package-lock.json", install)
