"""A burst against the local stack with one picture processed at a time, beside what the simulation says of it."""

import json
import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.bench.load.life import Log, NotSo, User, at_once, checked
from tools.bench.scale.simulation import Burst, Deployment, Outcome, Times, moments, percentile, simulate
from tools.local.pumps import POLL_SECONDS
from tools.local.runner import MAX_WORKERS

FUNCTION = "ProcessUploadFunction"

LOCAL = Deployment(
    process_concurrency=1,
    concurrency=6 * MAX_WORKERS,
    retry_first=POLL_SECONDS,
    retry_factor=1,
    retry_longest=POLL_SECONDS,
)
"""The local stack: no throttling, workers for everybody, and an event that finds none free tries again all the time."""


LUCK = 25
"""Times that a burst is simulated."""


@dataclass
class Measured:
    """Users who came alone or all at once; seconds since each came."""

    log: Log
    shown: list[float] = field(default_factory=list)
    notices: list[float] = field(default_factory=list)
    processing: list[float] = field(default_factory=list)


def alone(state: Mapping[str, Any], users: int, picture: bytes) -> Measured:
    """One user after the other: how long each thing takes where nobody waits."""
    before, posted, measured = len(_processed(state)), [], Measured(Log())
    for number in range(users):
        _come(User(checked(state), f"alone|{number}", measured.log), measured, picture)
        posted.append(time.time() - measured.log.seconds["bind"][-1] - measured.log.seconds["ready"][-1])
    runs = _processed(state)[before:]
    measured.processing = [seconds for _, seconds in runs]
    measured.notices = [max(0.0, end - took - at) for (end, took), at in zip(runs, posted, strict=True)]
    return measured


def together(state: Mapping[str, Any], burst: Burst, picture: bytes, name: str) -> Measured:
    """Everybody at some moment of the burst, chosen as the simulation chooses it."""
    before, measured, when = len(_processed(state)), Measured(Log()), moments(burst)
    users = [User(checked(state), f"{name}|{number}", measured.log) for number in range(burst.users)]
    for user in users:
        user.sign_in()

    def come(number: int) -> None:
        time.sleep(when[number])
        _come(users[number], measured, picture)

    at_once(measured.log, come, range(burst.users))
    measured.processing = [seconds for _, seconds in _processed(state)[before:]]
    return measured


def _come(user: User, measured: Measured, picture: bytes) -> None:
    user.sign_in()
    came = time.monotonic()
    try:
        upload = user.upload(picture)
        user.bind(upload)
    except (NotSo, OSError, KeyError, ValueError) as error:
        measured.log.errors.append(f"{user.subject}: {error}")
    else:
        user.log.bound[user.subject] = upload["uploadId"]
        measured.shown.append(time.monotonic() - came)


def times_of(measured: Measured) -> Times:
    """What the simulation is told of users who came alone: medians, and all of processing. No authorizer by itself."""
    median = {step: statistics.median(seconds) for step, seconds in measured.log.seconds.items() if seconds}
    logarithms = [math.log(seconds) for seconds in measured.processing]
    return Times(
        authorize=1e-6,
        intent=median["intent"],
        post=median["post"],
        notice=max(1e-6, statistics.median(measured.notices)),
        process=tuple(measured.processing),
        read=median["profile"] if "profile" in median else median["bind"] / 2,
        bind=median["bind"],
        profile=1e-6,
        cold=0,
        spread=statistics.pstdev(logarithms),
    )


def predicted(burst: Burst, times: Times, processing: list[float] | None = None) -> list[Outcome]:
    """What the simulation says of the burst, with processing as long as it was in the burst where that is given."""
    chosen = times if processing is None else replace(times, process=tuple(processing))
    return [simulate(replace(burst, luck=luck), LOCAL, chosen) for luck in range(LUCK)]


def compared(said: list[Outcome], measured: Measured) -> list[tuple[str, float, float]]:
    """Percentiles of the time until the new picture is the avatar: what was said (a median), and measured."""
    return [
        (name, statistics.median(percentile(one.shown, share) for one in said), percentile(measured.shown, share))
        for name, share in {"median": 0.5, "95 of 100": 0.95, "last": 1.0}.items()
    ]


def _processed(state: Mapping[str, Any]) -> list[tuple[float, float]]:
    """When each run of process_upload ended, and how long it took."""
    log = Path(state["folder"]) / "logs" / f"{FUNCTION}.log"
    records = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return [
        (datetime.fromisoformat(record["time"]).timestamp(), record["record"]["metrics"]["durationMs"] / 1000)
        for record in records
        if record.get("type") == "platform.report"
    ]
