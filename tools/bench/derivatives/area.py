"""The area's section: everyone's cost and quality, job by job, and the goals."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from profile_media.domain.model import MASTER, Slot
from profile_media.domain.policy import MASTER_SIDE
from profile_media.imaging.probe import detect_format
from tools.bench.derivatives import encoders, overlap, parts, quality
from tools.bench.derivatives.ask import (
    BEST_FINE,
    FLOOR,
    GUARDED,
    OURS,
    ROOT,
    TUTORIAL,
    USUAL,
    Cost,
    Task,
    Worker,
    compare,
    peaks,
    ratio,
)
from tools.bench.derivatives.chart import draw
from tools.bench.derivatives.jobs import JOBS
from tools.bench.derivatives.sources import SOURCES, made
from tools.bench.report import Goal, Section

KEPT = ROOT / "build/bench/sources"
JPEG3, JPEG12, JPEG48, PNG12, WEBP4 = "3 MP JPEG", "12 MP JPEG", "48 MP JPEG", "12 MP PNG", "4 MP WebP"
WIDE12 = "12 MP JPEG, Display P3"
GOALS_NEED = (JPEG3, JPEG12, JPEG48, PNG12, WEBP4)

ROUNDS, FEW_ROUNDS = 9, 3

INTRODUCTION = """\
Job A is an avatar of 512, 256, 128 and 64 pixels, job B a cover of 1500 x 500 and 750 x 250, job C is job A and the
master: A and B are what the service makes without `KeepMaster`. All are WebP of quality 80 and effort 4, upright, in
sRGB, without metadata; the master is a JPEG of quality 90. CPU is user and system time of the process that does the
job, medians of {rounds} rounds in which everyone took a turn, on one core unless said otherwise. "High quality" is
sharp's `fastShrinkOnLoad: false`. The floor is libjpeg-turbo's scaled decode, Pillow's own for other formats, and the
encodes, with nothing between them. SSIM is against one Lanczos step from full resolution, each contender at the crop it
chose; bytes are those of the shown sizes together.
"""

FRESH = "a child's memory is fresh: the kernel hands it out page by page, where a process keeps what it had"

type Found = Mapping[str, Mapping[str, Cost]]
"""Costs by source, then by contender."""


@dataclass(frozen=True)
class Measured:
    """All of one job."""

    job: str
    costs: Found
    ssim: Mapping[str, Mapping[str, float]]
    """Of the largest size."""


def run(quick: bool) -> Section:
    """Measures everything and writes it down."""
    rounds = FEW_ROUNDS if quick else ROUNDS
    names = GOALS_NEED if quick else tuple(SOURCES)
    [file] = made(KEPT, (JPEG12,)).values()
    waited = overlap.measured(file, rounds)
    jobs = {
        "A": _job("A", names, rounds),
        "B": _job("B", (JPEG12,) if quick else (JPEG12, JPEG48, PNG12), rounds),
        "C": _job("C", (JPEG12,) if quick else (JPEG12, JPEG48, PNG12, WEBP4), rounds),
    }
    held = {name: peaks(_task(name, "A"), _cores(1)) for name in (JPEG12, JPEG48)}
    text = [INTRODUCTION.format(rounds=rounds), *(_tables(job) for job in jobs.values())]
    if not quick:
        text += [_two_cores(rounds), _encoders(file)]
    text += [_parts(rounds), _memory(held), _overlap(waited)]
    charts = () if quick else (draw({name: jobs["A"].costs[name] for name in (JPEG12, JPEG48)}),)
    goals = tuple(_goals(jobs, held, waited))
    return Section("Derivatives", "python -m tools.bench.derivatives", "\n\n".join(text), charts, goals)


def _cores(count: int) -> list[int]:
    return sorted(os.sched_getaffinity(0))[:count]


def _task(source: str, job: str) -> Task:
    file = made(KEPT, (source,))[source]
    return Task(source, file, SOURCES[source].content_type, JOBS[job], MASTER_SIDE)


def _job(job: str, names: Iterable[str], rounds: int) -> Measured:
    return _measured(job, (_task(name, job) for name in names), rounds)


def _measured(job: str, tasks: Iterable[Task], rounds: int) -> Measured:
    costs, ssim = {}, {}
    for task in tasks:
        with TemporaryDirectory() as folder:
            fair = _as_large_a_master(task, Path(folder)) if task.job.master else task
            costs[task.source] = compare(fair, rounds, _cores(1), Path(folder))
            ssim[task.source] = {
                each: quality.judged(task.path, task.job, Path(folder) / each)
                for each in costs[task.source]
                if each != FLOOR
            }
        quality.forget()
    return Measured(job, costs, ssim)


def own(folder: Path, quick: bool) -> str:
    """The tables of all jobs for the pictures in a folder."""
    found = []
    for file in sorted(folder.iterdir()):
        with file.open("rb") as start:
            content_type = detect_format(start.read(64))
        if content_type:
            found.append((file, content_type.value))
    tasks = {
        job: [Task(file.name, file, content_type, JOBS[job], MASTER_SIDE) for file, content_type in found]
        for job in JOBS
    }
    rounds = FEW_ROUNDS if quick else ROUNDS
    return "\n\n".join(_tables(_measured(job, tasks[job], rounds)) for job in JOBS)


def _as_large_a_master(task: Task, folder: Path) -> Task:
    """The task with a master as large as ours for everyone: a whole part of the original saves them the same work."""
    with Worker(OURS, _cores(1)) as worker:
        worker.ask(task, folder)
    with Image.open(folder / MASTER) as master:
        return replace(task, master_side=max(master.size))


def _tables(measured: Measured) -> str:
    heading = f"### Job {measured.job}\n\nCPU in ms, and bytes and SSIM of what came out:"
    rows = [
        "| Source | Contender | CPU | ours ÷ it | wall | bytes | SSIM, largest |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for source, costs in measured.costs.items():
        ours = costs[OURS]
        for name, cost in sorted(costs.items(), key=lambda item: item[1].ms):
            figure, spread = ratio(ours, cost)
            similar = f"{measured.ssim[source][name]:.4f}" if name in measured.ssim[source] else "-"
            of_it = "" if name == OURS else f"{figure:.2f} ({spread})"
            wall = sorted(cost.wall)[len(cost.wall) // 2]
            rows.append(
                f"| {source} | {name} | {cost.ms:.0f} ({min(cost.cpu):.0f}-{max(cost.cpu):.0f}) | {of_it} | "
                f"{wall:.0f} | {_shown(measured.job, cost):,} | {similar} |"
            )
    return f"{heading}\n\n" + "\n".join(rows)


def _shown(job: str, cost: Cost) -> int:
    """Bytes of all but the master."""
    return sum(cost.bytes[: len(JOBS[job].sizes)])


def _parts(rounds: int) -> str:
    tasks = [
        _task(*each)
        for each in ((JPEG12, "A"), (JPEG48, "A"), (PNG12, "A"), (WEBP4, "A"), (JPEG12, "B"), (JPEG12, "C"))
    ]
    words = (
        "### Where the time goes\n\nCPU of this pipeline in ms. Pillow neither reads PNG nor resamples with vector "
        "instructions, and reads WebP as if it were animated; sharp's libraries do better at all three:"
    )
    return "\n\n".join([words, parts.table(tasks, rounds)])


def _two_cores(rounds: int) -> str:
    costs = compare(_task(JPEG12, "A"), rounds, _cores(2))
    rows = ["| Contender | CPU, ms | wall, ms |", "|---|---:|---:|"]
    rows += [
        f"| {name} | {cost.ms:.0f} | {sorted(cost.wall)[len(cost.wall) // 2]:.0f} |" for name, cost in costs.items()
    ]
    return f"### Job A on up to two cores, {JPEG12}\n\n" + "\n".join(rows)


def _encoders(file: Path) -> str:
    tables = (encoders.table(file, slot) for slot in Slot)
    words = (
        f"### Encoder settings\n\nBytes, SSIM and least CPU of each size of the {JPEG12}, as it reaches the encoder:"
    )
    return "\n\n".join([words, *tables])


def _memory(held: Mapping[str, Mapping[str, float]]) -> str:
    rows = ["| Contender | " + " | ".join(held) + " |", "|---|" + "---:|" * len(held)]
    rows += [
        f"| {name} | " + " | ".join(f"{each[name]:.0f} MiB" for each in held.values()) + " |"
        for name in next(iter(held.values()))
    ]
    return "### Memory\n\nWhat a fresh process holds at most, doing job A once:\n\n" + "\n".join(rows)


def _overlap(waited: overlap.Overlap) -> str:
    return (
        "### Waiting\n\n"
        f"A {JPEG12} fetched at {overlap.BYTES_A_SECOND / 1e6:.0f} MB/s, made into derivatives, and each stored in "
        f"{overlap.STORE_SECONDS * 1000:.0f} ms: {waited.together:.0f} ms, where one thing after the other takes "
        f"{waited.apart:.0f} ms. What overlaps are the stores; the picture is decoded when it is there as a whole."
    )


def _goals(
    jobs: Mapping[str, Measured], held: Mapping[str, Mapping[str, float]], waited: overlap.Overlap
) -> Iterator[Goal]:
    for job, source, peer, bound in (
        ("A", JPEG12, BEST_FINE, 0.85),
        ("A", JPEG12, USUAL, 0.45),
        ("A", JPEG12, TUTORIAL, 0.25),
        ("A", JPEG48, TUTORIAL, 0.13),
        ("A", JPEG12, FLOOR, 1.35),
        ("A", JPEG48, BEST_FINE, 0.9),
        ("A", PNG12, BEST_FINE, 1.2),
        ("A", WEBP4, BEST_FINE, 0.9),
        ("B", JPEG12, BEST_FINE, 0.9),
        ("C", JPEG12, BEST_FINE, 0.9),
    ):
        yield _against(jobs[job], source, peer, bound)
    for source, each in held.items():
        figure = each[OURS] / each[BEST_FINE] if BEST_FINE in each else None
        yield Goal(f"Memory, {source} ÷ {BEST_FINE}", 0.5, figure)
    for job in ("A", "C"):
        guarded, bare = (jobs[job].costs[JPEG12][each] for each in (GUARDED, OURS))
        extra = sorted(one - other for one, other in zip(guarded.cpu, bare.cpu, strict=True))
        name = f"What the guard rails take, CPU, job {job}, {JPEG12}"
        yield Goal(name, 12, guarded.ms - bare.ms, unit="ms", spread=_middle(extra), note=FRESH)
    costs = jobs["A"].costs
    for more, less in ((JPEG12, JPEG3), (JPEG48, JPEG12)):
        # Both steps are four times the pixels.
        yield Goal(f"CPU, {more} ÷ four times {less}", 1, costs[more][OURS].ms / (4 * costs[less][OURS].ms))
    colours, encoder = quality.colour_differences(made(KEPT, (WIDE12,))[WIDE12], JOBS["A"])
    name = f"Colours of a {WIDE12}, mean CIEDE2000 against a colour-managed reference"
    yield Goal(name, 1.5, colours, note=f"the encoder alone, given that reference, changes it by {encoder:.2f}")
    yield Goal("Download, work and stores ÷ one after the other, wall", 0.75, waited.ratio)


def _middle(ordered: list[float]) -> str:
    return f"{ordered[len(ordered) // 4]:.1f}-{ordered[-1 - len(ordered) // 4]:.1f}"


def _against(measured: Measured, source: str, peer: str, bound: float) -> Goal:
    name = f"Job {measured.job}, {source} ÷ {peer}, CPU"
    costs, ssim = measured.costs[source], measured.ssim[source]
    if peer not in costs:
        return Goal(name, bound, None, note="it is not installed")
    figure, spread = ratio(costs[OURS], costs[peer])
    note = ""
    if peer in ssim:
        more = _shown(measured.job, costs[OURS]) / _shown(measured.job, costs[peer]) - 1
        floor = costs[FLOOR].ms / costs[peer].ms
        note = f"SSIM {ssim[OURS] - ssim[peer]:+.4f}, bytes {more:+.1%}; the floor ÷ it {floor:.2f}"
    return Goal(name, bound, figure, spread=spread, note=note)
