"""The S3 edge over moto, in this process, without a socket, at a fixed time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import boto3
import pytest
from moto import mock_aws
from werkzeug.test import Client, TestResponse

from tests.local.s3_edge.forms import (
    ACCESS_KEY,
    BOUNDARY,
    MEDIA,
    NOW,
    ORIGIN,
    PUBLIC_URL,
    REGION,
    SECRET,
    UPLOADS,
    Form,
)
from tools.local.s3_edge import create_app

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MEDIA_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
}


@dataclass
class Edge:
    """The server, and the S3 behind it."""

    client: Client
    s3: "S3Client"
    now: datetime = NOW

    def post(self, form: Form, origin: str = ORIGIN) -> TestResponse:
        """Send a form from a page."""
        return self.post_body(form.body(), origin=origin)

    def post_body(self, body: bytes, content_type: str | None = None, origin: str = ORIGIN) -> TestResponse:
        """Send any bytes as a form."""
        content_type = content_type or f"multipart/form-data; boundary={BOUNDARY}"
        return self.client.post(f"/{UPLOADS}", headers={"Origin": origin}, data=body, content_type=content_type)

    def stored(self) -> dict[str, bytes]:
        """Return every object in the uploads bucket."""
        listed = self.s3.list_objects_v2(Bucket=UPLOADS).get("Contents", [])
        return {entry["Key"]: self.s3.get_object(Bucket=UPLOADS, Key=entry["Key"])["Body"].read() for entry in listed}


def document(response: TestResponse) -> dict[str, str]:
    """Return the elements of an XML answer; the root's name has the key ''."""
    assert response.content_type == "application/xml"
    root = ElementTree.fromstring(response.data)  # noqa: S314 - the server's own XML
    return {"": root.tag, **{element.tag: element.text or "" for element in root}}


@pytest.fixture(scope="module")
def shared_edge() -> Iterator[Edge]:
    """One server for a module."""
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION, aws_access_key_id="local", aws_secret_access_key="local")
        for bucket in (UPLOADS, MEDIA):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_cors(
            Bucket=UPLOADS,
            CORSConfiguration={
                "CORSRules": [
                    {
                        "AllowedOrigins": [ORIGIN, "https://*.preview.example.com"],
                        "AllowedMethods": ["POST"],
                        "ExposeHeaders": ["ETag", "Location"],
                        "MaxAgeSeconds": 600,
                    },
                ]
            },
        )
        s3.put_object(
            Bucket=MEDIA,
            Key="media/upload/thumb-digest.webp",
            Body=b"a picture",
            ContentType="image/webp",
            CacheControl="public, max-age=31536000, immutable",
        )
        for key in ("private/secret", "media/../private/secret", "media/upload/", "media//upload/thumb-digest.webp"):
            s3.put_object(Bucket=MEDIA, Key=key, Body=b"not served")

        app = create_app(
            s3=s3,
            uploads_bucket=UPLOADS,
            media_bucket=MEDIA,
            credentials={ACCESS_KEY: SECRET},
            region=REGION,
            public_url=PUBLIC_URL,
            media_headers=MEDIA_HEADERS,
            now=lambda: made.now,
        )
        made = Edge(Client(app), s3)
        yield made


@pytest.fixture
def edge(shared_edge: Edge, socket_disabled: None) -> Iterator[Edge]:
    """The module's server with an empty uploads bucket, at NOW."""
    shared_edge.now = NOW
    yield shared_edge
    for key in shared_edge.stored():
        shared_edge.s3.delete_object(Bucket=UPLOADS, Key=key)
