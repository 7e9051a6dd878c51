"""What happens before a function's first answer, on what `sam build` made: instructions, CPU, imports, sizes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from statistics import quantiles

from tools.bench.cold_start import functions
from tools.bench.cold_start.chart import CHART, draw
from tools.bench.cold_start.functions import Cold
from tools.bench.cold_start.tls import first_calls
from tools.bench.report import Goal, Section

GOALS: dict[str, tuple[float, float]] = {
    "authorize": (0.30, 0.18),
    **dict.fromkeys(("process_upload", "upload_user_image", "update_profile_image"), (0.85, 0.66)),
    **dict.fromkeys(("release_media", "purge_media"), (0.70, 0.50)),
}
API = (1.0, 0.60)
"""Of every other function; each goal with what would be better still."""

MIB = 1024 * 1024

TEXT = """\
The baseline is a fresh process that runs `import boto3; boto3.client("s3"); boto3.client("dynamodb")` with compiled
bytecode: {base:,.0f} million instructions, and {cpu:.0f} ms of CPU ({low:.0f}-{high:.0f}). Every figure is of the whole
process, Python's own start included, divided by the baseline's. Functions are started as Lambda starts them: from the
built folders alone, read-only, each in a process of its own, and invoked with what one picture's life brings them.

*First call* is everything up to the first connection to AWS; `authorize` and `preflight` call no AWS, so it is all of
their first answer. *First answer* is all of the first invocation, with AWS answered by a stub on loopback, over http;
the pictures are decoded in a child process, which is not counted. CPU is up to the first call, in {rounds} rounds that
take turns with the baseline; in brackets the quartiles.

| Function | First call | First answer | CPU, first call |
|---|---:|---:|---:|
{rows}

### Imports

The packages that take longest to import, by `-X importtime`, in milliseconds of their own modules: the least of several
runs each.

| Function | Modules | Costliest packages |
|---|---:|---|
{imports}

### The bundle against the source tree

Instructions of importing a function from the build, whose bytecode was compiled with it and is not checked against its
sources, divided by those of importing it from the source tree with its bytecode in place.

| Function | Bundle ÷ sources |
|---|---:|
{bundles}

### Size

The layers hold {size:.1f} MiB unzipped. The largest parts of the dependencies, in MiB: {parts}.

### The first HTTPS call

What a cold start that calls over https pays on top of the above. Instructions, the call alone: {default:,.0f} million
with Python's defaults (`urllib.request`), and {ours:,.0f} million for the authorizer's fetch of its issuer's keys. It
trusts the same certificate authorities, but reads only the one it meets: each is in a file of its own, whose name tells
OpenSSL whose it is. Reading all of them at once, it would take {all:,.0f} million. botocore knows no such folder: each
of its connections reads the whole bundle and takes {botocore:,.0f} million.
"""


def run(quick: bool) -> Section:
    """Measures every function; takes some five minutes where nothing else runs, less with `quick`."""
    colds, base, seconds = functions.measure(quick)
    calls, size = first_calls(), functions.layers_size()
    low, middle, high = (1000 * second for second in quantiles(seconds, n=4))
    text = TEXT.format(
        base=base / 1e6,
        cpu=middle,
        low=low,
        high=high,
        rounds=len(seconds),
        rows="\n".join(_row(cold, base) for cold in colds),
        imports="\n".join(f"| `{cold.name}` | {len(cold.imports)} | {_costliest(cold)} |" for cold in colds),
        bundles="\n".join(f"| `{cold.name}` | {_bundle(cold):.3f} |" for cold in colds if cold.init),
        size=size / MIB,
        parts=", ".join(f"{name} {bytes_ / MIB:.1f}" for name, bytes_ in functions.largest_parts()),
        **{name: count / 1e6 for name, count in calls.items()},
    )
    draw([(cold.name, cold.call / base, cold.answer / base, *_goal(cold.name)) for cold in colds])
    return Section(
        title="Cold start",
        command=f"python -m tools.bench.cold_start{' --quick' if quick else ''}",
        text=text,
        charts=(CHART,),
        goals=tuple(_goals(colds, base, size, calls)),
    )


def _row(cold: Cold, base: int) -> str:
    low, middle, high = cold.spread()
    return (
        f"| `{cold.name}` | {cold.call / base:.3f} | {cold.answer / base:.3f} | {middle:.2f} ({low:.2f}-{high:.2f}) |"
    )


def _costliest(cold: Cold) -> str:
    packages: Counter[str] = Counter()
    for module, milliseconds in cold.imports.items():
        packages[functions.package_of(module)] += milliseconds  # type: ignore[assignment]  # Counter's stub knows int
    return ", ".join(f"{package} {milliseconds:.0f}" for package, milliseconds in packages.most_common(5))


def _bundle(cold: Cold) -> float:
    return cold.init / cold.init_from_sources


def _goal(name: str) -> tuple[float, float]:
    return GOALS.get(name, API)


def _goals(colds: Iterable[Cold], base: int, size: int, calls: dict[str, int]) -> Iterator[Goal]:
    every = {cold.name: cold for cold in colds}
    for name, cold in sorted(every.items()):
        goal, better = _goal(name)
        note = f"first answer {cold.answer / base:.3f}; {'also' if cold.call / base <= better else 'not'} ≤ {better}"
        yield Goal(f"{name}, first call ÷ baseline, instructions", goal, cold.call / base, note=note)
    worst = max(_bundle(cold) for cold in every.values() if cold.init)
    yield Goal("the bundle's init ÷ the source tree's, the worst", 1.05, worst)
    yield Goal("unzipped size of the layers", 60, size / MIB, unit="MiB")
    yield Goal(
        "first HTTPS call ÷ default, instructions",
        1.0,
        calls["ours"] / calls["default"],
        note=f"{'also' if calls['ours'] <= 0.4 * calls['default'] else 'not'} ≤ 0.4",
    )
