"""Asynchronous edges: each retries within bounds, gives up into a queue, and somebody is told."""

import json
import re
from datetime import timedelta

import pytest

from profile_media.aws.tables import IDEMPOTENCY_PREFIX, QUOTA, RECONCILE_PREFIX, WRITES_PREFIX
from profile_media.domain.process import Outcome
from profile_media.domain.reconcile import RESERVE, GracePeriods
from tests.template.document import of_type, properties, text
from tools.template import ROOT, written

QUEUES = of_type("AWS::SQS::Queue")
ALARMS = of_type("AWS::CloudWatch::Alarm")
LAST_RESORTS = {"ProcessFailures", "ReleaseFailures", "PurgeDlq", "ReconcileFailures"}

FOURTEEN_DAYS = 14 * 24 * 3600


def watched() -> set[tuple[str, ...]]:
    """Metric and dimension values of every alarm on a single metric."""
    return {
        (alarm["MetricName"], *(text(dimension["Value"]) for dimension in alarm["Dimensions"]))
        for alarm in ALARMS.values()
        if "MetricName" in alarm
    }


def test_every_event_source_gives_up_into_a_queue() -> None:
    process = properties("ProcessUploadFunction")["EventInvokeConfig"]
    release = properties("ReleaseMediaSource")
    purge = QUEUES["PurgeQueue"]["RedrivePolicy"]
    redrive = QUEUES["RedriveQueue"]["RedrivePolicy"]
    reconcile = properties("ReconcileFunction")["EventInvokeConfig"]

    assert {
        text(process["DestinationConfig"]["OnFailure"]["Destination"]),
        text(release["DestinationConfig"]["OnFailure"]["Destination"]),
        text(purge["deadLetterTargetArn"]),
        text(reconcile["DestinationConfig"]["OnFailure"]["Destination"]),
    } == {f"{queue}.Arn" for queue in LAST_RESORTS}
    assert purge["maxReceiveCount"] == redrive["maxReceiveCount"] == 5
    assert text(redrive["deadLetterTargetArn"]) == "ProcessFailures.Arn"


def test_there_is_no_event_source_that_this_file_does_not_know() -> None:
    mappings = of_type("AWS::Lambda::EventSourceMapping")
    events = {
        event["Type"]
        for function in of_type("AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
    }

    assert {text(mapping["EventSourceArn"]) for mapping in mappings.values()} == {
        "UploadsTable.StreamArn",
        "PurgeQueue.Arn",
        "RedriveQueue.Arn",
    }
    assert events == {"Api", "S3", "Schedule"}


@pytest.mark.parametrize("queue", sorted(LAST_RESORTS))
def test_what_was_given_up_waits_for_two_weeks_and_raises_an_alarm(queue: str) -> None:
    assert QUEUES[queue]["MessageRetentionPeriod"] == FOURTEEN_DAYS > QUEUES["PurgeQueue"]["MessageRetentionPeriod"]
    assert ("ApproximateNumberOfMessagesVisible", f"{queue}.QueueName") in watched()


def test_the_delete_queue_waits_as_long_as_the_parameter_says() -> None:
    parameter = written()["Parameters"]["PurgeDelaySeconds"]

    assert text(QUEUES["PurgeQueue"]["DelaySeconds"]) == "PurgeDelaySeconds"
    assert (parameter["Default"], parameter["MaxValue"]) == (900, 900)


def test_a_message_is_not_seen_again_while_it_is_being_worked_on() -> None:
    source, function = properties("PurgeMediaSource"), properties("PurgeMediaFunction")
    needed = 6 * function["Timeout"] + source["MaximumBatchingWindowInSeconds"]

    assert QUEUES["PurgeQueue"]["VisibilityTimeout"] >= needed
    assert source["BatchSize"] == 10
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_what_is_sent_again_comes_one_by_one_and_leaves_room_for_what_is_new() -> None:
    source, function = properties("ProcessUploadSource"), properties("ProcessUploadFunction")

    assert QUEUES["RedriveQueue"]["VisibilityTimeout"] >= 6 * function["Timeout"]
    assert source["BatchSize"] == 1  # whatever fails comes again, and nothing else does
    assert source["ScalingConfig"]["MaximumConcurrency"] < written()["Parameters"]["ProcessConcurrency"]["Default"]
    assert QUEUES["RedriveQueue"]["MessageRetentionPeriod"] < FOURTEEN_DAYS


def test_reconciling_comes_often_enough_for_lost_events_and_never_twice_at_once() -> None:
    minutes, function = written()["Parameters"]["ReconcileMinutes"], properties("ReconcileFunction")
    (schedule,) = function["Events"].values()

    assert text(schedule["Properties"]["Schedule"]) == "rate(${ReconcileMinutes} minutes)"
    assert timedelta(minutes=minutes["Default"]) + GracePeriods().event <= timedelta(minutes=15)
    assert function["Timeout"] < 60 * minutes["MinValue"]
    assert timedelta(seconds=function["Timeout"] / 2) > RESERVE
    assert [text(each) for each in function["ReservedConcurrentExecutions"]["Fn::If"]][:2] == ["LimitProcessing", "1"]


def test_one_bad_record_does_not_hold_up_the_stream() -> None:
    source = properties("ReleaseMediaSource")

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BisectBatchOnFunctionError"] is True
    assert 0 < source["MaximumRetryAttempts"] <= 100
    assert 0 < source["MaximumRecordAgeInSeconds"] < 24 * 3600  # the stream's own memory


def test_the_stream_wakes_the_function_for_removed_uploads_only() -> None:
    (filter_,) = properties("ReleaseMediaSource")["FilterCriteria"]["Filters"]
    pattern = json.loads(filter_["Pattern"])
    prefixes = [rule["prefix"] for rule in pattern["dynamodb"]["Keys"]["upload_id"]["S"]]

    assert pattern["eventName"] == ["REMOVE"]
    assert sorted(prefixes) == list("0123456789abcdef")
    assert not QUOTA.startswith(tuple(prefixes))
    assert not IDEMPOTENCY_PREFIX.startswith(tuple(prefixes))
    assert not WRITES_PREFIX.startswith(tuple(prefixes))
    assert not RECONCILE_PREFIX.startswith(tuple(prefixes))


def test_processing_is_bounded_and_cannot_starve_the_api() -> None:
    function = properties("ProcessUploadFunction")
    reserved = function["ReservedConcurrentExecutions"]["Fn::If"]

    assert [text(each) for each in reserved] == ["LimitProcessing", "ProcessConcurrency", "AWS::NoValue"]
    assert function["Timeout"] == 60
    assert written()["Parameters"]["ProcessMemorySize"]["Default"] == 1769
    assert function["EventInvokeConfig"]["MaximumRetryAttempts"] == 2


def test_waiting_for_processing_cannot_starve_the_api_either() -> None:
    reserved, kept = properties("GetUploadFunction")["ReservedConcurrentExecutions"]["Fn::If"], written()["Parameters"]

    assert [text(each) for each in reserved[:2]] == ["LimitPolls", "PollConcurrency"]
    assert "LimitProcessing" in str(written()["Conditions"]["LimitPolls"])
    assert sum(kept[name]["Default"] for name in ("ProcessConcurrency", "PollConcurrency")) <= 1000 / 2


@pytest.mark.parametrize(
    "metric",
    [
        ("Errors", "ProcessUploadFunction"),
        ("Errors", "ReleaseMediaFunction"),
        ("Errors", "PurgeMediaFunction"),
        ("Errors", "ReconcileFunction"),
        ("ReconcileFindings", "profile-media"),
        ("Throttles", "ProcessUploadFunction"),
        ("Duration", "ProcessUploadFunction"),
        ("IteratorAge", "ReleaseMediaFunction"),
        ("ApproximateAgeOfOldestMessage", "PurgeQueue.QueueName"),
        ("5XXError", "AWS::StackName", "StageName"),
        ("UnexpectedErrors", "profile-media"),
    ],
)
def test_somebody_watches(metric: tuple[str, ...]) -> None:
    assert metric in watched()


def test_every_route_but_the_long_poll_is_watched_for_slowness() -> None:
    routes = {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for function in of_type("AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api" and event["Properties"]["Method"] != "OPTIONS"
    }
    slow_on_purpose = ("GET", "/media/uploads/{uploadId}")

    assert {found[-2:] for found in watched() if found[0] == "Latency"} == routes - {slow_on_purpose}


def test_the_rejections_alarm_counts_what_processing_counts() -> None:
    metrics = {
        metric["MetricStat"]["Metric"]["MetricName"]
        for metric in ALARMS["RejectionsAlarm"]["Metrics"]
        if "MetricStat" in metric
    }

    assert metrics == {f"Uploads{outcome.value.capitalize()}" for outcome in (Outcome.READY, Outcome.REJECTED)}


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_says_what_it_means_and_tells_the_topic(alarm: str) -> None:
    assert ALARMS[alarm]["AlarmDescription"]
    assert ALARMS[alarm]["TreatMissingData"] == "notBreaching"
    assert ALARMS[alarm]["AlarmActions"] == [
        {"Fn::If": ["NotifyAlarms", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]}
    ]


def test_operations_explains_every_alarm_and_no_other() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    explained = {
        name for line in page.splitlines() if line.startswith("### ") for name in re.findall(r"\w+Alarm", line)
    }

    assert explained == set(ALARMS)


def test_every_log_is_deleted_after_a_while() -> None:
    for group in of_type("AWS::Logs::LogGroup").values():
        assert text(group["RetentionInDays"]) == "LogRetentionDays"
