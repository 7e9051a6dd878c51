"""Change the product at random with mutmut, one change at a time, and count which changes the tests notice.

mutmut expects a package at the top of its folder, so it runs in a copy, build/mutation. The sample is the same for the
same code. Exit with an error where the score of all packages is below the floor.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPY = ROOT / "build" / "mutation"
PACKAGE = ROOT / "layers" / "profile_media" / "profile_media"
ALSO = ("docs", "events", "functions", "layers", "pyproject.toml", "template.yaml", "tests", "tools")
PACKAGES = ("auth", "aws", "dialects", "domain", "http")
FLOOR = 0.65
"""Share of noticed changes, of all packages, below which tests are missing. It was 0.77 when this was written. Many of
the others change nothing that can be observed, or are noticed only by tests of functions, which do not run here."""
_RESULT = re.compile(r"^\s*(profile_media\.(\w+)\.\S+): (.+)$", re.MULTILINE)


def main() -> None:
    """Run mutmut on a sample and print the score of each package."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--sample", type=int, default=50, help="changes per package; 0 for all, which takes hours")
    parser.add_argument("--seed", default="profile-media")
    arguments = parser.parse_args()
    _copy()
    _mutmut("run", "profile_media.domain.lifecycle*")  # generates all changes; runs a few
    names = [name for name, _, _ in _results()]
    sample = names if arguments.sample == 0 else _sample(names, arguments.sample, random.Random(arguments.seed))
    _mutmut("run", *sample)
    outcomes = {name: (package, outcome) for name, package, outcome in _results() if name in set(sample)}
    sys.exit(_report(outcomes))


def _copy() -> None:
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    shutil.copytree(PACKAGE, COPY / "profile_media")
    for name in ALSO:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, COPY / name)


def _sample(names: list[str], count: int, draw: random.Random) -> list[str]:
    """Choose the same number of changes in each package."""
    chosen = []
    for package in PACKAGES:
        of_package = [name for name in names if name.split(".")[1] == package]
        chosen += draw.sample(of_package, min(count, len(of_package)))
    return chosen


def _mutmut(*arguments: str) -> str:
    done = subprocess.run(["mutmut", *arguments], cwd=COPY, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mutmut {arguments[0]} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def _results() -> list[tuple[str, str, str]]:
    """Return name, package and outcome of each change."""
    return _RESULT.findall(_mutmut("results", "--all", "true"))


def _report(outcomes: dict[str, tuple[str, str]]) -> int:
    print(f"{'package':<10}{'changes':>8}{'noticed':>8}{'score':>7}")
    everything = Counter(outcome for _, outcome in outcomes.values())
    for package in PACKAGES:
        counts = Counter(outcome for of, outcome in outcomes.values() if of == package)
        print(f"{package:<10}{counts.total():>8}{_noticed(counts):>8}{_score(counts):>7.0%}")
    print(
        "\nnot noticed:",
        *sorted(name for name, (_, outcome) in outcomes.items() if outcome in {"survived", "no tests"}),
        sep="\n  ",
    )
    return int(_score(everything) < FLOOR)


def _noticed(counts: Counter[str]) -> int:
    return counts.total() - counts["survived"] - counts["no tests"]


def _score(counts: Counter[str]) -> float:
    return _noticed(counts) / counts.total() if counts else 0


if __name__ == "__main__":
    main()
