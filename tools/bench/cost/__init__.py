"""What an avatar costs, from the wish for it to the last trace of the one before, and the same the usual way.

`python -m tools.bench.cost --users 100000 --changes-per-day 0.01 --megapixels 12` prints it for any numbers.
"""

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tools.bench.cost.bill import AUTHORIZER, BROWSERS_UPLOAD, Bill, bill, listed, storage, total
from tools.bench.cost.cpu import Rendering, rendering
from tools.bench.cost.lives import Lived, ours, usual
from tools.bench.report import Goal, Section, number

SOURCES = Path(__file__).parents[3] / "build/bench/sources"
MEASURED = Path(__file__).parent / "measured.toml"
COMMAND = "python -m tools.bench.cost"
GOAL = 0.35
OPENING = "At AWS's list prices a million changes of an avatar take"
DAYS = 30
"""Of a month."""

SAID = {
    "api_requests": "API Gateway",
    "invocations": "Lambda requests",
    "gb_seconds": "Lambda GB-s",
    "read_units": "DynamoDB reads",
    "write_units": "DynamoDB writes",
    "s3_puts": "S3 PUT, POST, LIST",
    "s3_gets": "S3 GET",
    "sqs_requests": "SQS requests",
    "log_gb": "Logs, GB",
}


@dataclass(frozen=True)
class Asked:
    """What is to be computed: so many users, changes of a picture a user and day, the picture."""

    users: int = 100_000
    changes_per_day: float = 0.01
    megapixels: int = 12


@dataclass(frozen=True)
class Way:
    """One way of doing it: its lines by what they are, and the bytes that stay in S3 while the picture is shown."""

    lines: Mapping[str, Bill]
    stored: int

    @property
    def bill(self) -> Bill:
        return total(self.lines.values())


@dataclass(frozen=True)
class Compared:
    """Both ways, for the same picture."""

    ours: Way
    usual: Way
    rendering: Rendering

    @property
    def ratio(self) -> float:
        """Of requests and computing; what lies in S3 is left out."""
        return self.ours.bill.dollars() / self.usual.bill.dollars()

    @property
    def days_to_even(self) -> float:
        """How long a picture lies in S3 until both ways have cost the same."""
        dearer = self.ours.bill.dollars() - self.usual.bill.dollars()
        return DAYS * dearer / (storage(self.usual.stored, 1) - storage(self.ours.stored, 1))


def _kept(way: Way, months: float) -> float:
    return way.bill.dollars() + storage(way.stored, months)


def compared(mine: Lived, theirs: Lived, measured: Rendering, size: int) -> Compared:
    """Both lives as they were recorded, with the CPU that was measured, for an original of so many bytes."""
    paid = {"upload, by the browser": BROWSERS_UPLOAD, "authorize": AUTHORIZER}
    return Compared(
        Way({**paid, **{step.name: bill(step, measured.ours_ms, size) for step in mine.steps}}, mine.stored),
        Way({step.name: bill(step, measured.usual_ms, size, at_once=1) for step in theirs.steps}, theirs.stored),
        measured,
    )


def run(quick: bool) -> Section:
    """Measures the CPU of both ways, counts the rest, and computes what it comes to."""
    return section(Asked(), quick)


def section(asked: Asked, quick: bool) -> Section:
    """The same for other numbers."""
    picture = source(asked.megapixels)
    measured = rendering(picture, 3 if quick else 11)
    both = compared(ours(picture), usual(picture), measured, len(picture))
    parts = ["\n".join(_text(asked, both, len(picture)))]
    goals = (Goal("an avatar's whole life ÷ the usual way, requests and computing", GOAL, both.ratio, note=_why(both)),)
    return Section("Calls, capacity and money", COMMAND, "\n".join(parts), goals=goals)


def source(megapixels: int) -> bytes:
    """A photograph of about that size, as the other areas measure."""
    from tools.bench.derivatives.sources import made  # noqa: PLC0415 - needs numpy, and a minute for the first one

    name = f"{megapixels} MP JPEG"
    return made(SOURCES, (name,))[name].read_bytes()


def _why(both: Compared) -> str:
    """What stands in the way of the goal: what S3 asks for storing the files, whoever stores them."""
    stores = both.ours.bill.parts()["s3_puts"] / both.usual.bill.dollars()
    return f"S3's requests for its files are {stores:.2f}, were all the rest for nothing; what lies in S3 is left out"


def readme_line(both: Compared) -> str:
    """What the README says of it."""
    mine, theirs = ((1e6 * way.bill.dollars(), 1e6 * storage(way.stored, 1)) for way in (both.ours, both.usual))
    return (
        f"{OPENING} ${mine[0]:.0f} of requests and computing,\n"
        f"and ${mine[1]:.0f} a month for what lies in S3. A function that keeps the original and makes each size from "
        f"it, the usual\nway, takes ${theirs[0]:.0f} and ${theirs[1]:.0f} a month: less at first, and more from day "
        f"{math.ceil(both.days_to_even)} (`{COMMAND}`)."
    )


def _text(asked: Asked, both: Compared, size: int) -> Iterator[str]:
    dated = listed()
    yield (
        f"List prices of {dated['region']}, {dated['taken']:%Y-%m-%d}, first tier, arm64, without the free tiers: "
        "`tools/bench/prices.toml`, each with AWS's page. They are from memory and from copies of what others say of these "
        f"pages: compare before relying on them. The picture is a JPEG of {asked.megapixels} megapixels and "
        f"{size / 1e6:.1f} MB. "
        "Calls and capacity are recorded on moto, ours and the usual way's alike, and asserted in "
        "`tests/functions/test_capacity.py`; CPU of the derivatives is measured here, in turns: "
        f"{both.rendering.ours_ms:.0f} against {both.rendering.usual_ms:.0f} ms ({both.rendering.spread}). "
        "What functions wait for is the memory model's. The usual way is `tools/bench/usual`, which says where each choice "
        "is from and what is left out in its favour.\n"
    )
    for title, way in (("This service", both.ours), ("The usual way", both.usual)):
        yield f"### {title}\n\n{_table(way)}\n"
    yield f"### For {asked.users:,} users, {asked.changes_per_day:g} changes a day each\n\n{_monthly(asked, both)}\n"
    yield f"### The picture stays in S3\n\n{_staying(both)}\n"


def _table(way: Way) -> str:
    names = [each.name for each in fields(Bill)]
    rows = [f"| a picture that replaces another | {' | '.join(SAID[name] for name in names)} | $ a million |"]
    rows.append(f"|---|{'---:|' * (len(names) + 1)}")
    rows += [_row(name, line) for name, line in way.lines.items()]
    rows.append(_row("**all**", way.bill))
    dollars = " | ".join(f"{1e6 * value:.2f}" for value in way.bill.parts().values())
    rows.append(f"| $ a million | {dollars} | {1e6 * way.bill.dollars():.2f} |")
    return "\n".join(rows)


def _row(name: str, line: Bill) -> str:
    cells = " | ".join(_cell(value) for value in asdict(line).values())
    return f"| {name} | {cells} | {1e6 * line.dollars():.2f} |"


def _cell(value: float) -> str:
    return "" if not value else number(value)


def _monthly(asked: Asked, both: Compared) -> str:
    changes = asked.users * asked.changes_per_day * DAYS
    rows = ["| a month | requests and computing | S3, one picture a user | together |", "|---|---:|---:|---:|"]
    for title, way in (("this service", both.ours), ("the usual way", both.usual)):
        working, lying = changes * way.bill.dollars(), asked.users * storage(way.stored, 1)
        rows.append(f"| {title} | ${working:,.2f} | ${lying:,.2f} | ${working + lying:,.2f} |")
    return "\n".join(rows)


STAYS: Sequence[float] = (0, 0.5, 1, 3, 6, 12, 24)


def _staying(both: Compared) -> str:
    rows = ["| months | this service, $ a million | the usual way | ÷ |", "|---:|---:|---:|---:|"]
    for months in STAYS:
        mine, theirs = 1e6 * _kept(both.ours, months), 1e6 * _kept(both.usual, months)
        rows.append(f"| {months:g} | {mine:,.0f} | {theirs:,.0f} | {mine / theirs:.2f} |")
    stored = (
        f"Bytes that stay: {both.ours.stored:,} here, {both.usual.stored:,} the usual way, which keeps the original."
    )
    return "\n".join([*rows, "", stored])


@dataclass(frozen=True)
class Kept:
    """What the README's line was computed from, so that it can be computed again."""

    rendering: Rendering
    picture: int
    ours: int
    usual: int


def kept() -> Kept:
    """As it was measured when the line was written."""
    found = tomllib.loads(MEASURED.read_text())
    return Kept(Rendering(**found["rendering"]), **found["stored"])
