"""Draw docs/images/dashboard.svg: the widgets of dashboard.yaml with sample data. `make dashboard` runs this.

CloudWatch draws the real ones. This shows which figures stand where, and changes with the template.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from tools.template import ROOT, read

PICTURE = ROOT / "docs" / "images" / "dashboard.svg"
COLUMNS = 24
HOURS = 12
CELL = (0.62, 0.42)
"""Width and height of CloudWatch's grid, in inches."""

type Widget = dict[str, Any]

LEVELS: Mapping[str, float] = {
    "answered": 99.97,
    "StoredToReady": 700,
    "IntentToReady": 2_900,
    "PR": 99.6,
    "IntentsCreated": 1_240,
    "UploadsStored": 1_150,
    "UploadsReady": 1_100,
    "Binds": 1_010,
    "Count": 900,
    "4XXError": 30,
    "Latency": 45,
    "events": 1,
    "removed": 2,
    "ApproximateAgeOfOldestMessage": 900,
    "ConcurrentExecutions": 14,
    "ConsumedReadCapacityUnits": 5_000,
    "ConsumedWriteCapacityUnits": 9_000,
    "IncomingBytes": 8e6,
    "BucketSizeBytes": 4e9,
    "Requests": 60_000,
    "BytesDownloaded": 9e8,
    "RejectedUnsupportedFormat": 2,
    "RejectedCorrupt": 1,
    "SEARCH": 3,
    "cold_starts": 9,
    "p50_ms": 520,
    "gb_seconds": 310,
}
"""Sample values. A metric that is not here is 0, as errors should be."""

SPREADS: Mapping[str, float] = {"p90": 2.5, "p99": 6}
"""How many times the median a percentile is."""


class Metric(NamedTuple):
    """One line of a widget."""

    names: tuple[str, ...]
    """Namespace, metric, and names and values of the dimensions; empty for an expression."""
    options: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The text of the legend."""
        return str(self.options.get("label", self.names[1] if self.names else ""))


def widgets(**parameters: str) -> list[Widget]:
    """Return the widgets of the dashboard, as CloudWatch gets them."""
    given = read().parameters
    template = read(given={**given, **parameters}).nested["Dashboard"]
    (dashboard,) = template.of_type("AWS::CloudWatch::Dashboard")
    found: list[Widget] = json.loads(dashboard.properties["DashboardBody"])["widgets"]
    return found


def metrics(widget: Widget) -> Iterator[Metric]:
    """Yield the metrics of a widget. A dot stands for the part above it, three dots for all parts but the last ones."""
    above: tuple[str, ...] = ()
    for row in widget["properties"].get("metrics", ()):
        *parts, options = row if isinstance(row[-1], dict) else (*row, {})
        if parts and parts[0] == "...":
            parts = [*above[: len(above) - len(parts) + 1], *parts[1:]]
        names = tuple(above[index] if part == "." else part for index, part in enumerate(parts))
        above = names or above
        yield Metric(names, options)


def draw() -> None:
    """Write the picture. The same template gives the same file."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - installed for drawings and benchmarks only

    plt.switch_backend("svg")
    plt.rcParams.update({"svg.hashsalt": "dashboard", "svg.fonttype": "none", "font.size": 6.5, "axes.titlesize": 7.5})
    shown = widgets()
    rows = max(widget["y"] + widget["height"] for widget in shown)
    figure = plt.figure(figsize=(COLUMNS * CELL[0], rows * CELL[1]))
    for widget in shown:
        left, top = widget["x"] / COLUMNS, widget["y"] / rows
        width, height = widget["width"] / COLUMNS, widget["height"] / rows
        place = figure.add_axes(
            (left + 0.034, 1 - top - height + 1 / rows, width - 0.041, height - 1.9 / rows),
        )
        place.set_title(widget["properties"]["title"], loc="left")
        _DRAWERS[_view(widget)](place, widget)
    figure.savefig(PICTURE, metadata={"Date": None})


def _view(widget: Widget) -> str:
    return widget["properties"].get("view", "timeSeries") if widget["type"] != "alarm" else "alarm"


def _draw_alarms(place: Any, widget: Widget) -> None:
    names = [arn.rpartition(":")[2] for arn in widget["properties"]["alarms"]]
    place.axis("off")
    for number, name in enumerate(names):
        box = {"boxstyle": "round", "facecolor": "#d8f0d8", "edgecolor": "#2a7d2a"}
        place.text(number / len(names), 0.3, f"OK  {name}", bbox=box)


def _draw_bars(place: Any, widget: Widget) -> None:
    scale = 0.3 if "cover" in widget["properties"]["title"] else 1
    shown = {metric.label: LEVELS[metric.names[1]] * scale for metric in metrics(widget)}
    place.bar_label(place.barh(list(shown), list(shown.values())), fmt="%.0f", padding=2)
    place.invert_yaxis()
    place.margins(x=0.15)


def _draw_lines(place: Any, widget: Widget) -> None:
    properties = widget["properties"]
    lines = dict(_lines(widget))
    times = [HOURS * index / 36 for index in range(37)]
    series = [_sample(properties["title"] + label, level, times) for label, level in lines.items()]
    if properties.get("stacked"):
        place.stackplot(times, series, labels=list(lines))
    else:
        for label, values in zip(lines, series, strict=True):
            place.plot(times, values, label=label, linewidth=1)
    for each in properties.get("annotations", {}).get("horizontal", ()):
        place.axhline(each["value"], color="#b03030", linewidth=0.8, linestyle="--", label=each["label"])
    axis = properties.get("yAxis", {}).get("left", {})
    place.set_ylabel(axis.get("label", ""))
    top = axis.get("max") or (None if any(map(any, series)) else 1)  # errors are 0
    place.set_ylim(axis.get("min", None if axis else 0), top)
    place.set_xticks(range(0, HOURS + 1, 3), [f"{hour:02}:00" for hour in range(8, 8 + HOURS + 1, 3)])
    place.legend(loc="upper left", fontsize=5.5, framealpha=0.6)


def _lines(widget: Widget) -> Iterator[tuple[str, float]]:
    """Yield the label and the level of each line of a metric or a log widget."""
    for name in ("cold_starts", "p50_ms", "gb_seconds"):
        if f"as {name}" in widget["properties"].get("query", ""):
            yield name, LEVELS[name]
    for metric in metrics(widget):
        if str(metric.options.get("expression", "")).startswith("SEARCH"):
            yield from (("expired", 3), ("audience", 1), ("signature", 0.2))
        elif metric.options.get("visible", True):
            yield metric.label, _level(metric, widget)


def _level(metric: Metric, widget: Widget) -> float:
    stat = str(metric.options.get("stat", widget["properties"].get("stat", "")))
    name = metric.names[1] if metric.names else str(metric.options["id"])
    return LEVELS["PR"] if stat.startswith("PR") else LEVELS.get(name, 0) * SPREADS.get(stat, 1)


def _sample(seed: str, level: float, times: Sequence[float]) -> list[float]:
    """Return a day's curve around a level; percentages stay near 100."""
    random = Random(seed)  # noqa: S311 - sample data
    if 99 < level < 100:
        return [min(100, level + random.uniform(-0.1, 0.03)) for _ in times]
    return [level * (1 + 0.4 * math.sin(time / 4) + random.uniform(-0.15, 0.15)) for time in times]


def _draw_table(place: Any, _: Widget) -> None:
    head = ("function", "runs", "p50", "p99", "cold_starts", "peak_mb", "gb_seconds")
    rows = [
        (
            folder,
            f"{runs:,}",
            f"{runs % 37 + 6}",
            f"{runs % 240 + 90}",
            f"{runs // 90}",
            f"{runs % 60 + 95}",
            f"{runs // 9:,}",
        )
        for folder, runs in (
            (function.folder, Random(name).randint(300, 4_000))  # noqa: S311 - sample data
            for name, function in sorted(read().functions.items())
        )
    ]
    rows.sort(key=lambda row: -int(row[-1].replace(",", "")))
    place.axis("off")
    table = place.table(cellText=rows[:10], colLabels=head, loc="center", cellLoc="right", edges="horizontal")
    table.auto_set_column_width(range(len(head)))


_DRAWERS = {"alarm": _draw_alarms, "bar": _draw_bars, "timeSeries": _draw_lines, "table": _draw_table}


if __name__ == "__main__":
    draw()
