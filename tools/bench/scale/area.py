"""The area of the bench: the limits, and the bursts, as docs/scale.md has them."""

from tools.bench.report import Goal, Section
from tools.bench.scale.limits import DAYS, limits
from tools.bench.scale.scenarios import BURST, SMALL, bursts_table, play, starved
from tools.bench.scale.tables import days_table


def run(quick: bool) -> Section:
    """Which limit is met first, and what a burst does to those in it and to everybody else."""
    burst = SMALL if quick else BURST
    ours, unreserved = starved(SMALL)
    first = limits()[0]
    text = "\n".join(
        [
            f"The limit met first is {first.what}, at {first.met_at:,.0f} changes a day; docs/scale.md has them all.",
            "",
            days_table(),
            "",
            f"{burst.users:,} users change their picture within {burst.seconds:.0f} s, simulated (median / 99 of 100):",
            "",
            bursts_table(play(burst)),
            "",
            f"Of those who only look at a profile meanwhile, {ours:.1%} wait for longer than a second; "
            f"{unreserved:.1%} where nothing is reserved.",
        ]
    )
    goals = (
        Goal(f"limits met at {DAYS[1]:,} changes a day", 0, sum(limit.share(DAYS[1]) > 1 for limit in limits())),
        Goal("bystanders who wait for longer than a second", 0.01, ours),
    )
    return Section("Scale", "python -m tools.bench.scale", text, goals=goals)
