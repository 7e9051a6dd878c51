"""The functions behind S3, the stream and the delete queue."""

import json
from typing import Any

import pytest

from profile_media.aws.objects import S3Media
from profile_media.domain.formats import ContentType
from profile_media.domain.keys import incoming_key, media_prefixes
from profile_media.domain.model import AutoBind, Slot, State
from tests import cloud, pictures
from tests.builders import ADA, a_derivative, an_id
from tests.conftest import Logs
from tests.functions.conftest import Rows, an_event, run

TRACE_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
UPLOAD_ID = "6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90"
"""The upload that the sample events name."""


def post(aws: cloud.Cloud, content: bytes) -> None:
    aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=incoming_key(ADA, UPLOAD_ID), Body=content)


def test_picture_becomes_ready_with_all_its_derivatives(aws: cloud.Cloud, rows: Rows) -> None:
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
    assert all(key.startswith(media_prefixes(UPLOAD_ID)) for key in aws.keys(cloud.MEDIA_BUCKET))
    assert aws.keys(cloud.UPLOADS_BUCKET) == set()
    head = aws.s3.head_object(Bucket=cloud.MEDIA_BUCKET, Key=max(aws.keys(cloud.MEDIA_BUCKET)))
    assert head["CacheControl"] == "public, max-age=31536000, immutable"
    assert head["ContentType"] == "image/webp"
    assert head["ContentDisposition"].startswith("inline; filename=")


def test_duplicate_and_late_events_change_nothing(aws: cloud.Cloud, rows: Rows) -> None:
    rows.pending(upload_id=UPLOAD_ID, content_length=500_000)
    post(aws, pictures.a_jpeg())
    event = an_event("process_upload")
    event["Records"] *= 2
    run("process_upload", event)
    processed, stored = rows.uploads.get(ADA, UPLOAD_ID), aws.keys(cloud.MEDIA_BUCKET)
    post(aws, pictures.a_png())
    run("process_upload", event)
    assert rows.uploads.get(ADA, UPLOAD_ID) == processed
    assert aws.keys(cloud.MEDIA_BUCKET) == stored
    assert aws.keys(cloud.UPLOADS_BUCKET) == set()


def test_text_file_is_rejected_and_deleted(
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
    [_, counted] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert counted["UploadsRejected"] == [1.0]
    assert counted["RejectedUnsupportedFormat"] == [1.0]


def test_broken_picture_is_rejected_and_its_cost_logged(aws: cloud.Cloud, rows: Rows, logs: Logs) -> None:
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
def test_events_of_other_objects_are_ignored(aws: cloud.Cloud, rows: Rows, changed: dict[str, Any]) -> None:
    pending = rows.pending(upload_id=UPLOAD_ID)
    post(aws, pictures.a_jpeg())
    event = an_event("process_upload")
    event["Records"][0].update(changed)
    run("process_upload", event)
    assert rows.uploads.get(ADA, UPLOAD_ID) == pending
    assert aws.keys(cloud.UPLOADS_BUCKET)


def test_escaped_key_names_the_same_object(aws: cloud.Cloud, rows: Rows) -> None:
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
def test_events_without_records_are_ignored(aws: cloud.Cloud, event: dict[str, Any]) -> None:
    run("process_upload", event)
    assert run("release_media", event) == {"batchItemFailures": []}
    assert run("purge_media", event) == {"batchItemFailures": []}


def test_original_without_row_is_deleted_and_its_upload_purged_again(aws: cloud.Cloud) -> None:
    post(aws, pictures.a_jpeg())
    run("process_upload", an_event("process_upload"))
    assert aws.keys(cloud.UPLOADS_BUCKET) == set()
    assert aws.messages() == [{"owner_id": ADA, "upload_id": UPLOAD_ID, "media_keys": None, "trace_id": None}]


def test_other_type_than_declared_is_ready_and_recorded(aws: cloud.Cloud, rows: Rows) -> None:
    rows.pending(upload_id=UPLOAD_ID, content_type=ContentType.PNG, content_length=500_000)
    post(aws, pictures.a_jpeg())
    run("process_upload", an_event("process_upload"))
    upload = rows.uploads.get(ADA, UPLOAD_ID)
    assert upload
    assert (upload.state, upload.content_type) == (State.READY, ContentType.JPEG)


@pytest.mark.assurance
def test_original_of_50_mib_is_ready(aws: cloud.Cloud, rows: Rows) -> None:
    largest = 50 * 1024 * 1024
    rows.pending(upload_id=UPLOAD_ID, content_length=largest)
    post(aws, pictures.a_jpeg().ljust(largest, b"\0"))
    run("process_upload", an_event("process_upload"))
    upload = rows.uploads.get(ADA, UPLOAD_ID)
    assert upload
    assert upload.state is State.READY


def test_bound_upload_is_ready_and_bound_at_once(aws: cloud.Cloud, rows: Rows, logs: Logs) -> None:
    rows.pending(upload_id=UPLOAD_ID, content_length=500_000, auto_bind=AutoBind(ADA, None))
    post(aws, pictures.a_jpeg())
    run("process_upload", an_event("process_upload"))
    profile, upload = rows.attachments.read(ADA, UPLOAD_ID)
    assert upload
    assert (upload.state, profile.bound_upload_id(Slot.AVATAR)) == (State.BOUND, UPLOAD_ID)
    [record] = [record for record in logs() if "audit" in record]
    assert record["audit"]["upload_id"] == UPLOAD_ID


def test_removed_uploads_are_enqueued_with_the_keys_of_processed_ones(aws: cloud.Cloud) -> None:
    event = an_event("release_media")
    others = [("INSERT", an_id(1)), ("MODIFY", an_id(2)), ("REMOVE", "quota"), ("REMOVE", "idempotency#abc")]
    template = event["Records"][0]
    for number, (name, range_key) in enumerate(others):
        keys = {"owner_id": {"S": ADA}, "upload_id": {"S": range_key}}
        change = {**template["dynamodb"], "Keys": keys, "SequenceNumber": f"9{number}"}
        event["Records"].append({**template, "eventName": name, "dynamodb": change})
    assert run("release_media", event) == {"batchItemFailures": []}
    [bound, pending] = sorted(aws.messages(), key=lambda message: message["media_keys"] is None)
    assert bound == {**json.loads(an_event("purge_media")["Records"][0]["body"]), "trace_id": TRACE_ID}
    pending_id = "0d6f7a3c-8b1e-4f57-8a44-5f0b8f6f2c31"
    assert pending == {"owner_id": ADA, "upload_id": pending_id, "media_keys": None, "trace_id": TRACE_ID}


def test_purge_deletes_exactly_the_keys_of_the_message(aws: cloud.Cloud) -> None:
    keys = json.loads(an_event("purge_media")["Records"][0]["body"])["media_keys"]
    others = [f"media/{UPLOAD_ID}/other", f"media/{an_id(5)}/full"]
    for key in (*keys, *others):
        aws.s3.put_object(Bucket=cloud.MEDIA_BUCKET, Key=key, Body=b"webp")
    for _ in range(2):
        assert run("purge_media", an_event("purge_media")) == {"batchItemFailures": []}
        assert aws.keys(cloud.MEDIA_BUCKET) == set(others)


@pytest.mark.parametrize("keys", [{"media_keys": None}, {}])  # messages of version 0.1.0 have no keys
def test_purge_without_keys_deletes_all_derivatives_and_the_original(aws: cloud.Cloud, keys: dict[str, Any]) -> None:
    media = S3Media(cloud.MEDIA_BUCKET)
    for upload_id in (UPLOAD_ID, an_id(5)):
        media.store(upload_id, [(a_derivative(), b"webp"), (a_derivative(name="master"), b"webp")])
    post(aws, b"late")
    event = an_event("purge_media")
    event["Records"][0]["body"] = json.dumps({"owner_id": ADA, "upload_id": UPLOAD_ID, **keys})
    for _ in range(2):
        assert run("purge_media", event) == {"batchItemFailures": []}
        assert aws.keys(cloud.UPLOADS_BUCKET) == set()
        assert len(aws.keys(cloud.MEDIA_BUCKET)) == 2
        assert all(key.startswith(media_prefixes(an_id(5))) for key in aws.keys(cloud.MEDIA_BUCKET))


@pytest.mark.parametrize("poison", range(7))
def test_only_messages_that_failed_are_delivered_again(aws: cloud.Cloud, poison: int) -> None:
    foreign = {"owner_id": "a", "upload_id": UPLOAD_ID, "media_keys": [f"media/{an_id(5)}/full"]}
    bodies = [
        json.dumps(foreign),
        "",
        "{}",
        '{"owner_id": "a", "upload_id": 7}',
        '["a", "b"]',
        '{"owner_id": "a", "upload_id": "../x"}',
    ]
    event = an_event("purge_media")
    good = event["Records"][0]
    event["Records"] = [{**good, "messageId": f"good{number}"} for number in range(5)]
    event["Records"] += [{**good, "messageId": f"bad{number}", "body": bodies[number]} for number in range(poison)]
    assert run("purge_media", event) == {
        "batchItemFailures": [{"itemIdentifier": f"bad{number}"} for number in range(poison)]
    }
