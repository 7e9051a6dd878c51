"""What a deployment chooses arrives where it counts: in the functions, and not only in the settings."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from profile_media.aws import settings
from profile_media.domain.keys import incoming_key
from profile_media.domain.model import Upload, utc_now
from profile_media.wiring import ingesting, intents, processing
from tests import cloud, pictures
from tests.builders import ADA
from tests.functions.conftest import Call, Rows, an_event, run
from tests.functions.test_events import UPLOAD_ID
from tests.functions.test_upload_user_image import send

COMPOSED: list[Callable[[], Any]] = [ingesting._ingest, intents._intents, processing._processing]

type Choose = Callable[..., None]


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Iterator[Choose]:
    """Deploys with other parameters."""

    def forget() -> None:
        settings.forget()
        for composed in COMPOSED:
            composed.cache_clear()  # type: ignore[attr-defined]

    def _choose(**parameters: object) -> None:
        for name, value in parameters.items():
            monkeypatch.setenv(name, str(value))
        forget()

    yield _choose
    forget()


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
def test_how_long_a_settled_upload_waits(choose: Choose, aws: cloud.Cloud, rows: Rows, content: bytes) -> None:
    choose(SETTLED_TTL_SECONDS=600)
    assert timedelta(minutes=9) < left_to(processed(aws, rows, content)) < timedelta(minutes=11)


def test_without_a_choice_a_settled_upload_waits_for_a_day(choose: Choose, aws: cloud.Cloud, rows: Rows) -> None:
    choose()
    left = left_to(processed(aws, rows, pictures.a_jpeg(64, 64)))
    assert timedelta(hours=23, minutes=59) < left < timedelta(hours=24, minutes=1)


@pytest.mark.parametrize(("chosen", "last"), [("true", "master"), ("false", "icon")])
def test_whether_the_master_is_kept(choose: Choose, aws: cloud.Cloud, rows: Rows, chosen: str, last: str) -> None:
    choose(KEEP_MASTER=chosen)
    upload = processed(aws, rows, pictures.a_jpeg(64, 64))
    assert upload
    assert upload.derivatives[-1].name == last
    assert len(aws.keys(cloud.MEDIA_BUCKET)) == len(upload.derivatives)


@pytest.mark.parametrize(("chosen", "stored"), [("true", 5), ("false", 4)])
def test_whether_the_master_of_a_form_is_kept(
    choose: Choose, call: Call, aws: cloud.Cloud, chosen: str, stored: int
) -> None:
    choose(KEEP_MASTER=chosen)
    assert send(call, pictures.a_png(32, 32)).status == 200
    assert len(aws.keys(cloud.MEDIA_BUCKET)) == stored


def test_how_long_a_refused_picture_in_a_form_is_remembered(choose: Choose, call: Call, aws: cloud.Cloud) -> None:
    choose(SETTLED_TTL_SECONDS=600)
    assert send(call, pictures.a_png(8, 8)).status == 400
    [row] = [row for row in aws.rows(cloud.UPLOADS_TABLE) if "state" in row]
    assert 540 < int(row["expires_at"]["N"]) - utc_now().timestamp() < 660


@pytest.mark.parametrize(
    ("limit", "allowed"), [("OPEN_INTENTS", 1), ("INTENTS_PER_HOUR", 1), ("OPEN_INTENTS", 2), ("INTENTS_PER_HOUR", 2)]
)
def test_how_many_intents_a_user_has(choose: Choose, call: Call, limit: str, allowed: int) -> None:
    choose(**{limit: allowed})
    statuses = [call("create_upload_intent", headers={"Idempotency-Key": str(each)}).status for each in range(3)]
    assert statuses == [201] * allowed + [429] * (3 - allowed)


def test_how_many_pictures_an_hour_come_in_forms(choose: Choose, call: Call) -> None:
    choose(INTENTS_PER_HOUR=1)
    assert [send(call, pictures.a_png(64, 64)).status for _ in range(2)] == [200, 429]


def test_how_large_a_picture_in_a_form_may_be(choose: Choose, call: Call) -> None:
    picture = pictures.a_png(64, 64)
    choose(AVATAR_MAX_BYTES=len(picture))
    assert send(call, picture).status == 200
    choose(AVATAR_MAX_BYTES=len(picture) - 1)
    assert send(call, picture).status == 413


@pytest.mark.parametrize(
    ("slot", "parameter"), [("avatar", "AVATAR_MAX_BYTES"), ("coverImage", "COVER_IMAGE_MAX_BYTES")]
)
def test_each_slot_has_its_own_limit(choose: Choose, call: Call, slot: str, parameter: str) -> None:
    choose(**{parameter: 2000})
    body = {"slot": slot, "contentType": "image/png", "contentLength": 2001}
    assert call("create_upload_intent", body, headers={"Idempotency-Key": "a"}).status == 413
    other = {**body, "slot": "avatar" if slot == "coverImage" else "coverImage"}
    assert call("create_upload_intent", other, headers={"Idempotency-Key": "b"}).status == 201


def test_how_long_a_grant_and_its_upload_last(choose: Choose, call: Call, aws: cloud.Cloud) -> None:
    choose(PENDING_TTL_SECONDS=120)
    call("create_upload_intent")
    [row] = [row for row in aws.rows(cloud.UPLOADS_TABLE) if "state" in row]
    assert 60 < int(row["expires_at"]["N"]) - utc_now().timestamp() <= 121
