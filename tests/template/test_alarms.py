"""The alarms: what is watched, who is told, and when. The simulation runs them on made-up outages."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from profile_media.domain.model import Slot
from profile_media.domain.process import Outcome
from tests.template.alarm_simulation import (
    ALARMS,
    CAUSES,
    COMPOSITES,
    METRIC_ALARMS,
    Key,
    is_on,
    key,
    notifications,
)
from tests.template.document import nested, text
from tools.template import ROOT, read

HOUR = 60
"""Minutes."""

API, PICTURES, PROCESS = ("5XXError", "StageName"), ("StoredToReady", "AWS::StackName"), "ProcessUploadFunction"
UNEXPECTED, ERRORS = ("UnexpectedErrors", "AWS::StackName"), ("Errors", PROCESS)
REQUESTS = 10
"""Requests per minute."""

type Values = Callable[[int], Sequence[float]]


def failing(share: float, start: int = 0, end: int = 10**9) -> Values:
    """Return requests of which a share fails between two minutes, evenly over a hundred requests."""
    failed = round(share * 100)

    def values(minute: int) -> Sequence[float]:
        is_bad = start <= minute < end
        return [float(is_bad and (minute * REQUESTS + number) * failed % 100 < failed) for number in range(REQUESTS)]

    return values


def late(share: float) -> Values:
    """Return the milliseconds of pictures, of which a share is late."""
    return lambda minute: [30_000 if value else 700 for value in failing(share)(minute)]


def during(start: int, end: int, value: float = 1) -> Values:
    """Return one value a minute between two minutes, and none before and after."""
    return lambda minute: [value] if start <= minute < end else []


# --- simulation


def test_outage_of_five_minutes_pages_once() -> None:
    """DynamoDB is gone: the API fails, and so do all functions that are in the background."""
    start, end = 2 * HOUR, 2 * HOUR + 5
    series = {
        API: failing(1, start, end),
        UNEXPECTED: during(start, end, 12),
        ERRORS: during(start, end),
        ("Errors", "ReleaseMediaFunction"): during(start, end),
        ("ReadThrottleEvents", "UsersTable"): during(start, end, 50),
    }

    assert notifications(series, 4 * HOUR) == [("PageAlarm", "ALARM"), ("PageAlarm", "OK")]


def test_one_failed_request_of_ten_does_not_page() -> None:
    """A quiet hour: ten requests, of which one fails."""
    series = {API: lambda minute: [float(minute == 30)] if minute % 6 == 0 else []}

    assert notifications(series, HOUR) == []


def test_slow_burn_raises_a_ticket_and_does_not_page() -> None:
    assert notifications({API: failing(0.01)}, 7 * HOUR) == [("ApiTicketAlarm", "ALARM")]


def test_burn_within_the_objective_raises_nothing() -> None:
    series = {API: lambda minute: [float(minute % 100 == 99), *[0.0] * (REQUESTS - 1)]}

    assert notifications(series, 7 * HOUR) == []


def test_late_pictures_page_and_some_late_pictures_raise_a_ticket() -> None:
    assert notifications({PICTURES: late(0.5)}, HOUR) == [("PageAlarm", "ALARM")]
    assert notifications({PICTURES: late(0.08)}, HOUR) == [("PicturesTicketAlarm", "ALARM")]
    assert notifications({PICTURES: late(0.01)}, HOUR) == []


def test_pictures_that_are_never_made_page() -> None:
    assert ("PageAlarm", "ALARM") in notifications({ERRORS: lambda _: [1]}, HOUR)


def test_dead_letters_that_an_outage_leaves_raise_a_ticket_after_the_page() -> None:
    letters = ("ApproximateNumberOfMessagesVisible", "PurgeDlq.QueueName")
    series = {API: failing(1, 90, 95), letters: during(92, 10**9)}

    assert notifications(series, 4 * HOUR) == [
        ("PageAlarm", "ALARM"),
        ("PageAlarm", "OK"),
        ("DeletionTicketAlarm", "ALARM"),
    ]


@pytest.mark.parametrize(
    ("ready", "rejected", "on"), [(10, 15, True), (15, 10, False), (2, 10, False), (None, 25, True)]
)
def test_rejections_alarm_compares_outcomes_if_there_are_enough(ready: int | None, rejected: int, on: bool) -> None:
    counts = {("UploadsReady", "cover_image"): ready, ("UploadsRejected", "AWS::StackName"): rejected}
    series = {name: during(0, 1, value) for name, value in counts.items() if value is not None}

    assert is_on(ALARMS["RejectionsAlarm"], series, 0) is on


@pytest.mark.parametrize("name", [name for name, alarm in METRIC_ALARMS.items() if "Metrics" not in alarm])
def test_alarm_is_on_beyond_its_threshold_only(name: str) -> None:
    alarm = ALARMS[name]
    is_rank = alarm.get("ExtendedStatistic") == "PR(0:10000)"
    good, bad = (1_000, 30_000) if is_rank else (0, alarm["Threshold"] + 1)

    assert is_on(alarm, {key(alarm): lambda _: [bad]}, 10 * HOUR)
    assert not is_on(alarm, {key(alarm): during(0, 1, good)}, 0)
    assert not is_on(alarm, {}, 0)


# --- structure


def metrics_of(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the metrics of an alarm."""
    if "Metrics" not in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]


WATCHED = {key(metric) for alarm in METRIC_ALARMS.values() for metric in metrics_of(alarm)}
FUNCTIONS = ("ProcessUploadFunction", "ReleaseMediaFunction", "PurgeMediaFunction", "ReconcileFunction")


@pytest.mark.parametrize(
    "metric",
    [
        *(("Errors", name) for name in FUNCTIONS),
        *(("DestinationDeliveryFailures", name) for name in FUNCTIONS if name != "PurgeMediaFunction"),
        *(
            ("ApproximateNumberOfMessagesVisible", f"{name}.QueueName")
            for name in ("ProcessFailures", "ReleaseFailures", "PurgeDlq", "ReconcileFailures")
        ),
        *(("ApproximateAgeOfOldestMessage", f"{name}.QueueName") for name in ("PurgeQueue", "RedriveQueue")),
        *((f"{kind}ThrottleEvents", f"{name}Table") for kind in ("Read", "Write") for name in ("Users", "Uploads")),
        ("Throttles", PROCESS),
        ("Duration", PROCESS),
        ("AsyncEventAge", PROCESS),
        ("IteratorAge", "ReleaseMediaFunction"),
        ("Latency", "StageName"),
        ("5xxErrorRate", "Global"),
        ("ReconcileFindings", "AWS::StackName"),
        API,
        PICTURES,
        UNEXPECTED,
    ],
)
def test_metric_has_an_alarm(metric: Key) -> None:
    assert metric in WATCHED


def test_every_cause_is_in_one_composite_alarm_and_notifies_nobody() -> None:
    named = [cause for causes in CAUSES.values() for cause in causes]

    assert sorted(named) == sorted(set(METRIC_ALARMS) - {"CdnErrorsAlarm"})  # it is in a region of its own
    assert [name for name in named if {"AlarmActions", "OKActions"} & set(ALARMS[name])] == []


@pytest.mark.parametrize("name", [*COMPOSITES, "CdnErrorsAlarm"])
def test_alarm_notifies_when_it_goes_on_and_off_under_a_name_of_its_stack(name: str) -> None:
    alarm = ALARMS[name]

    assert alarm["AlarmActions"] == alarm["OKActions"] != []
    assert text(alarm["AlarmName"]).startswith("${ServiceStack}-")


@pytest.mark.parametrize("name", sorted(set(COMPOSITES) - {"PageAlarm"}))
def test_ticket_waits_while_the_page_is_on(name: str) -> None:
    alarm = ALARMS[name]

    assert text(alarm["ActionsSuppressor"]) in {"PageAlarm.Arn", "Alarms.Outputs.PageArn"}
    assert (alarm["ActionsSuppressorWaitPeriod"], alarm["ActionsSuppressorExtensionPeriod"]) == (300, 2100)


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_is_described_and_takes_missing_data_for_good(name: str) -> None:
    assert ALARMS[name]["AlarmDescription"].endswith(".")
    assert ALARMS[name].get("TreatMissingData", "notBreaching") == "notBreaching"
    assert name in COMPOSITES or "TreatMissingData" in ALARMS[name]


def test_alarms_on_own_metrics_have_the_stack_as_dimension() -> None:
    """Two stacks in one account must not raise each other's alarms."""
    metrics = [metric for alarm in METRIC_ALARMS.values() for metric in metrics_of(alarm)]
    own = [metric for metric in metrics if metric["Namespace"] == "ProfileMedia"]

    assert len(own) >= 10
    for metric in own:
        dimensions = {each["Name"]: text(each["Value"]) for each in metric["Dimensions"]}
        assert (dimensions["service"], dimensions["stack"]) == ("profile-media", "AWS::StackName")


def test_rejections_alarm_counts_the_outcomes_of_processing() -> None:
    assert {key(metric) for metric in metrics_of(ALARMS["RejectionsAlarm"])} == {
        *((f"Uploads{Outcome.READY.value.capitalize()}", slot.value) for slot in Slot),
        (f"Uploads{Outcome.REJECTED.value.capitalize()}", "AWS::StackName"),
    }


def test_latency_alarms_cover_every_route_but_the_long_poll() -> None:
    routes = {(route.method, route.path) for route in read().routes if route.method != "OPTIONS"}
    watched = {
        tuple(text(each["Value"]) for each in alarm["Dimensions"][2:])
        for name, alarm in nested("Latency").items()
        if name in METRIC_ALARMS
    }

    assert watched == routes - {("GET", "/media/uploads/{uploadId}")}


@pytest.mark.parametrize("wanted", ["true", "false"])
def test_metrics_and_alarms_per_method_exist_only_on_request(wanted: str) -> None:
    template = read(given={**read().parameters, "MethodMetrics": wanted})
    stacks = {each.logical_id for each in template.of_type("AWS::CloudFormation::Stack")}
    (api,) = template.of_type("AWS::Serverless::Api")

    assert read().parameters["MethodMetrics"] == "false"
    assert api.properties["MethodSettings"][0]["MetricsEnabled"] == wanted
    assert ("Latency" in stacks) is (wanted == "true")


@pytest.mark.parametrize(("region", "watched"), [("us-east-1", True), ("eu-central-1", False)])
def test_distribution_is_watched_in_the_region_of_its_metrics(region: str, watched: bool) -> None:
    stacks = {each.logical_id for each in read(region=region).of_type("AWS::CloudFormation::Stack")}

    assert ("Cdn" in stacks) is watched


@pytest.mark.parametrize(
    ("email", "topic", "resources"),
    [
        ("", "", set()),
        ("", "arn:aws:sns:eu-central-1:123456789012:a", set()),
        ("ops@example.com", "", {"Topic", "TopicPolicy", "Subscription"}),
        ("ops@example.com", "arn:aws:sns:eu-central-1:123456789012:a", {"Subscription"}),
    ],
)
def test_email_address_is_subscribed_and_creates_a_topic_unless_there_is_one(
    email: str, topic: str, resources: set[str]
) -> None:
    given = {**read().parameters, "AlarmEmail": email, "AlarmTopicArn": topic}
    alarms = read(given=given).nested["Alarms"]
    types = ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription")
    (page, *_) = alarms.of_type("AWS::CloudWatch::CompositeAlarm")

    assert {each.logical_id for type_ in types for each in alarms.of_type(type_)} == resources
    assert len(page.properties["AlarmActions"]) == (1 if email or topic else 0)


def test_cloudwatch_may_publish_to_the_topic_for_alarms_of_this_stack_only() -> None:
    for stack in ("Alarms", "Cdn"):
        (statement,) = nested(stack)["TopicPolicy"]["PolicyDocument"]["Statement"]

        assert (statement["Principal"], statement["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
        assert text(statement["Condition"]["ArnLike"]["aws:SourceArn"]).endswith(":alarm:${ServiceStack}-*")


# --- documentation

RUNBOOKS = dict(
    re.findall(r"^((?:### .*\n)+)((?:(?!#).*\n)+)", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
)
"""The text below each heading, or below several that share it."""


def test_operations_page_explains_every_alarm() -> None:
    explained = [name for heading in RUNBOOKS for name in re.findall(r"\w+Alarm", heading)]

    assert sorted(explained) == sorted(ALARMS)


@pytest.mark.parametrize("heading", [heading for heading in RUNBOOKS if "Alarm" in heading])
def test_runbook_names_a_saved_query_or_another_runbook(heading: str) -> None:
    names = {text(query["Name"]).partition("/")[2] for query in nested("Queries").values()}
    quoted = set(re.findall(r"\*([^*]+)\*", " ".join(RUNBOOKS[heading].replace("**", "").split())))

    assert quoted & (names | set(ALARMS)), RUNBOOKS[heading]
    assert quoted <= names | set(ALARMS) | {"Invocation failed"}


def test_operations_page_states_what_the_alarms_cost() -> None:
    stack = nested("Alarms")
    single = sum(len(metrics_of(body)) for name, body in stack.items() if name in METRIC_ALARMS)
    composite = sum(name in COMPOSITES for name in stack)

    assert f"{single} alarm metrics and {composite} composite alarms" in (ROOT / "docs/operations.md").read_text()
