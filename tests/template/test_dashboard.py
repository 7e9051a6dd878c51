"""The dashboard: valid, without gaps in what it shows, and drawn in the documentation."""

from itertools import combinations

from profile_media.domain.model import Reason, Slot
from profile_media.domain.process import Outcome
from tools.dashboard import COLUMNS, PICTURE, Widget, metrics, widgets
from tools.template import STACK_NAME, read

WIDGETS = widgets()
TITLES = [widget["properties"]["title"] for widget in WIDGETS]
SHOWN = {metric.names for widget in WIDGETS for metric in metrics(widget) if metric.names}
OWN = {names for names in SHOWN if names[0] == "ProfileMedia"}


def cells(widget: Widget) -> set[tuple[int, int]]:
    return {
        (widget["x"] + column, widget["y"] + row)
        for column in range(widget["width"])
        for row in range(widget["height"])
    }


def test_widgets_fill_the_grid_without_overlaps() -> None:
    assert [pair for pair in combinations(WIDGETS, 2) if cells(pair[0]) & cells(pair[1])] == []
    assert len(set().union(*map(cells, WIDGETS))) == COLUMNS * max(each["y"] + each["height"] for each in WIDGETS)


def test_funnel_and_reasons_are_complete() -> None:
    dimensions = ("service", "profile-media", "stack", STACK_NAME)
    funnel = ("IntentsCreated", "UploadsStored", f"Uploads{Outcome.READY.value.capitalize()}", "Binds")
    reasons = ["Rejected" + "".join(word.capitalize() for word in reason.value.split("_")) for reason in Reason]

    expected = {
        *(("ProfileMedia", name, *dimensions, "slot", slot.value) for name in funnel for slot in Slot),
        *(("ProfileMedia", name, *dimensions) for name in (*reasons, "IntentToReady", "StoredToReady")),
        ("ProfileMedia", "UnexpectedErrors", *dimensions),
    }
    assert expected == OWN


def test_metrics_are_few_enough_for_a_free_dashboard() -> None:
    assert len(SHOWN) <= 50


def test_figures_are_of_this_stack_but_for_the_concurrency_of_the_account() -> None:
    expressions = [metric.options.get("expression", "") for widget in WIDGETS for metric in metrics(widget)]
    searches = [each for each in expressions if each.startswith("SEARCH")]

    assert {names for names in SHOWN if len(names) == 2} == {
        ("AWS/Lambda", "ConcurrentExecutions"),
        ("AWS/Lambda", "Throttles"),
    }
    assert len(searches) == 1
    assert f'stack="{STACK_NAME}"' in searches[0]


def test_stack_without_distribution_has_no_widgets_of_it() -> None:
    titles = [widget["properties"]["title"] for widget in widgets(MediaBaseUrl="https://cdn.example.com")]

    assert titles == [title for title in TITLES if "CloudFront" not in title]


def test_log_widgets_read_the_functions_group() -> None:
    queries = [widget["properties"]["query"] for widget in WIDGETS if widget["type"] == "log"]

    assert len(queries) == 3
    assert all(query.startswith(f"SOURCE '{read().name('FunctionLogGroup')}' | ") for query in queries)


def test_picture_in_the_documentation_shows_this_dashboard() -> None:
    drawn = PICTURE.read_text().replace("&#x27;", "'").replace("&gt;", ">")
    labels = [metric.label for widget in WIDGETS for metric in metrics(widget) if metric.options.get("visible", True)]

    assert [text for text in (*TITLES, *labels) if text not in drawn and "PROP" not in text] == [], (
        "run `make dashboard`"
    )
