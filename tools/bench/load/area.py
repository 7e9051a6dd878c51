"""The area of the bench: a stack of its own under load, then one with a single place to process in."""

from tools.bench.load.burst import Measured, alone, compared, predicted, times_of, together
from tools.bench.load.life import STEPS, Log, lives
from tools.bench.load.remains import Remains
from tools.bench.report import Goal, Section
from tools.bench.scale.simulation import Burst, percentile
from tools.local.demo import PHOTOGRAPHS
from tools.local.launch import launched

PATIENT = {"PurgeDelaySeconds": "1", "OpenIntents": "100", "IntentsPerHour": "1000", "WritesPerMinute": "1000"}
"""Limits on one user are no subject here: these users change their picture as fast as they can."""

USERS, LIVES, QUICK_LIVES = 20, 5, 1
BURST, QUICK_BURST = Burst(40, 5), Burst(10, 2)
SHARES = (0.5, 0.95, 0.99)
CLOSE = 1.25
"""The simulation is believed if it is no further off than this, either way."""


def pictures() -> tuple[bytes, bytes]:
    """Two photographs."""
    return (PHOTOGRAPHS / "portrait.jpg").read_bytes(), (PHOTOGRAPHS / "second.jpg").read_bytes()


def run(quick: bool) -> Section:
    """What many users at once get out of the local stack, and whether the simulation knows how long they wait."""
    with launched(PATIENT) as state:
        log = lives(state, USERS, QUICK_LIVES if quick else LIVES, pictures())
        wrong = Remains(state).wrong([log])
    burst = QUICK_BURST if quick else BURST
    with launched({**PATIENT, "ProcessConcurrency": "1"}) as state:
        calm = alone(state, 5 if quick else 10, pictures()[0])
        warm = together(state, burst, pictures()[0], "warm")
        full = together(state, burst, pictures()[0], "full")
        wrong += Remains(state).wrong([calm.log, warm.log, full.log])
    errors = [error for each in (log, calm.log, warm.log, full.log) for error in each.errors]
    said = compared(predicted(burst, times_of(calm), full.processing), full)
    off = max(max(ours / theirs, theirs / ours) for _, ours, theirs in said)
    text = "\n\n".join(
        part
        for part in (
            throughput(log),
            _found("Errors", errors),
            _found("Lost or left over", wrong),
            waited(burst, calm, full),
        )
        if part
    )
    goals = (
        Goal("errors", 0, len(errors)),
        Goal("lost or left over", 0, len(wrong)),
        Goal("simulation against measurement, either way", CLOSE, off),
    )
    return Section("Throughput of the local stack", "python -m tools.bench.load", text, goals=goals)


def throughput(log: Log) -> str:
    """Rates, and a table of how long each step took."""
    seconds = log.went - log.came
    lived = len(log.seconds["bind"]) / 2
    rows = [
        f"| {step} | {len(taken)} | {' | '.join(f'{percentile(taken, each) * 1000:,.0f}' for each in SHARES)} |"
        for step, taken in ((step, log.seconds[step]) for step in STEPS)
        if taken
    ]
    return "\n".join(
        [
            f"Two pictures each, one after the other: {lived:.0f} lives in {seconds:.1f} s by {len(log.bound)} users "
            f"at once, {lived / seconds:.2f} lives a second, {log.requests / seconds:.0f} requests a second; all of it "
            "on this machine, users and AWS included.",
            "",
            "| Step | Times | Median, ms | 95 of 100 | 99 of 100 |",
            "|---|---:|---:|---:|---:|",
            *rows,
        ]
    )


def waited(burst: Burst, calm: Measured, full: Measured) -> str:
    """The burst: what the simulation said with the times of users who came alone, and with those of the burst."""
    times = times_of(calm)
    pairs = zip(
        compared(predicted(burst, times), full),
        compared(predicted(burst, times, full.processing), full),
        strict=True,
    )
    rows = [
        f"| {name} | {measured:.2f} | {before:.2f} | {before / measured:.2f} | {after:.2f} | {after / measured:.2f} |"
        for (name, before, measured), (_, after, _) in pairs
    ]
    idle, busy = (percentile(each.processing, 0.5) for each in (calm, full))
    return "\n".join(
        [
            f"{burst.users} users within {burst.seconds:.0f} s, one picture processed at a time: seconds until the new "
            f"picture is the avatar. Processing takes {idle:.2f} s where nothing else runs, and {busy:.2f} s "
            "in the burst, where two cores do everything; the simulation knows of places, and not of cores.",
            "",
            "| | Measured | Simulated, calm | ÷ measured | Simulated, busy | ÷ measured |",
            "|---|---:|---:|---:|---:|---:|",
            *rows,
        ]
    )


def _found(title: str, found: list[str]) -> str:
    return "\n".join([f"**{title}**:", "", *(f"- {each}" for each in found[:20])]) if found else ""
