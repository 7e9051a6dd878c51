"""How long things take on AWS: functions as `bench.memory` measured them, and what lies between them as assumed."""

import re
import tomllib
from dataclasses import replace
from math import exp
from pathlib import Path
from statistics import NormalDist, fmean

from tools.bench.memory.model import ASSUMED, PRICES, Job, parameter, point
from tools.bench.results import kept
from tools.bench.scale.simulation import Times

MEASURED = Path(__file__).with_name("measured.toml")
HEADING = """\
# What `python -m tools.bench.memory` measured, taken by `python -m tools.bench.scale.document --times`: milliseconds of CPU to
# initialise, for the first call on top of a warm one, and for a warm one; and those that calls of AWS are waited for.
"""
_ROW = re.compile(
    r"^\| ([\w ]+) \| ([\d.]+) ms \| ([\d.]+) ms \| ([\d.]+) ms \([^)]*\) \| ([\d.]+) ms \|", re.MULTILINE
)

MIX = {"3 MP JPEG": 3, "12 MP JPEG": 5, "48 MP JPEG": 1, "4 MP WebP": 1}
"""Of ten pictures: assumed, as nobody says what people upload."""

SPREAD = 0.4
"""Sigma of the logarithm of whatever is waited for."""

QUANTILES = tuple(exp(SPREAD * NormalDist().inv_cdf(share)) for share in (0.1, 0.3, 0.5, 0.7, 0.9))

STARTING = 0.4
"""Seconds of a new environment before our own code: Lambda's runtime; and the handshakes of its first connections."""


def jobs() -> dict[str, Job]:
    """What was measured, by name."""
    return {name: Job(name, *row) for name, row in tomllib.loads(MEASURED.read_text()).items()}


def times() -> Times:
    """What the simulation is told of AWS."""
    every = jobs()
    memory, api = parameter("ProcessMemorySize").default, parameter("ApiMemorySize").default
    process = [
        point([replace(every[name], wait_ms=every[name].wait_ms * scatter)], memory, PRICES[0]).warm_ms / 1000
        for name, share in MIX.items()
        for scatter in QUANTILES
        for _ in range(share)
    ]
    called = {
        name: point([every[name]], api, PRICES[0]) for name in ("create_upload_intent", "get_upload", "bind_avatar")
    }
    return Times(
        authorize=0.005,
        intent=called["create_upload_intent"].warm_ms / 1000,
        post=1.0,
        notice=0.3,
        process=tuple(process),
        read=ASSUMED["waits"]["dynamodb"] / 1000,
        bind=called["bind_avatar"].warm_ms / 1000,
        profile=called["get_upload"].warm_ms / 1000,
        cold=STARTING + fmean(each.cold_ms - each.warm_ms for each in called.values()) / 1000,
        spread=SPREAD,
    )


TIMES = times()
PROCESS_MEAN = fmean(TIMES.process)


def take() -> None:
    """Takes what bench.memory found last; raises LookupError where it found nothing."""
    found = kept("memory")
    rows = _ROW.findall(found.section.text) if found and found.section else []
    if not rows:
        raise LookupError("python -m tools.bench --only memory")
    MEASURED.write_text(HEADING + "".join(f'"{name}" = [{", ".join(row)}]\n' for name, *row in rows))
