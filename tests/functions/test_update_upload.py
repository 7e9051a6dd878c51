"""PATCH /media/uploads/{uploadId}, and what an intent says of how its picture is shown."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from profile_media.domain.keys import incoming_key
from tests import cloud, pictures
from tests.builders import ADA, GRACE, an_id
from tests.functions.conftest import Answer, Call, Rows, an_event, run

UPDATE = "update_upload"
CROP = {"x": 10, "y": 20, "width": 100, "height": 120}


@pytest.fixture
def make(call: Call, aws: cloud.Cloud) -> Any:
    """Create an intent, store a picture of 640 x 480 and process it. Return the upload's id."""

    def _make(**more: object) -> str:
        picture = pictures.a_jpeg()
        body = {"slot": "avatar", "contentType": "image/jpeg", "contentLength": len(picture), **more}
        answer = call("create_upload_intent", body, headers={"Idempotency-Key": None})
        upload_id = str(answer.body["uploadId"])
        aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=incoming_key(ADA, upload_id), Body=picture)
        event = an_event("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = incoming_key(ADA, upload_id)
        run("process_upload", event)
        return upload_id

    return _make


def update(call: Call, upload_id: str, body: object) -> Answer:
    return call(UPDATE, body, pathParameters={"uploadId": upload_id})


def get(call: Call, upload_id: str) -> Any:
    return call("get_upload", pathParameters={"uploadId": upload_id}).body


def shown(aws: cloud.Cloud, view: Any) -> Image.Image:
    key = view["derivatives"]["full"]["url"].removeprefix(cloud.MEDIA_BASE_URL + "/")
    return Image.open(BytesIO(aws.s3.get_object(Bucket=cloud.MEDIA_BUCKET, Key=key)["Body"].read()))


def test_intent_with_crop_and_text_shows_them(call: Call, make: Any) -> None:
    view = get(call, make(crop=CROP, alt="  Ada at her desk "))
    assert (view["state"], view["crop"], view["alt"]) == ("ready", CROP, "Ada at her desk")
    assert view["thumbHash"]
    assert view["color"].startswith("#")
    assert "focus" not in view


def test_intent_with_crop_outside_of_picture_is_rejected(call: Call, make: Any) -> None:
    view = get(call, make(crop={**CROP, "x": 541}))
    assert (view["state"], view["reason"]["code"]) == ("rejected", "crop_outside")


def test_ready_upload_is_cropped_and_described(call: Call, make: Any, aws: cloud.Cloud) -> None:
    upload_id = make()
    before = get(call, upload_id)
    answer = update(call, upload_id, {"focus": {"x": 0, "y": 1}, "alt": "Ada"})
    assert answer.status == 200
    assert answer.body == get(call, upload_id)
    assert answer.body["focus"] == {"x": 0, "y": 1}
    assert answer.body["expiresAt"] == before["expiresAt"]
    assert answer.body["derivatives"]["full"]["url"] != before["derivatives"]["full"]["url"]
    assert shown(aws, answer.body).size == (512, 512)
    [message] = aws.messages()
    assert len(message["media_keys"]) == len(before["derivatives"])
    cleared = update(call, upload_id, {"crop": None, "focus": None, "alt": None}).body
    assert not {"crop", "focus", "alt"} & set(cleared)


def test_bound_upload_is_cropped_in_its_slot(call: Call, make: Any) -> None:
    upload_id = make(bind=True)
    answer = update(call, upload_id, {"crop": CROP, "alt": "Ada"})
    assert (answer.status, answer.body["state"]) == (200, "bound")
    avatar = call("get_profile").body["avatar"]
    for member in ("derivatives", "crop", "alt", "thumbHash", "color"):
        assert avatar[member] == answer.body[member]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "required"),
        ({"crop": CROP, "focus": {"x": 0, "y": 0}}, "exclude"),
        ({"crop": {**CROP, "width": 0}}, "crop.width"),
        ({"crop": {**CROP, "x": -1}}, "crop.x"),
        ({"crop": {**CROP, "x": 1.5}}, "crop.x"),
        ({"crop": {**CROP, "y": 1_000_001}}, "crop.y"),
        ({"crop": {"x": 1}}, "crop.y"),
        ({"focus": {"x": 1.01, "y": 0}}, "focus.x"),
        ({"focus": {"x": "0", "y": 0}}, "focus.x"),
        ({"alt": " "}, "alt"),
        ({"alt": "a" * 421}, "alt"),
        ({"alt": "a\nb"}, "alt"),
        ({"alt": "a\x7fb"}, "alt"),
        ({"alt_text": "a"}, "alt_text"),
    ],
)
def test_invalid_body_is_a_400(call: Call, rows: Rows, body: object, field: str) -> None:
    rows.ready()
    answer = update(call, an_id(1), body)
    assert (answer.status, answer.body["error"]["code"]) == (400, "REQUEST_INVALID")
    assert field in str(answer.body["error"]["details"])


def test_crop_outside_of_picture_is_a_422(call: Call, make: Any) -> None:
    upload_id = make()
    answer = update(call, upload_id, {"crop": {**CROP, "x": 541}})
    assert (answer.status, answer.body["error"]["code"]) == (422, "IMAGE_UNACCEPTABLE")
    assert answer.body["error"]["message"] == "The part to show lies outside of the picture."


def test_upload_without_master_is_a_409_for_crops_only(call: Call, rows: Rows) -> None:
    rows.bound()  # Its objects were never stored.
    answer = update(call, an_id(1), {"crop": CROP})
    assert (answer.status, answer.body["error"]["code"]) == (409, "CROP_UNAVAILABLE")
    assert update(call, an_id(1), {"alt": "Ada"}).body["alt"] == "Ada"


def test_pending_and_foreign_uploads_are_refused(call: Call, rows: Rows) -> None:
    rows.pending()
    rows.ready(owner_id=GRACE, upload_id=an_id(2))
    assert update(call, an_id(1), {"alt": "Ada"}).status == 409
    assert update(call, an_id(2), {"alt": "Ada"}).status == 404
    assert update(call, "1", {"alt": "Ada"}).status == 404
