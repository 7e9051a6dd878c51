"""What is planted where it could leak from: who the caller is, where a picture was taken, and grants to upload."""

import json
from base64 import b64encode
from typing import Any

import pytest

from profile_media.domain.keys import incoming_key
from tests import cloud, pictures
from tests.assurance import Note
from tests.builders import ADA, an_id
from tests.functions.conftest import Rows, an_event, run
from tests.logbook import Listener
from tests.logs.test_injection import API_FUNCTIONS
from tests.tokens import a_token
from tests.unit.http.test_multipart import TYPE, a_form, a_part

pytestmark = pytest.mark.campaign("Logs")

PERSON = {
    "email": "ada.lovelace@example.com",
    "email_verified": True,
    "first_name": "Ada",
    "last_name": "Lovelace",
    "username": "Lovelace",
    "phone_number": "Lovelace 1",
    "picture_url": "https://example.com/Lovelace.png",
}


def a_telling_picture() -> bytes:
    """One that says where it was taken, with what, and more."""
    return pictures.a_jpeg(64, 48, exif=pictures.exif(place=True), comment=b"private remark")


def planted(name: str) -> dict[str, Any]:
    """The sample request of somebody who bears a token and has a name, with a picture if it takes one."""
    event = an_event(name)
    event["headers"] |= {"Authorization": f"Bearer {a_token()}", "Cookie": f"session={a_token()}"}
    if "authorizer" in event["requestContext"]:
        event["requestContext"]["authorizer"]["identity"] = json.dumps(PERSON)
    if event["isBase64Encoded"]:
        event["headers"]["Content-Type"] = TYPE
        event["body"] = b64encode(a_form(a_part(a_telling_picture()))).decode()
    return event


@pytest.mark.parametrize("name", API_FUNCTIONS)
def test_nothing_of_the_caller_or_the_picture_or_the_grant_is_logged(
    name: str, listener: Listener, rows: Rows, note: Note
) -> None:
    rows.bound(owner_id=ADA)
    answers = [run(name, event) for event in (planted(name), {**planted(name), "body": "{"}, planted(name))]

    assert list(listener.book.wrongs()) == []
    assert answers[0]["statusCode"] < 500
    if name == "create_upload_intent":
        assert len(listener.book.signatures) == 1  # the same intent twice
    note.add("requests with something planted", len(answers))


def test_nothing_of_a_processed_picture_is_logged(aws: cloud.Cloud, rows: Rows, listener: Listener, note: Note) -> None:
    for number, content in enumerate((a_telling_picture(), a_telling_picture()[:-200], pictures.a_png(8, 8) * 2)):
        upload = rows.pending(upload_id=an_id(number), content_length=500_000)
        key = incoming_key(ADA, upload.upload_id)
        aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=content)
        event = an_event("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = key
        run("process_upload", event)
        note.add("pictures with something planted")

    assert list(listener.book.wrongs()) == []
    assert sum("upload processed" in line for line, _ in listener.book.lines) == 3
