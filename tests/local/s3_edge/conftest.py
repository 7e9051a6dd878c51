"""An edge over moto, in this process and without a socket, with a clock that stands still."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Protocol
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
    TEMPORARY_KEY,
    TOKEN,
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


class Readable(Protocol):
    """What a server hands over as a request's body."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""


@dataclass
class Edge:
    """The edge and what lies behind it."""

    client: Client
    s3: "S3Client"
    now: datetime = NOW

    def post(self, form: Form, headers: Mapping[str, str] | None = None) -> TestResponse:
        """Sends a form, from a page that may."""
        return self.post_body(form.body(), headers=headers)

    def post_body(
        self, body: bytes, headers: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> TestResponse:
        """Sends any bytes as a form."""
        return self.post_stream(BytesIO(body), str(len(body)), headers, content_type)

    def post_stream(
        self,
        stream: Readable,
        length: str | None,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> TestResponse:
        """Sends whatever a server could hand over as a request's body."""
        environ = {
            "CONTENT_TYPE": content_type or f"multipart/form-data; boundary={BOUNDARY}",
            "CONTENT_LENGTH": length,
            "wsgi.input": stream,
        }
        sent = {name: value for name, value in environ.items() if value is not None}
        return self.client.post(f"/{UPLOADS}", headers={"Origin": ORIGIN, **(headers or {})}, environ_overrides=sent)

    def stored(self) -> dict[str, bytes]:
        """Everything in the uploads bucket."""
        listed = self.s3.list_objects_v2(Bucket=UPLOADS).get("Contents", [])
        return {entry["Key"]: self.s3.get_object(Bucket=UPLOADS, Key=entry["Key"])["Body"].read() for entry in listed}


def document(response: TestResponse) -> dict[str, str]:
    """The elements of an XML answer, in order, the root's name first."""
    assert response.content_type == "application/xml"
    root = ElementTree.fromstring(response.data)  # noqa: S314 - the edge's own
    return {"": root.tag, **{element.tag: element.text or "" for element in root}}


@pytest.fixture(scope="module")
def shared_edge() -> Iterator[Edge]:
    with mock_aws():
        s3 = boto3.client(
            "s3", region_name=REGION, aws_access_key_id="behind-the-edge", aws_secret_access_key="not the signer's"
        )
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
            credentials={ACCESS_KEY: SECRET, TEMPORARY_KEY: SECRET},
            session_tokens={TEMPORARY_KEY: TOKEN},
            region=REGION,
            public_url=PUBLIC_URL,
            media_headers=MEDIA_HEADERS,
            now=lambda: made.now,
        )
        made = Edge(Client(app), s3)
        yield made


@pytest.fixture
def edge(shared_edge: Edge, socket_disabled: None) -> Iterator[Edge]:
    """The module's edge, its uploads bucket empty and its clock at NOW."""
    shared_edge.now = NOW
    yield shared_edge
    for key in shared_edge.stored():
        shared_edge.s3.delete_object(Bucket=UPLOADS, Key=key)
