"""Describe the machine and the versions that the figures were measured with."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from PIL import features

HERE = Path(__file__).parent
PACKAGES = ("boto3", "botocore", "pynamodb", "aws-lambda-powertools", "pydantic", "pillow")
PILLOW_LIBRARIES = (
    ("libjpeg-turbo", "libjpeg_turbo"),
    ("libwebp", "webp"),
    ("libavif", "avif"),
    ("zlib-ng", "zlib_ng"),
)


def machine() -> tuple[tuple[str, str], ...]:
    """Return names and values; nothing identifies the host."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        ("Processor", f"{_processor()} ({platform.machine()})"),
        ("Cores", str(len(os.sched_getaffinity(0)))),
        ("Memory", f"{memory:.0f} GiB"),
        ("Kernel", f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"),
        ("Python", platform.python_version()),
        *((name, version(name)) for name in PACKAGES),
        *((f"Pillow's {name}", features.version(feature) or "-") for name, feature in PILLOW_LIBRARIES),
        *_sharp(),
        ("valgrind", _output("valgrind", "--version").removeprefix("valgrind-")),
    )


def _sharp() -> Iterator[tuple[str, str]]:
    yield "Node.js", _output("node", "--version").removeprefix("v")
    versions = _output("node", "-p", "JSON.stringify(require('sharp').versions)")
    known = json.loads(versions) if versions.startswith("{") else {}
    yield "sharp", known.get("sharp", "not installed")
    for key, name in (("vips", "libvips"), ("webp", "libwebp")):
        if key in known:
            yield f"sharp's {name}", known[key]


def _output(program: str, *arguments: str) -> str:
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
