"""Derivatives: CPU time, memory and quality, against sharp and Pillow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from PIL import Image

from profile_media.domain.model import MASTER
from profile_media.domain.policy import MASTER_SIDE
from tools.bench.chart import Panel, draw
from tools.bench.derivatives.ask import (
    BEST,
    BEST_FINE,
    USUAL,
    Task,
    Worker,
    compare,
    contenders,
    peak_memory,
    shown_bytes,
)
from tools.bench.derivatives.contenders import JOBS, OURS, TUTORIAL
from tools.bench.derivatives.quality import forget, similarity
from tools.bench.derivatives.sources import made
from tools.bench.report import RESULTS, Goal, Section, ratios, table

TEXT = """\
Job A is an avatar of 512, 256, 128 and 64 pixels. Job B is a cover image of 1500x500 and 750x250. Job C is job A with
the master. All sizes are WebP with effort 4, upright and without metadata; the master is a JPEG of quality 90.

- *ours* is what runs in production: the pipeline in its sandbox.
- *sharp, best* decodes once and makes the smaller sizes from memory; *high quality* is `fastShrinkOnLoad: false`.
- *sharp, usual* has one pipeline per size. *Pillow, tutorial* is `ImageOps.fit` from full resolution per size.

CPU is user and system time on one core, with child processes; the median of {rounds} rounds in turns. sharp's WebP
quality is chosen so that its files are as large as ours at quality 80. SSIM is that of the largest size, compared with
one Lanczos step from full resolution.

{tables}

### Memory

The most that a fresh process holds while it does job A once, plus the pages of the rendering child that it does not
share with its parent, in MiB; the highest of {starts} starts.

{memory}
"""
CHART = "derivatives.svg"
JPEG12, SIDEWAYS, JPEG48, PNG, WEBP, AVIF = (
    "12 MP JPEG",
    "12 MP JPEG, sideways",
    "48 MP JPEG",
    "12 MP PNG",
    "4 MP WebP",
    "4 MP AVIF",
)
MEASURED: Mapping[str, Sequence[str]] = {
    "A": (JPEG12, SIDEWAYS, JPEG48, PNG, WEBP, AVIF),
    "B": (JPEG12,),
    "C": (JPEG12,),
}
QUICK: Mapping[str, Sequence[str]] = {"A": (JPEG12,)}
MEMORY_SOURCES = (JPEG12, JPEG48)


@dataclass(frozen=True)
class Line:
    """One contender's result with one picture and job."""

    job: str
    source: str
    contender: str
    cpu: Sequence[float]
    wall: Sequence[float]
    bytes: int
    quality: int
    ssim: float


type Memory = Mapping[str, Mapping[str, float]]
"""MiB by contender, then by source."""


def run(quick: bool) -> Section:
    """Measure every job."""
    rounds, starts, measured = (2, 1, QUICK) if quick else (11, 5, MEASURED)
    lines = [line for job, sources in measured.items() for source in sources for line in _measure(job, source, rounds)]
    memory = _memory(starts)
    tables = "\n\n".join(f"### Job {job}\n\n{_table(job, lines)}" for job in measured)
    rows = ((name, *(f"{by_source[each]:.0f}" for each in MEMORY_SOURCES)) for name, by_source in memory.items())
    shown = table(("Contender", *MEMORY_SOURCES), rows)
    if not quick:
        draw(CHART, [_panel(source, lines) for source in MEMORY_SOURCES], "CPU time of job A, ms")
    text = TEXT.format(rounds=rounds, starts=starts, tables=tables, memory=shown)
    return Section("Derivatives", text, tuple(_goals(lines, memory)), CHART)


def photographs(folder: Path, quick: bool) -> str:
    """Return the tables of all jobs for the pictures in a folder."""
    rounds, files = 2 if quick else 11, sorted(folder.iterdir())
    lines = [line for job in JOBS for file in files for line in _measure_file(_task(job, file.name, file), rounds)]
    return "\n\n".join(f"### Job {job}\n\n{_table(job, lines)}" for job in JOBS)


def _measure(job: str, source: str, rounds: int) -> Iterator[Line]:
    return _measure_file(_made_task(job, source), rounds)


def _measure_file(task: Task, rounds: int) -> Iterator[Line]:
    with TemporaryDirectory() as folder:
        for name, cost in compare(task, rounds, Path(folder)).items():
            ssim = similarity(task.path, Path(folder) / name / task.job.names[0])
            total = shown_bytes(task.job, cost.bytes)
            yield Line(task.job.name, task.source, name, cost.cpu, cost.wall, total, cost.quality, ssim)
    forget()


def _made_task(job: str, source: str) -> Task:
    return _task(job, source, made(RESULTS / "sources", (source,))[source])


def _task(job: str, source: str, file: Path) -> Task:
    with Image.open(file) as picture:
        task = Task(source, file, str(picture.get_format_mimetype()), JOBS[job], MASTER_SIDE)
    if not task.job.master:
        return task
    # Everyone makes a master of our size: another one would be more or less work.
    with TemporaryDirectory() as folder, Worker(OURS) as worker:
        worker.ask(task, out=Path(folder))
        with Image.open(Path(folder) / MASTER) as master:
            return replace(task, master_side=max(master.size))


def _memory(starts: int) -> Memory:
    tasks = {source: _made_task("A", source) for source in MEMORY_SOURCES}
    return {
        name: {source: max(peak_memory(task, name) for _ in range(starts)) for source, task in tasks.items()}
        for name in contenders()
    }


def _table(job: str, lines: Sequence[Line]) -> str:
    rows = []
    for line in sorted((line for line in lines if line.job == job), key=lambda line: (line.source, median(line.cpu))):
        figure, spread = ratios(_of(lines, job, line.source, OURS).cpu, line.cpu)
        ours = "" if line.contender == OURS else f"{figure:.2f} ({spread})"
        name = f"{line.source}: {line.contender}"
        cells = (f"{median(line.cpu):.0f}", ours, f"{median(line.wall):.0f}", f"{line.bytes:,}", line.quality)
        rows.append((name, *cells, f"{line.ssim:.4f}"))
    header = ("Picture and contender", "CPU, ms", "Ours ÷ it", "Wall, ms", "Bytes", "Quality", "SSIM")
    return table(header, rows)


def _of(lines: Sequence[Line], job: str, source: str, contender: str) -> Line:
    key = (job, source, contender)
    return next(line for line in lines if (line.job, line.source, line.contender) == key)


LIMITS = (
    ("A", JPEG12, BEST, 1.0),
    ("A", SIDEWAYS, BEST, 1.0),
    ("A", JPEG48, BEST, 1.0),
    ("A", PNG, BEST, 1.4),
    ("A", WEBP, BEST, 1.0),
    ("A", AVIF, BEST, 0.5),
    ("B", JPEG12, BEST, 1.0),
    ("C", JPEG12, BEST, 1.0),
    ("A", JPEG12, BEST_FINE, 0.85),
    ("A", JPEG12, USUAL, 0.45),
    ("A", JPEG12, TUTORIAL, 0.25),
    ("A", JPEG48, TUTORIAL, 0.13),
)
MEMORY_LIMIT = 0.5


def _goals(lines: Sequence[Line], memory: Memory) -> Iterator[Goal]:
    for job, source, peer, limit in LIMITS:
        yield _goal(lines, (job, source, peer), limit)
    for source in MEMORY_SOURCES:
        figure = memory[OURS][source] / memory[BEST][source] if BEST in memory else None
        yield Goal(f"Memory, {source} ÷ {BEST}", MEMORY_LIMIT, figure)


def _goal(lines: Sequence[Line], key: tuple[str, str, str], limit: float) -> Goal:
    job, source, peer = key
    name = f"Job {job}, {source} ÷ {peer}, CPU"
    if not any((line.job, line.source, line.contender) == key for line in lines):
        return Goal(name, limit, None, note="a quick run, or the peer is not installed")
    mine, theirs = _of(lines, job, source, OURS), _of(lines, job, source, peer)
    figure, spread = ratios(mine.cpu, theirs.cpu)
    note = f"SSIM {mine.ssim - theirs.ssim:+.4f}, bytes {mine.bytes / theirs.bytes - 1:+.1%}"
    return Goal(name, limit, figure, spread, note)


def _panel(source: str, lines: Sequence[Line]) -> Panel:
    shown = sorted(
        (line for line in lines if (line.job, line.source) == ("A", source)), key=lambda line: median(line.cpu)
    )
    return Panel(source, {line.contender: median(line.cpu) for line in shown})
