"""Draw bar charts for docs/performance.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.bench.report import IMAGES


@dataclass(frozen=True)
class Panel:
    """Bars by name, the first at the top, and the goals of some of them."""

    title: str
    bars: Mapping[str, float]
    goals: Mapping[str, float] = field(default_factory=dict)


def draw(file: str, panels: Sequence[Panel], label: str) -> None:
    """Write an SVG file to docs/images. The same figures give the same file."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - installed for benchmarks only

    plt.switch_backend("svg")
    plt.rcParams.update({"svg.hashsalt": file, "svg.fonttype": "none"})
    height = 1 + 0.3 * max(len(panel.bars) for panel in panels)
    figure, axes = plt.subplots(1, len(panels), figsize=(11, height), layout="constrained", squeeze=False)
    for panel, place in zip(panels, axes[0], strict=True):
        drawn = place.barh(list(panel.bars), list(panel.bars.values()))
        place.bar_label(drawn, fmt="%.3g", padding=3)
        place.plot(list(panel.goals.values()), list(panel.goals), "|", color="black", markersize=14)
        place.invert_yaxis()
        place.set(title=panel.title, xlabel=label)
    figure.savefig(IMAGES / file, metadata={"Date": None})
    plt.close(figure)
