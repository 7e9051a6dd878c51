"""Metrics for dashboards and alarms, and log keys that do not leak into the next invocation."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from profile_media.aws import session
from profile_media.aws.objects import S3Media
from profile_media.domain.keys import incoming_key
from profile_media.domain.model import Slot, utc_now
from tests import cloud, pictures
from tests.builders import ADA, GRACE, a_derivative
from tests.conftest import Logs
from tests.functions.conftest import Call, Rows, an_event, run
from tests.functions.test_events import UPLOAD_ID

MY_PICTURE = "update_my_profile_picture"


@pytest.fixture
def counted(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the sums of the metrics written since the last call; those of a slot by name and slot."""

    def _counted() -> dict[str, float]:
        total: Counter[str] = Counter()
        for line in capsys.readouterr().out.splitlines():
            record = json.loads(line)
            for directive in record.get("_aws", {}).get("CloudWatchMetrics", ()):
                assert directive["Namespace"] == "ProfileMedia"
                [dimensions] = directive["Dimensions"]
                assert set(dimensions) - {"slot"} == {"stack", "service"} or "ColdStart" in record
                for metric in directive["Metrics"]:
                    name = ".".join((metric["Name"], *(record[each] for each in dimensions if each == "slot")))
                    total[name] += sum(record[metric["Name"]])
        del total["ColdStart"]  # only the first handler of a process has one
        return dict(total)

    return _counted


def test_intent_is_counted(call: Call, counted: Any) -> None:
    call("create_upload_intent")
    assert counted() == {"IntentsCreated.avatar": 1}


def test_cancelled_upload_is_counted_once(call: Call, counted: Any) -> None:
    upload_id = call("create_upload_intent").body["uploadId"]
    counted()
    for _ in range(2):
        call("cancel_upload", pathParameters={"uploadId": upload_id})
    assert counted() == {"UploadsCancelled": 1}


def test_binds_and_removals_are_counted_separately(call: Call, rows: Rows, counted: Any) -> None:
    upload = rows.ready()
    counted()
    call(MY_PICTURE, {"uploadId": upload.upload_id})
    assert counted() == {"Binds.avatar": 1}
    call(MY_PICTURE, {"uploadId": None})
    assert counted() == {"Removals": 1}


def test_picture_is_counted_when_it_arrives_and_when_it_is_ready_with_its_waiting_times(
    aws: cloud.Cloud, rows: Rows, counted: Any, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    created_at = utc_now() - timedelta(seconds=9)
    rows.pending(upload_id=UPLOAD_ID, created_at=created_at, slot=Slot.COVER_IMAGE, content_length=500_000)
    aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=incoming_key(ADA, UPLOAD_ID), Body=pictures.a_jpeg())
    event = an_event("process_upload")
    event["Records"][0]["eventTime"] = (created_at + timedelta(seconds=7)).isoformat()
    with monkeypatch.context() as broken:
        broken.setattr(S3Media, "store", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run("process_upload", event)
    assert counted() == {"UploadsStored.cover_image": 1, "UnexpectedErrors": 1}

    run("process_upload", event)

    sums = counted()
    waited = (sums.pop("IntentToReady"), sums.pop("StoredToReady"))
    assert sums == {"UploadsStored.cover_image": 1, "UploadsReady.cover_image": 1}
    assert 9_000 <= waited[0] < 60_000
    assert waited[0] - waited[1] == pytest.approx(7_000, abs=1)
    assert (logs()[-1]["intent_to_ready_ms"], logs()[-1]["stored_to_ready_ms"]) == waited


def test_repeated_event_counts_as_late_since_the_intent(aws: cloud.Cloud, rows: Rows, counted: Any) -> None:
    created_at = utc_now() - timedelta(minutes=11)
    rows.pending(upload_id=UPLOAD_ID, created_at=created_at, content_length=500_000)
    aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=incoming_key(ADA, UPLOAD_ID), Body=pictures.a_jpeg())
    event = an_event("process_upload")
    del event["Records"][0]["eventTime"]

    run("process_upload", event)

    assert counted()["StoredToReady"] >= 11 * 60_000


def test_refused_requests_are_not_counted_as_released(
    aws: cloud.Cloud, counted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = an_event("release_media")
    run("release_media", event)
    released = counted()["UploadsReleased"]
    assert released == len(aws.messages())
    refusal = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}
    monkeypatch.setattr(session.sqs(), "send_message_batch", lambda **_: refusal)
    answer = run("release_media", event)
    [refused] = answer["batchItemFailures"]
    assert refused["itemIdentifier"] == event["Records"][0]["dynamodb"]["SequenceNumber"]
    assert counted()["UploadsReleased"] == released - 1


def test_purged_objects_are_counted(aws: cloud.Cloud, counted: Any) -> None:
    derivatives = [a_derivative(name=name) for name in ("full", "thumb", "icon")]
    S3Media(cloud.MEDIA_BUCKET).store(UPLOAD_ID, [(derivative, b"webp") for derivative in derivatives])
    event = an_event("purge_media")
    run("purge_media", event)
    assert counted() == {"ObjectsPurged": 2}  # the keys of the sample message
    event["Records"][0]["body"] = json.dumps({"owner_id": ADA, "upload_id": UPLOAD_ID})
    run("purge_media", event)
    assert counted() == {"ObjectsPurged": 3}


def test_unexpected_error_is_counted_once(
    call: Call, aws: cloud.Cloud, counted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("profile_media.domain.users.load_own_profile", lambda *_: 1 / 0)
        assert call("get_profile").status == 500
    assert counted() == {"UnexpectedErrors": 1}
    assert call("get_profile").status == 200
    assert counted() == {}


def test_log_keys_of_one_invocation_do_not_appear_in_the_next(call: Call, rows: Rows, logs: Logs) -> None:
    call("get_profile", claims={"sub": GRACE, "exp": "1"})
    upload = rows.ready()
    call(MY_PICTURE, {"uploadId": upload.upload_id})
    run("purge_media", an_event("purge_media"))
    of_me, of_nobody = (
        [record for record in logs() if record["function_name"] == name] for name in (MY_PICTURE, "purge_media")
    )
    assert {record["actor"] for record in of_me} == {ADA}
    assert of_nobody
    assert not [record for record in of_nobody if "actor" in record]
