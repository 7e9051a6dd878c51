"""Cold starts of the built functions, to the end of the first answer over TLS, against boto3 with two clients."""

from collections.abc import Sequence
from statistics import median

from tools.bench.chart import Panel, draw
from tools.bench.cold_start.starts import BUILT, LAYERS, Cold, measure_all
from tools.bench.report import Goal, Section, number, ratios, table

API_LIMIT = 0.75
LIMITS = {"authorize": 0.30, "process_upload": 0.75, "release_media": 0.70, "purge_media": 0.70}
UNGATED = frozenset({"reconcile"})
"""A scheduled function that nobody waits for. It is reported without a goal."""

LAYERS_LIMIT_MIB = 60
CHART = "cold_start.svg"

TEXT = """\
Each function runs from the folders that `sam build` made, in a fresh process, once, with the event of its step in the
life of a picture. Everything from process start to the end of the answer counts. AWS and the token issuer are local
servers behind TLS with a chain of three RSA certificates. The functions trust what production trusts
(`AWS_CA_BUNDLE` and `CERTIFICATE_AUTHORITIES` of the template), plus the test's root.

The baseline is a fresh process with two boto3 clients, S3 and DynamoDB, one call each, over the same TLS, with
botocore's own CA bundle plus the test's root: {instructions} million instructions, {cpu:.0f} ms of CPU time.

{table}

*Connections* counts the TLS connections of the first invocation. CPU time is the median of {rounds} rounds, and
includes the process that renders pictures; instructions do not. The layers hold {size:.1f} MiB unzipped.
"""


def run(quick: bool) -> Section:
    """Measure every function."""
    rounds = 2 if quick else 7
    colds = measure_all(rounds)
    size = layers_mib()
    if not quick:
        draw(CHART, [_panel(colds)], "divided by boto3 with two clients, one call each")
    text = TEXT.format(
        instructions=number(median(cold.baseline_instructions for cold in colds) / 1e6),
        cpu=median(ms for cold in colds for ms in cold.baseline_cpu_ms),
        table=table(("Function", "Instructions ÷", "CPU ÷", "CPU, ms", "Connections"), map(_cells, colds)),
        rounds=rounds,
        size=size,
    )
    goals = [_goal(cold) for cold in colds if cold.name not in UNGATED]
    goals.append(Goal("Layers, unzipped, MiB", LAYERS_LIMIT_MIB, size))
    return Section("Cold start", text, tuple(goals), CHART)


def instruction_ratio(cold: Cold) -> float | None:
    """Return instructions divided by the baseline's; None without valgrind."""
    return cold.instructions / cold.baseline_instructions if cold.baseline_instructions else None


def _goal(cold: Cold) -> Goal:
    limit, ratio = LIMITS.get(cold.name, API_LIMIT), instruction_ratio(cold)
    note = "" if ratio is not None else "valgrind is not installed"
    return Goal(f"`{cold.name}` ÷ baseline, instructions", limit, ratio, note=note)


def _cells(cold: Cold) -> Sequence[str]:
    ratio, (cpu, spread) = instruction_ratio(cold), ratios(cold.cpu_ms, cold.baseline_cpu_ms)
    counted = "-" if ratio is None else f"{ratio:.3f}"
    return f"`{cold.name}`", counted, f"{cpu:.2f} ({spread})", f"{median(cold.cpu_ms):.0f}", str(cold.connections)


def layers_mib() -> float:
    """Return the size of both layers, unzipped."""
    files = (path for layer in LAYERS for path in (BUILT / layer).rglob("*") if path.is_file())
    return sum(file.stat().st_size for file in files) / 2**20


def _panel(colds: Sequence[Cold]) -> Panel:
    counted = {cold.name: ratio for cold in colds if (ratio := instruction_ratio(cold)) is not None}
    goals = {name: LIMITS.get(name, API_LIMIT) for name in counted if name not in UNGATED}
    return Panel("Instructions to the end of the first answer; the mark is the goal", counted, goals)
