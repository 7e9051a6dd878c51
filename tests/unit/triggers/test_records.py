"""The parsers of S3, SQS and stream events. tests/fuzz/test_events.py feeds them with generated events."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from profile_media.domain.ports import PurgeRequest
from profile_media.triggers.records import created_objects, failures, removed_uploads
from tests.builders import ADA
from tests.functions.conftest import an_event

BOUND, PENDING = "6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90", "0d6f7a3c-8b1e-4f57-8a44-5f0b8f6f2c31"
NAMES = ("full-3f0a9c1b2d4e5f60718293a4b5c6d7e8.webp", "master-9b8a7c6d5e4f30211203f4e5d6c7b8a9.jpg")
TRACE_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
KEYS = (f"media/{BOUND}/{NAMES[0]}", f"masters/{BOUND}/{NAMES[1]}")


def a_removal(**changes: Any) -> dict[str, Any]:
    """Build the stream event of the bound upload's removal, with changes of its old image; None removes."""
    event = an_event("release_media")
    image = event["Records"][0]["dynamodb"]["OldImage"] | changes
    event["Records"][0]["dynamodb"]["OldImage"] = {name: value for name, value in image.items() if value is not None}
    return event


def test_removed_uploads_takes_media_keys_from_row_with_derivatives() -> None:
    assert removed_uploads(an_event("release_media")) == {
        "111": PurgeRequest(ADA, BOUND, KEYS, TRACE_ID),
        "112": PurgeRequest(ADA, PENDING, trace_id=TRACE_ID),
    }


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"state": {"S": "ready"}}, KEYS),
        ({"state": {"S": "pending"}}, None),
        ({"state": {"S": "rejected"}}, None),
        ({"state": None}, None),
        ({"derivatives": None}, None),
        ({"derivatives": {"L": [{"M": {"name": {"S": "full"}}}]}}, None),
        ({"derivatives": {"S": "text"}}, None),
    ],
)
def test_removed_uploads_names_no_keys_that_row_may_not_tell(changes: Any, keys: tuple[str, ...] | None) -> None:
    assert removed_uploads(a_removal(**changes))["111"].media_keys == keys


def test_removed_uploads_skips_other_items_and_other_changes() -> None:
    event = an_event("release_media")
    event["Records"][0]["dynamodb"]["Keys"]["upload_id"] = {"S": "quota"}
    event["Records"][1]["eventName"] = "MODIFY"

    assert removed_uploads(event) == {}


def test_created_objects_reads_events_of_s3_and_of_redrive_queue() -> None:
    direct = an_event("process_upload")
    direct["Records"][0]["s3"]["object"]["key"] = "incoming/a+b%2Fc"
    redriven = {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(direct)}]}

    stored_at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert [*created_objects(direct)] == [*created_objects(redriven)] == [("uploads", "incoming/a b/c", stored_at)]


@pytest.mark.parametrize("time", [None, "", "yesterday", 7])
def test_created_objects_ignores_time_that_cannot_be_read(time: object) -> None:
    event = an_event("process_upload")
    event["Records"][0]["eventTime"] = time

    assert [stored.stored_at for stored in created_objects(event)] == [None]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"Records": null}', "[" * 100_000])
def test_created_objects_refuses_message_that_is_no_event(body: str) -> None:
    with pytest.raises(ValueError, match=r"not an S3 event|Expecting value"):
        list(created_objects({"Records": [{"eventSource": "aws:sqs", "body": body}]}))


def test_created_objects_skips_record_without_event_name() -> None:
    event = an_event("process_upload")
    del event["Records"][0]["eventName"]

    assert list(created_objects(event)) == []


def test_failures_lists_identifiers() -> None:
    assert failures(["1", "2"]) == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}
