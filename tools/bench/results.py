"""What was measured last in each area, kept so that measuring one area anew leaves the others on the page."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.bench.report import Goal, Section

KEPT = Path(__file__).parents[2] / "build/bench"


@dataclass(frozen=True)
class Result:
    """One run of one area: what it found, or why it found nothing."""

    area: str
    measured: str = ""  # when, UTC
    seconds: float = 0
    load: float = 0  # of the machine when it began, in processes: what made the figures noisy
    section: Section | None = None
    failure: str = ""


def keep(result: Result, folder: Path = KEPT) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.area}.json").write_text(json.dumps(asdict(result), default=str, indent=1))


def kept(area: str, folder: Path = KEPT) -> Result | None:
    path = folder / f"{area}.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    section = found.pop("section")
    return Result(**found, section=_section(**section) if section else None)


def _section(*, charts: list[str], goals: list[dict[str, object]], versions: list[list[str]], **texts: str) -> Section:
    return Section(
        **texts,
        charts=tuple(Path(chart) for chart in charts),
        goals=tuple(Goal(**goal) for goal in goals),  # type: ignore[arg-type]  # as asdict wrote them
        versions=tuple((name, value) for name, value in versions),
    )
