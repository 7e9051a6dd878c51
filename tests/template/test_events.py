"""Asynchronous edges: each retries within bounds, gives up into a queue, and somebody is told."""

import json
import re

import pytest

from profile_media.aws.tables import IDEMPOTENCY_PREFIX, QUOTA, WRITES_PREFIX
from profile_media.domain.process import Outcome
from tests.template.document import ROOT, of_type, properties, text, written

QUEUES = of_type("AWS::SQS::Queue")
ALARMS = of_type("AWS::CloudWatch::Alarm")
LAST_RESORTS = {"ProcessFailures", "ReleaseFailures", "PurgeDlq"}

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

    assert {
        text(process["DestinationConfig"]["OnFailure"]["Destination"]),
        text(release["DestinationConfig"]["OnFailure"]["Destination"]),
        text(purge["deadLetterTargetArn"]),
    } == {f"{queue}.Arn" for queue in LAST_RESORTS}
    assert purge["maxReceiveCount"] == 5


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
    }
    assert events == {"Api", "S3"}


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


def test_processing_is_bounded_and_cannot_starve_the_api() -> None:
    function = properties("ProcessUploadFunction")
    reserved = function["ReservedConcurrentExecutions"]["Fn::If"]

    assert [text(each) for each in reserved] == ["LimitProcessing", "ProcessConcurrency", "AWS::NoValue"]
    assert function["Timeout"] == 60
    assert written()["Parameters"]["ProcessMemorySize"]["Default"] == 1769
    assert function["EventInvokeConfig"]["MaximumRetryAttempts"] == 2


@pytest.mark.parametrize(
    "metric",
    [
        ("Errors", "ProcessUploadFunction"),
        ("Errors", "ReleaseMediaFunction"),
        ("Errors", "PurgeMediaFunction"),
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
