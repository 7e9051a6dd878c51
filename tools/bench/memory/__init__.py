"""Which memory sizes are worth choosing for the functions: a model of time and price, fed with measured CPU times."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from math import isqrt
from pathlib import Path

from PIL import Image

from profile_media.domain.model import ContentType
from profile_media.domain.policy import MAX_PIXELS
from tools.bench.memory.measure import Input, Measured, measure
from tools.bench.memory.model import (
    ALIKE,
    ASSUMED,
    COLD_SHARE,
    ONE_CPU,
    PRICES,
    Choice,
    Job,
    Parameter,
    Point,
    choose,
    parameter,
    point,
)
from tools.bench.report import Section

SOURCES = Path(__file__).parents[3] / "build/bench/sources"

TYPICAL = "12 MP JPEG"
PICTURES = ("3 MP JPEG", TYPICAL, "48 MP JPEG", "4 MP WebP")
LARGEST = "animated and transparent WebP of 25 megapixels"
WAITS = ASSUMED["waits"]
API = ("create_upload_intent", "get_upload", "bind_avatar")
SIZES = (256, 512, 768, 1024, 1280, 1536, ONE_CPU, 2048, 3008)

INTRODUCTION = """\
Lambda gives CPU in proportion to memory, one whole CPU at {one_cpu:,} MiB, and bills memory x time. What the functions
compute was measured here: fresh processes, an AWS that answers at once, no TLS. What they wait for is counted from the
calls they made there, at {dynamodb:g} ms a call of DynamoDB, {s3:g} ms a call of S3 and {fetched:g} MB/s for what is
fetched, and takes as long at any size. One invocation in {cold:.0f} is taken to be a cold one; initialisation is
billed, and runs at full speed; what Lambda's own runtime takes to start is not in it. *Balanced* is where time x the
price of a call is least, or within {alike:.0%} of it. Both architectures are given the same CPU time: arm64 is cheaper
as long as it needs less than {break_even:.2f} times that of x86_64.
"""


def run(quick: bool) -> Section:
    """Measures, and computes the table of sizes for each of the template's two parameters."""
    pictures = [measure(each, *((1, 3) if quick else (5, 15))) for each in _pictures()]
    api = [measure(Input(name, name), *((1, 10) if quick else (5, 60))) for name in API]
    [typical] = (each.job for each in pictures if each.job.name == TYPICAL)
    arm64, x86_64 = PRICES
    parts = [
        INTRODUCTION.format(
            **WAITS,
            one_cpu=ONE_CPU,
            cold=1 / COLD_SHARE,
            alike=ALIKE - 1,
            break_even=x86_64.gb_second / arm64.gb_second,
        ),
        _inputs([*pictures, *api]),
        _room(measure(_largest(), 1, 2)),
        _sizes("process_upload", parameter("ProcessMemorySize"), [typical]),
        _others([each.job for each in pictures], typical, parameter("ProcessMemorySize")),
        _sizes("the API's functions, on average", parameter("ApiMemorySize"), [each.job for each in api]),
    ]
    return Section("Memory size", "python -m tools.bench.memory", "\n".join(parts))


def _pictures() -> Iterable[Input]:
    from tools.bench.derivatives.sources import SOURCES as KINDS  # noqa: PLC0415 - who only reads the model needs no pictures
    from tools.bench.derivatives.sources import made  # noqa: PLC0415

    for name, path in made(SOURCES, PICTURES).items():
        yield Input(name, "process_upload", path.read_bytes(), KINDS[name].content_type)


def _largest() -> Input:
    """The picture that takes most memory of all that are let through; what it shows makes no difference to that."""
    side = isqrt(MAX_PIXELS[ContentType.WEBP])
    one, other = (Image.new("RGBA", (side, side), (90, 60, shade, 128)) for shade in (30, 31))
    stream = BytesIO()
    one.save(stream, "WEBP", save_all=True, append_images=[other], lossless=True, method=0, quality=0)
    return Input(LARGEST, "process_upload", stream.getvalue(), ContentType.WEBP.value)


def _room(largest: Measured) -> str:
    least = parameter("ProcessMemorySize").least
    return (
        f"The largest picture that is let through, an {LARGEST}, takes\n"
        f"{largest.peak_mib:.0f} MiB, process and decoding child together, and {largest.job.cpu_ms:.0f} ms of CPU:"
        f" `ProcessMemorySize` starts at {least:,}.\n"
    )


def _inputs(every: Iterable[Measured]) -> str:
    rows = [
        "| Job | Initialising | First call, on top | Warm call, CPU | Waiting | Memory, at most |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for each in every:
        job = each.job
        cpu = f"{job.cpu_ms} ms ({each.least_ms:.1f}-{each.most_ms:.1f}) | {job.wait_ms} ms"
        rows.append(f"| {job.name} | {job.init_ms} ms | {job.first_ms} ms | {cpu} | {each.peak_mib:.0f} MiB |")
    return "\n".join(rows) + "\n"


def _sizes(what: str, chosen: Parameter, jobs: Sequence[Job]) -> str:
    """The table of one parameter: each size, with its time, and its price on both architectures."""
    sizes = [mib for mib in SIZES if mib >= chosen.least]
    columns = [[point(jobs, mib, price) for mib in sizes] for price in PRICES]
    choice = choose(columns[0])
    rows = [
        f"### {what}: `{chosen.name}`\n",
        "| Size | Warm | Cold | " + " | ".join(f"{price.architecture}, a million" for price in PRICES) + " | |",
        "|---:|---:|---:|" + "---:|" * len(PRICES) + "---|",
        *(_size(points, marks(points[0].mib, choice, chosen)) for points in zip(*columns, strict=True)),
    ]
    return "\n".join(rows) + "\n"


def _size(points: Sequence[Point], marked: str) -> str:
    first = points[0]
    prices = " | ".join(f"${each.dollars:.2f}" for each in points)
    return f"| {first.mib:,} MiB | {first.warm_ms:.1f} ms | {first.cold_ms:.0f} ms | {prices} | {marked} |"


def marks(mib: int, choice: Choice, chosen: Parameter) -> str:
    """What is to be said of a size: cheapest, fastest, balanced, the default."""
    said = {
        "cheapest": mib == choice.cheapest,
        "fastest": mib == choice.fastest,
        "balanced": mib in choice.balanced,
        "**the default**": mib == chosen.default,
    }
    return ", ".join(words for words, so in said.items() if so)


def _others(pictures: Sequence[Job], typical: Job, chosen: Parameter) -> str:
    """What other pictures, another machine or a slower S3 would make of the choice."""
    others = [
        *(job for job in pictures if job != typical),
        replace(typical, name=f"{TYPICAL}, a processor of half this one's speed", cpu_ms=2 * typical.cpu_ms),
        replace(typical, name=f"{TYPICAL}, a processor of twice this one's speed", cpu_ms=typical.cpu_ms / 2),
        replace(typical, name=f"{TYPICAL}, waiting three times as long", wait_ms=3 * typical.wait_ms),
    ]
    rows = ["| Otherwise | Cheapest | Fastest | Balanced |", "|---|---:|---:|---:|"]
    for job in others:
        choice = choose(point([job], mib, PRICES[0]) for mib in SIZES if mib >= chosen.least)
        balanced = ", ".join(f"{mib:,}" for mib in choice.balanced)
        rows.append(f"| {job.name} | {choice.cheapest:,} MiB | {choice.fastest:,} MiB | {balanced} MiB |")
    return "\n".join(rows) + "\n"
