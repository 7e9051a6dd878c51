"""The limits as tables: what one change takes, when each limit is met, and which is the first on a given day."""

import math
import re

from tools.bench.scale.limits import (
    DAYS,
    INCOMING_WRITES,
    MEDIA_WRITES,
    METHODS,
    PAGES,
    PEAK,
    UPLOADS_READS,
    UPLOADS_WRITES,
    Limit,
    limits,
    poll,
)
from tools.bench.scale.simulation import percentile
from tools.bench.scale.times import MIX, PROCESS_MEAN, TIMES

PARAMETER = re.compile(r"`(\w+)`")


def limits_table() -> str:
    """Every limit, the first to be met at the top."""
    rows = [
        "| Limit | Allows | One change takes | Met at, changes a day | What to turn | Source |",
        "|---|---:|---:|---:|---|---|",
    ]
    return "\n".join(rows + [_row(limit) for limit in limits()])


def days_table() -> str:
    """For each number of changes a day: how near its busiest hour comes, and what is met."""
    rows = ["| Changes a day | A second, in the busiest hour | Nearest limits | Met |", "|---:|---:|---|---|"]
    return "\n".join(rows + [_day(day) for day in DAYS])


def work_table() -> str:
    """What one changed picture takes of what is counted."""
    reads = {f"poll, {poll()[0]} looks": poll()[0], **UPLOADS_READS}
    parts = {
        "API calls, preflights apart": {"intent, poll, bind, profile": METHODS},
        "uploads table, WRU": UPLOADS_WRITES,
        "uploads table, RRU": reads,
        "uploads bucket, writes": INCOMING_WRITES,
        "media bucket, writes": MEDIA_WRITES,
    }
    rows = ["| Of | One change takes | Which is |", "|---|---:|---|"]
    for name, work in parts.items():
        said = "; ".join(f"{what}: {count}" for what, count in work.items())
        rows.append(f"| {name} | {sum(work.values())} | {said} |")
    return "\n".join(rows)


def times_list() -> str:
    """The times that are told to the simulation, and whence they are, in a few sentences."""
    named = {
        "intent": TIMES.intent,
        "bind": TIMES.bind,
        "profile": TIMES.profile,
        "authorizer": TIMES.authorize,
        "a look of a poll": TIMES.read,
    }
    said = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in named.items())
    low, high = (percentile(list(TIMES.process), share) * 1000 for share in (0.05, 0.95))
    pictures = ", ".join(f"{share} x {name}" for name, share in MIX.items())
    return (
        f"Processing takes {PROCESS_MEAN * 1000:.0f} ms on average, and {low:.0f} to {high:.0f} ms for nine of ten "
        f"pictures (of ten: {pictures}). Medians of the rest: {said}, S3's event {TIMES.notice * 1000:.0f} ms, and "
        f"{TIMES.cold * 1000:.0f} ms more in a new environment. What functions compute was measured by `bench.memory`, "
        "and is told for the template's memory sizes; what they wait for is assumed, and scatters (sigma of the "
        f"logarithm {TIMES.spread}). A poll with nobody before it holds its function for {poll()[1]:.1f} s. The "
        f"busiest hour has {PEAK} times the changes of an average one."
    )


def turned(changes_a_day: int) -> dict[str, int]:
    """The template's parameters that have to be raised for so many, and to what: half as much again as it takes."""
    return {
        PARAMETER.findall(limit.turn)[0]: math.ceil(limit.share(changes_a_day) * limit.allows * 1.5 / 100) * 100
        for limit in limits()
        if not limit.page and limit.share(changes_a_day) > 1
    }


def turned_list() -> str:
    """The same in one sentence, for the most changes that the page answers for."""
    wanted = turned(DAYS[-1])
    kept = sum(value for name, value in wanted.items() if name.endswith("Concurrency"))
    said = ", ".join(f"`{name}` to {value:,}" for name, value in wanted.items())
    return (
        f"For {DAYS[-1]:,} a day raise {said}, and `ThrottleBurst` to twice the rate; before that Lambda's quota "
        f"*Concurrent executions*, of which {kept:,} are then kept for these two functions."
    )


def _row(limit: Limit) -> str:
    source = f"[{limit.page}]({PAGES[limit.page]})" if limit.page else "the template"
    cells = (limit.what, f"{limit.allows:,.0f} {limit.unit}", f"{limit.takes:.3g}", _rounded(limit.met_at))
    return f"| {' | '.join(cells)} | {limit.turn} | {source} |"


def _day(day: int) -> str:
    near = " · ".join(f"{limit.what} {_percent(limit.share(day))}" for limit in limits()[:3])
    met = "; ".join(limit.what for limit in limits() if limit.share(day) > 1) or "none"
    return f"| {day:,} | {day * PEAK / 86_400:.3g} | {near} | {met} |"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share * 100:.2g}%"


def _rounded(value: float) -> str:
    """To two digits: the assumptions bear no more."""
    digits = 10 ** max(0, math.floor(math.log10(value)) - 1)
    return f"{round(value / digits) * digits:,}"
