"""What functions count, for dashboards and alarms; and that one invocation leaves nothing to the next."""

import json
from collections import Counter
from typing import Any

import pytest

from profile_media.aws import session
from profile_media.aws.objects import S3Media
from tests import cloud
from tests.builders import ADA, GRACE, a_derivative
from tests.conftest import Logs
from tests.functions.conftest import Call, Rows, an_event, run
from tests.functions.test_events import UPLOAD_ID

MY_PICTURE = "update_my_profile_picture"


@pytest.fixture
def counted(capsys: pytest.CaptureFixture[str]) -> Any:
    """Adds up the metrics that were written since it was last called."""

    def _counted() -> dict[str, float]:
        total: Counter[str] = Counter()
        for line in capsys.readouterr().out.splitlines():
            record = json.loads(line)
            for directive in record.get("_aws", {}).get("CloudWatchMetrics", ()):
                assert directive["Namespace"] == "ProfileMedia"
                for metric in directive["Metrics"]:
                    total[metric["Name"]] += sum(record[metric["Name"]])
        del total["ColdStart"]  # of the first handler that this process runs
        return dict(total)

    return _counted


def test_an_intent_is_counted(call: Call, counted: Any) -> None:
    call("create_upload_intent")
    assert counted() == {"IntentsCreated": 1}


def test_a_bind_and_a_removal_are_counted_apart(call: Call, rows: Rows, counted: Any) -> None:
    upload = rows.ready()
    counted()
    call(MY_PICTURE, {"uploadId": upload.upload_id})
    assert counted() == {"Binds": 1}
    call(MY_PICTURE, {"uploadId": None})
    assert counted() == {"Removals": 1}


def test_released_are_those_that_the_queue_took(
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


def test_purged_objects_are_counted_one_by_one(aws: cloud.Cloud, counted: Any) -> None:
    derivatives = [a_derivative(name=name) for name in ("full", "thumb", "icon")]
    S3Media(cloud.MEDIA_BUCKET).store(UPLOAD_ID, [(derivative, b"webp") for derivative in derivatives])
    run("purge_media", an_event("purge_media"))
    assert counted() == {"ObjectsPurged": 3}


def test_an_error_that_nobody_foresaw_is_counted_once(
    call: Call, aws: cloud.Cloud, counted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("profile_media.domain.users.load_own_profile", lambda *_: 1 / 0)
        assert call("get_profile").status == 500
    assert counted() == {"UnexpectedErrors": 1}
    assert call("get_profile").status == 200
    assert counted() == {}


def test_one_invocations_keys_are_not_the_nexts(call: Call, rows: Rows, logs: Logs) -> None:
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
