"""The picture of what the others take: CPU of job A, bar by bar."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

from tools.bench.derivatives.ask import OURS, Cost

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "derivatives"

CHART = Path(__file__).parents[3] / "docs/images/derivatives.svg"
OWN, OTHERS = "#0b6e4f", "#9aa5b1"


def draw(found: Mapping[str, Mapping[str, Cost]]) -> Path:
    """One panel for each picture; shorter is better."""
    from matplotlib import pyplot  # noqa: PLC0415 - after the backend is chosen

    figure, panels = pyplot.subplots(1, len(found), figsize=(11, 3.4), squeeze=False, layout="constrained")
    for panel, (source, costs) in zip(panels[0], found.items(), strict=True):
        ordered = sorted(costs, key=lambda name: -costs[name].ms)
        colours = [OWN if name == OURS else OTHERS for name in ordered]
        bars = panel.barh(ordered, [costs[name].ms for name in ordered], color=colours)
        panel.bar_label(bars, fmt="%.0f", padding=3)
        panel.set_title(source)
        panel.set_xlabel("CPU, ms")
        panel.margins(x=0.15)
        panel.spines[["top", "right"]].set_visible(False)
    CHART.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(CHART, metadata={"Date": None})
    pyplot.close(figure)
    return CHART
