"""Reconcile on AWS in memory: lost events are sent again, inconsistencies are reported and, if chosen, repaired."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from profile_media.aws.objects import S3Media
from profile_media.domain.keys import incoming_key, media_key, media_prefixes
from profile_media.domain.model import MASTER, Slot, State, Upload, utc_now
from tests import cloud, pictures
from tests.builders import ADA, a_derivative, an_id
from tests.conftest import Logs
from tests.fakes import attachment_of
from tests.functions.conftest import Call, Rows, an_event, run, use_one_partition


@dataclass
class Deployment:
    """A deployment whose clock a test can move."""

    aws: cloud.Cloud
    rows: Rows
    call: Call
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the time that the functions see."""
        return utc_now() + self.ahead

    def reconcile(self, **later: float) -> None:
        """Move the clock and run the function."""
        self.ahead += timedelta(**later)
        assert run("reconcile", an_event("reconcile")) is None

    def reconcile_a_day_later(self) -> None:
        """Run a pass over the pictures, including the grace period of a purge: its delay and an hour."""
        self.reconcile(days=1)
        self.reconcile(hours=1, minutes=15)

    def receive(self, number: int) -> Upload:
        """Add a pending upload with its original. Its row expires in ten days."""
        upload = self.rows.pending(
            upload_id=an_id(number), content_length=500_000, expires_at=_whole(utc_now() + timedelta(days=10))
        )
        key = incoming_key(ADA, upload.upload_id)
        self.aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=pictures.a_jpeg(64, 48))
        return upload

    def deliver(self) -> None:
        """Deliver the messages of the redrive queue to process_upload."""
        template = an_event("purge_media")["Records"][0]
        for event in self.aws.messages(cloud.REDRIVE_URL):
            run("process_upload", {"Records": [{**template, "body": json.dumps(event)}]})

    def bound(self, number: int) -> Upload:
        """Add a bound avatar with its objects."""
        upload = self.rows.bound(upload_id=an_id(number))
        S3Media(cloud.MEDIA_BUCKET).store(upload.upload_id, [(each, b"webp") for each in upload.derivatives])
        return upload

    def photographed(self, number: int) -> Upload:
        """Add a bound avatar that was made of a real picture."""
        upload = self.receive(number)
        event = an_event("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = incoming_key(ADA, upload.upload_id)
        run("process_upload", event)
        public_id = f"app/temp/user_YXV0aDB8YWRh/images/{upload.upload_id}"
        assert self.call("bind_avatar", {"publicId": public_id}).status == 200
        return self.row(number)

    def row(self, number: int) -> Upload:
        """Return the upload's row."""
        upload = self.rows.uploads.get(ADA, an_id(number))
        assert upload
        return upload

    def lose(self, upload: Upload, *names: str) -> None:
        """Delete some of the upload's objects."""
        lost = [media_key(upload.upload_id, each) for each in upload.derivatives if each.name in names]
        objects = [{"Key": key} for key in lost]
        self.aws.s3.delete_objects(Bucket=cloud.MEDIA_BUCKET, Delete={"Objects": objects})


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


@pytest.fixture
def deployment(aws: cloud.Cloud, rows: Rows, call: Call, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    built = Deployment(aws, rows, call)
    use_one_partition(monkeypatch)
    monkeypatch.setattr("profile_media.aws.clock.utc_now", built.now)
    return built


@pytest.fixture
def _mends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILE_MENDS", "true")


def found(logs: Logs) -> list[dict[str, Any]]:
    return [record for record in logs() if record["message"] == "reconcile found"]


def test_picture_whose_event_was_lost_is_processed(deployment: Deployment) -> None:
    deployment.receive(1)
    deployment.reconcile(minutes=9)
    assert deployment.aws.messages(cloud.REDRIVE_URL) == []
    deployment.reconcile(minutes=1)
    deployment.deliver()
    assert deployment.row(1).state is State.READY
    assert len(deployment.aws.keys(cloud.MEDIA_BUCKET)) == 5
    deployment.reconcile(minutes=10)
    assert deployment.aws.messages(cloud.REDRIVE_URL) == []


def test_original_without_row_is_deleted_and_its_upload_purged_again(deployment: Deployment) -> None:
    upload = deployment.receive(1)
    key = {"owner_id": {"S": ADA}, "upload_id": {"S": upload.upload_id}}
    deployment.aws.dynamodb.delete_item(TableName=cloud.UPLOADS_TABLE, Key=key)
    deployment.reconcile(hours=1)
    deployment.deliver()
    assert deployment.aws.keys(cloud.UPLOADS_BUCKET) == set()
    assert deployment.aws.messages() == [
        {"owner_id": ADA, "upload_id": upload.upload_id, "media_keys": None, "trace_id": None}
    ]


def test_findings_are_logged_and_counted_without_repair(
    deployment: Deployment, logs: Logs, capsys: pytest.CaptureFixture[str]
) -> None:
    upload = deployment.bound(1)
    S3Media(cloud.MEDIA_BUCKET).store(an_id(2), [(a_derivative(), b"webp")])
    deployment.lose(upload, "full", "master")
    before = deployment.aws.keys(cloud.MEDIA_BUCKET)
    capsys.readouterr()
    deployment.reconcile_a_day_later()
    told = {record["kind"]: record for record in found(logs)}
    assert set(told) == {"objects_without_row", "row_without_objects"}
    assert told["objects_without_row"]["upload_id"] == an_id(2)
    assert told["row_without_objects"]["detail"] == "missing: full, master"
    assert not any("mended" in record for record in told.values())
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    totals = {
        name: sum(sum(each.get(name, [])) for each in counted) for name in ("ReconcileFindings", "ObjectsWithoutRow")
    }
    assert totals == {"ReconcileFindings": 2, "ObjectsWithoutRow": 1}
    [summary] = [record for record in logs() if record["message"] == "reconcile finished"]
    assert summary["found"] == {"row_without_objects": 1, "objects_without_row": 1}
    assert deployment.aws.keys(cloud.MEDIA_BUCKET) == before
    assert deployment.row(1) == upload
    assert deployment.aws.messages() == []


@pytest.mark.usefixtures("_mends")
@pytest.mark.parametrize("orphan", ["full", MASTER])
def test_objects_without_row_are_purged_if_chosen(deployment: Deployment, orphan: str) -> None:
    kept = deployment.bound(1)
    S3Media(cloud.MEDIA_BUCKET).store(an_id(2), [(a_derivative(name=orphan), b"webp")])
    deployment.reconcile_a_day_later()
    messages = deployment.aws.messages()
    assert messages == [{"owner_id": None, "upload_id": an_id(2), "media_keys": None, "trace_id": None}]
    event = an_event("purge_media")
    event["Records"][0]["body"] = json.dumps(messages[0])
    assert run("purge_media", event) == {"batchItemFailures": []}
    keys = deployment.aws.keys(cloud.MEDIA_BUCKET)
    assert len(keys) == 5
    assert all(key.startswith(media_prefixes(kept.upload_id)) for key in keys)


@pytest.mark.usefixtures("_mends")
def test_missing_derivatives_are_made_from_the_master_if_chosen(deployment: Deployment, logs: Logs) -> None:
    upload = deployment.photographed(1)
    deployment.lose(upload, "full", "small")
    deployment.reconcile_a_day_later()
    [record] = found(logs)
    assert (record["kind"], record["mended"]) == ("row_without_objects", "remade")
    row = deployment.row(1)
    assert {media_key(row.upload_id, each) for each in row.derivatives} <= deployment.aws.keys(cloud.MEDIA_BUCKET)
    profile, _ = deployment.rows.attachments.read(ADA, row.upload_id)
    assert profile.attachments[Slot.AVATAR] == attachment_of(row)
    assert [(each.name, each.width) for each in row.shown] == [(each.name, each.width) for each in upload.shown]
    [master] = [each for each in row.derivatives if each.name == MASTER]
    assert master in upload.derivatives
    deployment.reconcile_a_day_later()
    assert len(found(logs)) == 1


@pytest.mark.usefixtures("_mends")
def test_slot_whose_picture_cannot_be_restored_is_cleared_if_chosen(deployment: Deployment, logs: Logs) -> None:
    upload = deployment.bound(1)
    deployment.lose(upload, "thumb", "master")
    deployment.reconcile_a_day_later()
    assert deployment.rows.uploads.get(ADA, upload.upload_id) is None
    assert deployment.call("get_profile").body["avatar"] is None
    [audit] = [record["audit"] for record in logs() if record.get("audit", {}).get("actor") == "reconcile"]
    assert audit == {
        "owner": ADA,
        "actor": "reconcile",
        "slot": "avatar",
        "upload_id": None,
        "previous_upload_id": upload.upload_id,
    }


def test_run_without_repairs_never_loads_the_decoders(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profile_media.wiring.reconciling.PillowImages", None)
    deployment.bound(1)
    deployment.reconcile_a_day_later()
    assert deployment.row(1).state is State.BOUND


@pytest.mark.parametrize("body", ["", "[]", "null", '{"Records": 7}', '{"Records": null}', "[" * 100_000])
def test_message_that_is_not_an_s3_event_fails(aws: cloud.Cloud, body: str) -> None:
    message = {**an_event("purge_media")["Records"][0], "body": body}
    with pytest.raises(ValueError):  # noqa: PT011 - of whichever parser
        run("process_upload", {"Records": [message]})


def test_message_with_another_event_is_ignored(aws: cloud.Cloud) -> None:
    message = {**an_event("purge_media")["Records"][0], "body": '{"Records": [{"eventName": "ObjectRemoved:Delete"}]}'}
    assert run("process_upload", {"Records": [message]}) is None
