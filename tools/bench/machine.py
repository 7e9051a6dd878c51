"""What the figures were taken on and with: the machine's kind, without its name, and the versions of what was run."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from PIL import features

HERE = Path(__file__).parent

PACKAGES = ("boto3", "botocore", "pydantic", "pyvips", "pyvips-binary")
PILLOW_LIBRARIES = (
    ("libjpeg-turbo", "libjpeg_turbo"),
    ("libwebp", "webp"),
    ("zlib-ng", "zlib_ng"),
    ("libavif", "avif"),
)


def machine() -> tuple[tuple[str, str], ...]:
    """The kind of machine: processor, cores, memory, kernel."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        ("processor", f"{_processor()} ({platform.machine()})"),
        ("cores", str(cores)),
        ("memory", f"{memory:.0f} GiB"),
        ("kernel", f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"),
    )


def versions() -> tuple[tuple[str, str], ...]:
    """The versions of what the service runs on here, and of what it is measured against."""
    return tuple(_versions())


def _versions() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    yield "Pillow", version("pillow")
    for name, feature in PILLOW_LIBRARIES:
        yield f"Pillow's {name}", features.version(feature) or "-"
    for package in PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            yield package, "not installed"
    yield from _of_sharp()
    yield "valgrind", _said("valgrind", "--version").removeprefix("valgrind-")


def _of_sharp() -> Iterator[tuple[str, str]]:
    yield "Node.js", _said("node", "--version").removeprefix("v")
    said = _said("node", "-p", "JSON.stringify(require('sharp').versions)")
    known = json.loads(said) if said.startswith("{") else {}
    yield "sharp", known.get("sharp", said)
    for theirs, name in (("vips", "libvips"), ("webp", "libwebp")):
        if theirs in known:
            yield f"sharp's {name}", known[theirs]


def _said(program: str, *arguments: str) -> str:
    if not shutil.which(program):
        return "not installed"
    done = subprocess.run([program, *arguments], cwd=HERE, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "not installed"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown"
