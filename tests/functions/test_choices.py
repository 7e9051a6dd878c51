"""Every setting of a deployment takes effect in the functions."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from profile_media.aws import settings
from profile_media.domain.keys import incoming_key
from profile_media.domain.model import AutoBind, State, Upload, utc_now
from tests import cloud, pictures
from tests.builders import ADA
from tests.functions.conftest import Call, Rows, an_event, run
from tests.functions.test_events import UPLOAD_ID
from tests.functions.test_upload_user_image import send

type Choose = Callable[..., None]


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Change settings of the deployment."""

    def _choose(**parameters: object) -> None:
        for name, value in parameters.items():
            monkeypatch.setenv(name, str(value))
        settings.forget()

    return _choose


def left_to(upload: Upload | None) -> timedelta:
    assert upload
    assert upload.expires_at
    return upload.expires_at - utc_now()


def processed(aws: cloud.Cloud, rows: Rows, content: bytes) -> Upload | None:
    rows.pending(upload_id=UPLOAD_ID, content_length=500_000)
    aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=incoming_key(ADA, UPLOAD_ID), Body=content)
    run("process_upload", an_event("process_upload"))
    return rows.uploads.get(ADA, UPLOAD_ID)


@pytest.mark.parametrize("content", [pictures.a_jpeg(64, 64), b"no picture"], ids=["ready", "rejected"])
def test_lifetime_of_processed_upload(choose: Choose, aws: cloud.Cloud, rows: Rows, content: bytes) -> None:
    choose(SETTLED_TTL_SECONDS=600)
    assert timedelta(minutes=9) < left_to(processed(aws, rows, content)) < timedelta(minutes=11)


def test_lifetime_of_processed_upload_is_a_day_by_default(choose: Choose, aws: cloud.Cloud, rows: Rows) -> None:
    choose()
    left = left_to(processed(aws, rows, pictures.a_jpeg(64, 64)))
    assert timedelta(hours=23, minutes=59) < left < timedelta(hours=24, minutes=1)


@pytest.mark.parametrize(("chosen", "last"), [("true", "master"), ("false", "icon")])
def test_master_is_kept_if_chosen(choose: Choose, aws: cloud.Cloud, rows: Rows, chosen: str, last: str) -> None:
    choose(KEEP_MASTER=chosen)
    upload = processed(aws, rows, pictures.a_jpeg(64, 64))
    assert upload
    assert upload.derivatives[-1].name == last
    assert len(aws.keys(cloud.MEDIA_BUCKET)) == len(upload.derivatives)


@pytest.mark.parametrize(("chosen", "stored"), [("true", 5), ("false", 4)])
def test_master_of_direct_upload_is_kept_if_chosen(
    choose: Choose, call: Call, aws: cloud.Cloud, chosen: str, stored: int
) -> None:
    choose(KEEP_MASTER=chosen)
    assert send(call, pictures.a_png(32, 32)).status == 200
    assert len(aws.keys(cloud.MEDIA_BUCKET)) == stored


def test_changes_per_minute_limit_binds_by_processing_too(choose: Choose, aws: cloud.Cloud, rows: Rows) -> None:
    choose(WRITES_PER_MINUTE=0)
    pending = rows.pending(upload_id=UPLOAD_ID, content_length=500_000, auto_bind=AutoBind(ADA, None))
    aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=incoming_key(ADA, UPLOAD_ID), Body=pictures.a_jpeg(64, 64))
    run("process_upload", an_event("process_upload"))
    assert pending.auto_bind
    upload = rows.uploads.get(ADA, UPLOAD_ID)
    assert upload
    assert upload.state is State.READY


def test_lifetime_of_rejected_direct_upload(choose: Choose, call: Call, aws: cloud.Cloud) -> None:
    choose(SETTLED_TTL_SECONDS=600)
    assert send(call, pictures.a_jpeg(640, 480)[:4000]).status == 400
    [row] = [row for row in aws.rows(cloud.UPLOADS_TABLE) if "state" in row]
    assert 540 < int(row["expires_at"]["N"]) - utc_now().timestamp() < 660


@pytest.mark.parametrize(
    ("limit", "allowed"), [("OPEN_INTENTS", 1), ("INTENTS_PER_HOUR", 1), ("OPEN_INTENTS", 2), ("INTENTS_PER_HOUR", 2)]
)
def test_limits_of_intents(choose: Choose, call: Call, limit: str, allowed: int) -> None:
    choose(**{limit: allowed})
    statuses = [call("create_upload_intent", headers={"Idempotency-Key": str(each)}).status for each in range(3)]
    assert statuses == [201] * allowed + [429] * (3 - allowed)


def test_limit_of_direct_uploads_per_hour(choose: Choose, call: Call) -> None:
    choose(INTENTS_PER_HOUR=1)
    assert [send(call, pictures.a_png(64, 64)).status for _ in range(2)] == [200, 429]


def test_limit_of_bytes_of_direct_upload(choose: Choose, call: Call) -> None:
    picture = pictures.a_png(64, 64)
    choose(AVATAR_MAX_BYTES=len(picture))
    assert send(call, picture).status == 200
    choose(AVATAR_MAX_BYTES=len(picture) - 1)
    assert send(call, picture).status == 413


@pytest.mark.parametrize(
    ("slot", "parameter"), [("avatar", "AVATAR_MAX_BYTES"), ("coverImage", "COVER_IMAGE_MAX_BYTES")]
)
def test_limit_of_bytes_per_slot(choose: Choose, call: Call, slot: str, parameter: str) -> None:
    choose(**{parameter: 2000})
    body = {"slot": slot, "contentType": "image/png", "contentLength": 2001}
    assert call("create_upload_intent", body, headers={"Idempotency-Key": "a"}).status == 413
    other = {**body, "slot": "avatar" if slot == "coverImage" else "coverImage"}
    assert call("create_upload_intent", other, headers={"Idempotency-Key": "b"}).status == 201


def test_lifetime_of_pending_upload(choose: Choose, call: Call, aws: cloud.Cloud) -> None:
    choose(PENDING_TTL_SECONDS=120)
    call("create_upload_intent")
    [row] = [row for row in aws.rows(cloud.UPLOADS_TABLE) if "state" in row]
    assert 60 < int(row["expires_at"]["N"]) - utc_now().timestamp() <= 121
