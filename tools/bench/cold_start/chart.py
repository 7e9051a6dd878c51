"""The chart of cold starts: a bar per function, and the goal it is to stay below."""

from collections.abc import Sequence
from pathlib import Path

CHART = Path("docs/images/cold_start.svg")
CHART_FILE = Path(__file__).parents[3] / CHART


def draw(bars: Sequence[tuple[str, float, float, float, float]]) -> None:
    """Draws name, first call, first answer, goal and stretch of each function; the shares are of the baseline."""
    import matplotlib as mpl  # noqa: PLC0415 - in the bench's own environment only

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "cold start"  # the same figures make the same file
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(9, 6.5), layout="constrained")
    places = range(len(bars))
    names, calls, answers, goals, stretches = zip(*reversed(bars), strict=True)
    axes.barh(places, answers, color="#c9d8ea", label="first answer")
    axes.barh(places, calls, color="#2f6db3", label="first call to AWS")
    for values, color, label in ((goals, "#b3362f", "goal"), (stretches, "#e0a03c", "stretch")):
        axes.plot(values, places, "|", markersize=13, markeredgewidth=2, color=color, label=label)
    axes.axvline(1, color="#777777", linewidth=1, linestyle=":")
    axes.set_yticks(places, names)
    axes.set_xlim(left=0)
    axes.set_xlabel('instructions ÷ import boto3; boto3.client("s3"); boto3.client("dynamodb")')
    axes.set_title("Cold start, from the built bundle")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    CHART_FILE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(CHART_FILE, metadata={"Date": None})
    plt.close(figure)
