"""The functions behind S3, the stream and the queue."""

import json
from typing import Any

import pytest

from profile_media.aws.objects import S3Media
from profile_media.domain.keys import incoming_key, media_prefix
from profile_media.domain.model import ContentType, State
from tests import cloud, pictures
from tests.builders import ADA, a_derivative, an_id
from tests.conftest import Logs
from tests.functions.conftest import Rows, an_event, run

UPLOAD_ID = "6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90"
"""The one the sample events are about."""


def post(aws: cloud.Cloud, content: bytes) -> None:
    aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=incoming_key(ADA, UPLOAD_ID), Body=content)


def test_a_picture_becomes_ready_with_all_its_derivatives(aws: cloud.Cloud, rows: Rows) -> None:
    rows.pending(upload_id=UPLOAD_ID, content_length=500_000)
    post(aws, pictures.a_jpeg())
    run("process_upload", an_event("process_upload"))
    upload = rows.uploads.get(ADA, UPLOAD_ID)
    assert upload
    assert upload.state is State.READY
    assert (upload.width, upload.height) == (640, 480)
    assert [(each.name, each.width) for each in upload.shown] == [
        ("full", 512), ("thumb", 256), ("small", 128), ("icon", 64),
    ]  # fmt: skip
    assert len(aws.keys(cloud.MEDIA_BUCKET)) == 5
    assert all(key.startswith(media_prefix(UPLOAD_ID)) for key in aws.keys(cloud.MEDIA_BUCKET))
    assert aws.keys(cloud.UPLOADS_BUCKET) == set()
    head = aws.s3.head_object(Bucket=cloud.MEDIA_BUCKET, Key=min(aws.keys(cloud.MEDIA_BUCKET)))
    assert head["CacheControl"] == "public, max-age=31536000, immutable"
    assert head["ContentType"] == "image/webp"
    assert head["ContentDisposition"].startswith("inline; filename=")


def test_duplicate_and_late_events_change_nothing(aws: cloud.Cloud, rows: Rows) -> None:
    rows.pending(upload_id=UPLOAD_ID, content_length=500_000)
    post(aws, pictures.a_jpeg())
    event = an_event("process_upload")
    event["Records"] *= 2
    run("process_upload", event)
    settled, stored = rows.uploads.get(ADA, UPLOAD_ID), aws.keys(cloud.MEDIA_BUCKET)
    post(aws, pictures.a_png())
    run("process_upload", event)
    assert rows.uploads.get(ADA, UPLOAD_ID) == settled
    assert aws.keys(cloud.MEDIA_BUCKET) == stored
    assert aws.keys(cloud.UPLOADS_BUCKET) == set()


def test_a_text_file_is_rejected_and_gone(
    aws: cloud.Cloud, rows: Rows, logs: Logs, capsys: pytest.CaptureFixture[str]
) -> None:
    rows.pending(upload_id=UPLOAD_ID)
    post(aws, b"not a picture at all")
    run("process_upload", an_event("process_upload"))
    upload = rows.uploads.get(ADA, UPLOAD_ID)
    assert upload
    assert upload.state is State.REJECTED
    assert upload.reason
    assert upload.reason.value == "unsupported_format"
    assert aws.keys(cloud.UPLOADS_BUCKET) == set()
    [record] = [record for record in logs() if record["message"] == "upload processed"]
    assert record["outcome"] == "rejected"
    assert record["reason"] == "unsupported_format"
    [counted] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert counted["UploadsRejected"] == [1.0]
    assert counted["RejectedUnsupportedFormat"] == [1.0]


def test_a_broken_picture_is_rejected_and_what_it_took_is_logged(aws: cloud.Cloud, rows: Rows, logs: Logs) -> None:
    rows.pending(upload_id=UPLOAD_ID)
    post(aws, b"\xff\xd8\xff but no more")
    run("process_upload", an_event("process_upload"))
    [record] = [record for record in logs() if record["message"] == "upload processed"]
    assert (record["outcome"], record["reason"]) == ("rejected", "corrupt")
    assert record["cpu_ms"] >= 0
    assert record["peak_mib"] > 5


@pytest.mark.parametrize(
    "changed",
    [
        {"s3": {"bucket": {"name": "other"}, "object": {"key": f"incoming/YXV0aDB8YWRh/{UPLOAD_ID}"}}},
        {"s3": {"bucket": {"name": "uploads"}, "object": {"key": "media/x"}}},
        {"s3": {"bucket": {"name": "uploads"}, "object": {"key": f"incoming/YXV0aDB8YWRh/{UPLOAD_ID}%2F.."}}},
        {"s3": {"bucket": {"name": "uploads"}, "object": {"key": f"incoming/+/{UPLOAD_ID}"}}},
        {"s3": {"bucket": {"name": "uploads"}, "object": {"key": "incoming/%D0%BA/x"}}},
        {"eventName": "ObjectRemoved:Delete"},
    ],
)
def test_objects_that_are_no_uploads_are_passed_over(aws: cloud.Cloud, rows: Rows, changed: dict[str, Any]) -> None:
    pending = rows.pending(upload_id=UPLOAD_ID)
    post(aws, pictures.a_jpeg())
    event = an_event("process_upload")
    event["Records"][0].update(changed)
    run("process_upload", event)
    assert rows.uploads.get(ADA, UPLOAD_ID) == pending
    assert aws.keys(cloud.UPLOADS_BUCKET)


def test_a_key_means_the_same_however_it_is_escaped(aws: cloud.Cloud, rows: Rows) -> None:
    rows.pending(upload_id=UPLOAD_ID)
    post(aws, b"not a picture at all")
    event = an_event("process_upload")
    key = event["Records"][0]["s3"]["object"]["key"]
    event["Records"][0]["s3"]["object"]["key"] = "".join(f"%{ord(character):02X}" for character in key)
    run("process_upload", event)
    upload = rows.uploads.get(ADA, UPLOAD_ID)
    assert upload
    assert upload.state is State.REJECTED


@pytest.mark.parametrize("event", [{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"}, {}])
def test_events_without_records_are_passed_over(aws: cloud.Cloud, event: dict[str, Any]) -> None:
    run("process_upload", event)
    assert run("release_media", event) == {"batchItemFailures": []}
    assert run("purge_media", event) == {"batchItemFailures": []}


def test_an_original_that_came_in_for_a_row_that_is_gone_is_purged(aws: cloud.Cloud) -> None:
    post(aws, pictures.a_jpeg())
    run("process_upload", an_event("process_upload"))
    assert aws.keys(cloud.UPLOADS_BUCKET) == set()
    assert aws.messages() == [{"owner_id": ADA, "upload_id": UPLOAD_ID}]


def test_a_type_other_than_declared_is_a_mismatch(aws: cloud.Cloud, rows: Rows) -> None:
    rows.pending(upload_id=UPLOAD_ID, content_type=ContentType.PNG, content_length=500_000)
    post(aws, pictures.a_jpeg())
    run("process_upload", an_event("process_upload"))
    upload = rows.uploads.get(ADA, UPLOAD_ID)
    assert upload
    assert upload.reason
    assert upload.reason.value == "type_mismatch"


def test_every_removed_upload_is_queued_and_nothing_else(aws: cloud.Cloud) -> None:
    event = an_event("release_media")
    others = [("INSERT", an_id(1)), ("MODIFY", an_id(2)), ("REMOVE", "quota"), ("REMOVE", "idempotency#abc")]
    template = event["Records"][0]
    for number, (name, range_key) in enumerate(others):
        keys = {"owner_id": {"S": ADA}, "upload_id": {"S": range_key}}
        change = {**template["dynamodb"], "Keys": keys, "SequenceNumber": f"9{number}"}
        event["Records"].append({**template, "eventName": name, "dynamodb": change})
    assert run("release_media", event) == {"batchItemFailures": []}
    assert {message["upload_id"] for message in aws.messages()} == {UPLOAD_ID, "0d6f7a3c-8b1e-4f57-8a44-5f0b8f6f2c31"}


def test_a_purge_takes_the_derivatives_and_the_original(aws: cloud.Cloud) -> None:
    media = S3Media(cloud.MEDIA_BUCKET)
    for upload_id in (UPLOAD_ID, an_id(5)):
        media.store(upload_id, [(a_derivative(), b"webp"), (a_derivative(name="thumb"), b"webp")])
    post(aws, b"late")
    assert run("purge_media", an_event("purge_media")) == {"batchItemFailures": []}
    assert aws.keys(cloud.UPLOADS_BUCKET) == set()
    assert len(aws.keys(cloud.MEDIA_BUCKET)) == 2
    assert all(key.startswith(media_prefix(an_id(5))) for key in aws.keys(cloud.MEDIA_BUCKET))
    assert run("purge_media", an_event("purge_media")) == {"batchItemFailures": []}


@pytest.mark.parametrize("poison", range(5))
def test_only_the_messages_that_failed_come_again(aws: cloud.Cloud, poison: int) -> None:
    bodies = ["", "{}", '{"owner_id": "a", "upload_id": 7}', '["a", "b"]', '{"owner_id": "a", "upload_id": "../x"}']
    event = an_event("purge_media")
    good = event["Records"][0]
    event["Records"] = [{**good, "messageId": f"good{number}"} for number in range(5)]
    event["Records"] += [{**good, "messageId": f"bad{number}", "body": bodies[number]} for number in range(poison)]
    assert run("purge_media", event) == {
        "batchItemFailures": [{"itemIdentifier": f"bad{number}"} for number in range(poison)]
    }
