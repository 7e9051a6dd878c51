"""Every function's cold start, on the built artifacts, in the life of a picture that tools/scripts/smoke_built plays."""

import importlib.util
import runpy
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any, cast

from tests.cold_start.processes import Command
from tools.bench.cold_start.processes import counted, cpu_seconds, import_times, instructions

ROOT = Path(__file__).parents[3]
BUILT = ROOT / ".aws-sam" / "build"
LAYERS = ("DependenciesLayer", "ProfileMediaLayer")
CHILD = str(ROOT / "tools" / "bench" / "cold_start" / "child.py")
SMOKE: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "scripts" / "smoke_built"), run_name="smoke_built")
Build: Any = SMOKE["Build"]

CALLS_NOBODY = ("authorize", "preflight")
"""Functions that make no call to AWS: all of their first invocation is measured. authorize gets its issuer's keys."""

FROM_SOURCES = ("authorize", "get_profile", "create_upload_intent", "process_upload")
"""Functions whose bundle is held against the source tree."""

_BASELINE = """import sys
sys.path.insert(0, sys.argv[1])
import boto3
boto3.client("s3")
boto3.client("dynamodb")
"""


@dataclass
class Cold:
    """What a function's cold start took."""

    name: str
    call: int = 0
    """Instructions up to the first call, or to the answer where there is none."""
    answer: int = 0
    """Instructions of all of the first invocation, in the parent process, with AWS answered by moto."""
    ratios: list[float] = field(default_factory=list)
    """CPU seconds up to the first call ÷ the baseline's in the same round."""
    imports: dict[str, float] = field(default_factory=dict)
    init: int = 0
    init_from_sources: int = 0
    """Instructions of importing the function, where that was held against the source tree."""

    def spread(self) -> tuple[float, float, float]:
        """Of the ratios: lower quartile, median, upper quartile."""
        low, _, high = quantiles(self.ratios, n=4)
        return low, median(self.ratios), high


def baseline() -> Command:
    """`import boto3` and its two clients, with bytecode, as the development environment has it."""
    found = importlib.util.find_spec("boto3")
    if found is None or found.origin is None:
        raise RuntimeError("boto3 is not installed: make install")
    site = str(Path(found.origin).parents[1])
    command = Command(("-c", _BASELINE, site), {"AWS_DEFAULT_REGION": "us-east-1"})
    command.run(options=("-I", "-S"))  # writes the bytecode that is missing
    return command


class Measured(Build):  # type: ignore[misc]
    """Counts each function's first invocation while the picture's life goes on; of those that call nobody, the last."""

    def __init__(self, folder: Path, *more: Any) -> None:
        super().__init__(folder, *more)
        self.colds: dict[str, Cold] = {}
        self.commands: dict[str, Command] = {}
        """What repeats each function's cold start, up to its first call."""

    def run(self, function: Path, event: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Invokes under valgrind: in full, and beside it up to the first call, which nobody notices."""
        words = function.name.removesuffix("Function")
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in words).removeprefix("_")
        if name in self.colds and name not in CALLS_NOBODY:
            return cast("subprocess.CompletedProcess[str]", super().run(function, event, environment))
        parts = ("answer",) if name in CALLS_NOBODY else ("answer", "call")
        commands = [self._command(until, function, event, environment) for until in parts]
        with ThreadPoolExecutor(len(commands)) as cores:
            (answer, done), *_ = counts = list(cores.map(counted, commands))
        self.commands[name], call = commands[-1], counts[-1][0]
        self.colds[name] = Cold(name, call, answer)
        print(f"  {name}: {call / 1e6:.0f} million instructions", file=sys.stderr)
        return done

    def _command(self, until: str, function: Path, event: str, environment: Mapping[str, str]) -> Command:
        folders = [str(self.folder / layer / "python") for layer in LAYERS]
        return Command((CHILD, until, str(function), *folders), environment, event)

    def compare_with_sources(self) -> None:
        """Counts importing some functions, from the build and from the source tree with its bytecode."""
        site = baseline().arguments[2]
        for name in FROM_SOURCES:
            built = self.commands[name]
            _, _, function, *folders = built.arguments
            sources = Command(
                (CHILD, "init", str(ROOT / "functions" / name), site, str(ROOT / "layers" / "profile_media")),
                built.environment,
            )
            sources.run(options=("-I", "-S"))  # writes the bytecode that is missing
            self.colds[name].init = instructions(Command((CHILD, "init", function, *folders), built.environment))
            self.colds[name].init_from_sources = instructions(sources)

    def take_turns(self, rounds: int) -> list[float]:
        """CPU times of all functions and of the baseline, one after the other, round by round; returns the latter's."""
        reference = baseline()
        seconds = []
        for _ in range(rounds):
            seconds.append(cpu_seconds(reference))
            for name, command in self.commands.items():
                self.colds[name].ratios.append(cpu_seconds(command) / seconds[-1])
        return seconds

    def time_imports(self, rounds: int) -> None:
        """The time of each module's import."""
        for name, command in self.commands.items():
            self.colds[name].imports = import_times(command, rounds)


def measure(quick: bool) -> tuple[list[Cold], int, list[float]]:
    """All functions, the baseline's instructions, and its CPU seconds."""
    if not (BUILT / "template.yaml").exists():
        raise RuntimeError("nothing is built: make build")
    with SMOKE["deployed"](BUILT, Measured) as (build, token):
        SMOKE["try_out"](build, token)
        build.compare_with_sources()
        seconds = build.take_turns(3 if quick else 7)
        build.time_imports(2 if quick else 3)
    return sorted(build.colds.values(), key=lambda cold: cold.call), instructions(baseline()), seconds


def layers_size() -> int:
    """Bytes of the layers, unzipped."""
    return sum(path.stat().st_size for layer in LAYERS for path in (BUILT / layer).rglob("*") if path.is_file())


def largest_parts() -> list[tuple[str, int]]:
    """The ten largest folders and files of the dependencies, in bytes."""
    python = BUILT / LAYERS[0] / "python"
    sizes = [
        (entry.name, sum(path.stat().st_size for path in (entry, *entry.rglob("*")) if path.is_file()))
        for entry in python.iterdir()
    ]
    return sorted(sizes, key=lambda size: -size[1])[:10]


def package_of(module: str) -> str:
    """What a module is part of: a package, our own included, or Python's library."""
    first = module.partition(".")[0]
    return "Python" if first in sys.stdlib_module_names or first == "app" else first
