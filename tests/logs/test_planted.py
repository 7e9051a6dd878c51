"""Plant secrets and personal data in requests and pictures, and check that none of it is logged."""

import json
from base64 import b64encode
from io import StringIO
from typing import Any

import pytest

from profile_media.domain.keys import incoming_key
from tests import cloud, pictures
from tests.builders import ADA, an_id
from tests.conftest import Logs
from tests.functions.conftest import Rows, an_event, run
from tests.log_scan import issued_signatures, problems
from tests.logs.test_injection import API_FUNCTIONS
from tests.tokens import a_token
from tests.unit.http.test_multipart import TYPE, a_form, a_part

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
    """Return a picture with a place, a camera and a comment in its metadata."""
    return pictures.a_jpeg(64, 48, exif=pictures.exif(place=True), comment=b"private remark")


def planted(name: str) -> dict[str, Any]:
    """Return the sample request with a token, a person's data and a picture."""
    event = an_event(name)
    event["headers"] |= {"Authorization": f"Bearer {a_token()}", "Cookie": f"session={a_token()}"}
    if "authorizer" in event["requestContext"]:
        event["requestContext"]["authorizer"]["identity"] = json.dumps(PERSON)
    if event["isBase64Encoded"]:
        event["headers"]["Content-Type"] = TYPE
        event["body"] = b64encode(a_form(a_part(a_telling_picture()))).decode()
    return event


@pytest.mark.parametrize("name", API_FUNCTIONS)
def test_api_function_logs_nothing_of_caller_picture_and_form(
    name: str, log_stream: StringIO, rows: Rows, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    rows.bound(owner_id=ADA)
    with caplog.at_level("INFO"):
        answers = [run(name, event) for event in (planted(name), {**planted(name), "body": "{"}, planted(name))]

    written = capsys.readouterr()
    lines = [line for line in (log_stream.getvalue() + written.out + written.err).split("\n") if line]
    signatures = set().union(*map(issued_signatures, answers))
    assert problems(lines, [record.getMessage() for record in caplog.records], signatures) == []
    assert answers[0]["statusCode"] < 500
    assert bool(signatures) == (name == "create_upload_intent")


@pytest.mark.usefixtures("checked_logs")
def test_process_upload_logs_nothing_of_picture(aws: cloud.Cloud, rows: Rows, logs: Logs) -> None:
    for number, content in enumerate((a_telling_picture(), a_telling_picture()[:-200], pictures.a_png(8, 8) * 2)):
        upload = rows.pending(upload_id=an_id(number), content_length=500_000)
        key = incoming_key(ADA, upload.upload_id)
        aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=content)
        event = an_event("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = key
        run("process_upload", event)

    assert [record["message"] for record in logs()].count("upload processed") == 3
