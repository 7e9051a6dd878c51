"""CPU time of warm calls, against the same handlers as documented, and by hand."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.cloud import ENVIRONMENT
from tools.bench.report import ROOT, Goal, Section, ratios, table

FUNCTIONS = ("create_upload_intent", "bind_avatar", "get_upload")
LIMITS = {"documented": 0.8, "by_hand": 1.1}
SPOKEN = {"documented": "as documented", "by_hand": "by hand"}
BLOCK = 40

TEXT = """\
One process holds our handler and both peers. AWS is answered inside botocore with prepared bytes, the same for all.
{rounds} rounds of {block} calls; the three take turns. Before that, the answers are compared member by member.

{table}

{calls}
"""


@dataclass(frozen=True)
class Warm:
    """One function: CPU milliseconds per call in each round, and the calls to AWS, for each side."""

    function: str
    ms: Mapping[str, Sequence[float]]
    calls: Mapping[str, Sequence[str]]


def run(quick: bool) -> Section:
    """Measure every function beside its peers."""
    rounds = 7 if quick else 31
    measured = [_measure(function, rounds) for function in FUNCTIONS]
    text = TEXT.format(
        rounds=rounds,
        block=BLOCK,
        table=table(("Function", "Ours, ms", "As documented, ms", "By hand, ms"), map(_cells, measured)),
        calls="\n".join(line for each in measured for line in _calls(each)),
    )
    return Section("Warm calls", text, tuple(goal for each in measured for goal in _goals(each)))


def _measure(function: str, rounds: int) -> Warm:
    # botocore's C extension for signing is not in the layer, so the peers do without it, too.
    environment = {**os.environ, **ENVIRONMENT, "BOTO_DISABLE_CRT": "true", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "tools.bench.warm.worker", function, str(rounds), str(BLOCK)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{function}: {done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    return Warm(function, found["ms"], found["calls"])


def _goals(warm: Warm) -> Iterator[Goal]:
    for peer, limit in LIMITS.items():
        figure, spread = ratios(warm.ms["ours"], warm.ms[peer])
        note = "" if warm.calls["ours"] == warm.calls[peer] else "the calls to AWS differ"
        yield Goal(f"`{warm.function}` ÷ {SPOKEN[peer]}, CPU", limit, figure, spread, note)


def _cells(warm: Warm) -> Sequence[str]:
    return f"`{warm.function}`", *(f"{median(warm.ms[side]):.2f}" for side in ("ours", *LIMITS))


def _calls(warm: Warm) -> Iterator[str]:
    """Describe the calls to AWS; those of a peer only if they differ from ours."""
    yield f"- `{warm.function}` calls {', '.join(warm.calls['ours'])}."
    for peer in LIMITS:
        if warm.calls[peer] != warm.calls["ours"]:
            yield f"  The peer {SPOKEN[peer]} calls {', '.join(warm.calls[peer])}."
