"""The asynchronous paths: each retries a bounded number of times, ends in a dead-letter queue, and raises an alarm."""

import json
from datetime import timedelta

import pytest

from profile_media.domain.findings import GracePeriods
from profile_media.domain.reconcile import RESERVE
from tests.template.document import of_type, properties, text
from tools.template import read, written

QUEUES = of_type("AWS::SQS::Queue")
PARAMETERS = written()["Parameters"]
DEAD_LETTER_QUEUES = {"ProcessFailures", "ReleaseFailures", "PurgeDlq", "ReconcileFailures"}

OTHER_SORT_KEYS = ("quota", "idempotency#", "reconcile#", "writes#")
"""The start of the sort keys of items that are not uploads; the last one is of version 0.1.0."""

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


# --- event sources


def test_tests_of_this_file_cover_all_event_sources() -> None:
    mappings = of_type("AWS::Lambda::EventSourceMapping").values()
    events = {event["Type"] for function in read().functions.values() for event in function.events.values()}

    assert {(text(mapping["EventSourceArn"]), text(mapping["FunctionName"])) for mapping in mappings} == {
        ("UploadsTable.StreamArn", "ReleaseMediaFunction"),
        ("PurgeQueue.Arn", "PurgeMediaFunction"),
        ("RedriveQueue.Arn", "ProcessUploadFunction"),
    }
    assert events == {"Api", "S3", "Schedule"}


def test_every_event_source_ends_in_a_dead_letter_queue() -> None:
    destinations = [
        properties("ProcessUploadFunction")["EventInvokeConfig"]["DestinationConfig"],
        properties("ReleaseMediaSource")["DestinationConfig"],
        properties("ReconcileFunction")["EventInvokeConfig"]["DestinationConfig"],
    ]
    redrives = {name: queue["RedrivePolicy"] for name, queue in QUEUES.items() if "RedrivePolicy" in queue}

    assert [text(each["OnFailure"]["Destination"]) for each in destinations] == [
        "ProcessFailures.Arn",
        "ReleaseFailures.Arn",
        "ReconcileFailures.Arn",
    ]
    assert {name: text(each["deadLetterTargetArn"]) for name, each in redrives.items()} == {
        "PurgeQueue": "PurgeDlq.Arn",
        "RedriveQueue": "ProcessFailures.Arn",
    }
    assert {each["maxReceiveCount"] for each in redrives.values()} == {5}


@pytest.mark.parametrize("queue", sorted(DEAD_LETTER_QUEUES))
def test_dead_letters_are_kept_for_two_weeks(queue: str) -> None:
    assert QUEUES[queue]["MessageRetentionPeriod"] == 14 * DAY


@pytest.mark.parametrize(
    ("queue", "source", "function"),
    [
        ("PurgeQueue", "PurgeMediaSource", "PurgeMediaFunction"),
        ("RedriveQueue", "ProcessUploadSource", "ProcessUploadFunction"),
    ],
)
def test_queue_keeps_a_message_for_its_delay_and_all_its_receives(queue: str, source: str, function: str) -> None:
    settings, mapping = QUEUES[queue], properties(source)
    delay = PARAMETERS[text(settings["DelaySeconds"])]["MaxValue"] if "DelaySeconds" in settings else 0
    visibility, receives = settings["VisibilityTimeout"], settings["RedrivePolicy"]["maxReceiveCount"]

    assert visibility >= 6 * properties(function)["Timeout"] + mapping.get("MaximumBatchingWindowInSeconds", 0)
    assert delay + receives * visibility < settings["MessageRetentionPeriod"] / 2  # else messages expire unseen
    assert settings["MessageRetentionPeriod"] < 14 * DAY  # the dead-letter queue counts from the first enqueueing


# --- processing


def test_processing_retries_twice_within_hours() -> None:
    config, function = properties("ProcessUploadFunction")["EventInvokeConfig"], properties("ProcessUploadFunction")

    assert (config["MaximumRetryAttempts"], function["Timeout"]) == (2, MINUTE)
    assert HOUR <= config["MaximumEventAgeInSeconds"] <= 6 * HOUR


def test_processing_is_notified_of_incoming_objects_only() -> None:
    (event,) = properties("ProcessUploadFunction")["Events"].values()

    assert (event["Properties"]["Events"], text(event["Properties"]["Bucket"])) == (
        "s3:ObjectCreated:*",
        "UploadsBucket",
    )


def test_repeated_events_arrive_one_by_one_and_leave_room_for_new_ones() -> None:
    source = properties("ProcessUploadSource")

    assert source["BatchSize"] == 1  # a failed message must not repeat its neighbours
    assert source["ScalingConfig"]["MaximumConcurrency"] == 2


@pytest.mark.parametrize(
    ("function", "parameter"),
    [
        ("ProcessUploadFunction", "ProcessConcurrency"),
        ("GetUploadFunction", "PollConcurrency"),
        ("BindAvatarFunction", "FunctionConcurrency"),
    ],
)
def test_concurrency_parameter_reserves_for_its_functions(function: str, parameter: str) -> None:
    template = read(given={**read().parameters, parameter: "9"})

    assert template.functions[function].concurrency == 9


# --- deletion


def test_stream_source_reads_from_the_oldest_record() -> None:
    source = properties("ReleaseMediaSource")

    assert source["StartingPosition"] == "TRIM_HORIZON"  # LATEST skips records that arrive while it is created
    assert "StartingPositionTimestamp" not in source


def test_failed_record_does_not_block_the_stream() -> None:
    source = properties("ReleaseMediaSource")

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BisectBatchOnFunctionError"] is True
    assert 0 < source["MaximumRetryAttempts"] <= 100
    assert 0 < source["MaximumRecordAgeInSeconds"] < DAY  # the stream's retention


def test_stream_filter_takes_removed_upload_rows_only() -> None:
    (filter_,) = properties("ReleaseMediaSource")["FilterCriteria"]["Filters"]
    pattern = json.loads(filter_["Pattern"])
    prefixes = [rule["prefix"] for rule in pattern["dynamodb"]["Keys"]["upload_id"]["S"]]

    assert pattern["eventName"] == ["REMOVE"]
    assert sorted(prefixes) == list("0123456789abcdef")
    assert not [key for key in OTHER_SORT_KEYS if key.startswith(tuple(prefixes))]


def test_purge_delay_follows_its_parameter() -> None:
    assert text(QUEUES["PurgeQueue"]["DelaySeconds"]) == "PurgeDelaySeconds"
    assert (PARAMETERS["PurgeDelaySeconds"]["Default"], PARAMETERS["PurgeDelaySeconds"]["MaxValue"]) == (900, 900)


def test_purge_source_reports_single_failed_messages() -> None:
    source = properties("PurgeMediaSource")

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] <= 10


# --- reconcile


def test_reconcile_finds_lost_events_within_a_quarter_of_an_hour() -> None:
    minutes, function = PARAMETERS["ReconcileMinutes"], properties("ReconcileFunction")
    (schedule,) = function["Events"].values()

    assert text(schedule["Properties"]["Schedule"]) == "rate(${ReconcileMinutes} minutes)"
    assert timedelta(minutes=minutes["Default"]) + GracePeriods().event <= timedelta(minutes=15)


def test_run_of_reconcile_ends_before_the_next_one_starts() -> None:
    timeout = properties("ReconcileFunction")["Timeout"]

    assert timeout < MINUTE * PARAMETERS["ReconcileMinutes"]["MinValue"]
    assert timedelta(seconds=timeout / 2) > RESERVE
