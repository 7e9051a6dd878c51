"""Build browser forms, signed by botocore, which shares no code with the server that verifies them."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from botocore.auth import S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCESS_KEY = "AKIAEXAMPLEEXAMPLE00"
SECRET = "a secret that signs"
REGION: Final = "eu-central-1"
UPLOADS = "uploads-bucket"
MEDIA = "media-bucket"
ORIGIN = "https://app.example.com"
PUBLIC_URL = "http://127.0.0.1:9001"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SIGNED_AT = "20260304T050507Z"
BOUNDARY = "boundary-of-the-test"
CONTENT = b"0123456789"


def expiry(seconds: float) -> str:
    """Return an expiration, `seconds` after NOW."""
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def sign(policy: str, *, secret: str = SECRET, signed_at: str = SIGNED_AT, region: str = REGION) -> str:
    """Sign a base64 policy with botocore."""
    request = AWSRequest()
    request.context["timestamp"] = signed_at
    signer = S3SigV4PostAuth(Credentials(ACCESS_KEY, secret), "s3", region)
    return str(signer.signature(policy, request))


@dataclass(frozen=True)
class Form:
    """A signed form and later changes to it. Without arguments the server accepts it."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """Fields besides the key, each with an `eq` condition."""
    key: str = "incoming/owner/upload"
    file: bytes = CONTENT
    filename: str | None = "photo.png"
    conditions: Sequence[object] = ()
    """Conditions besides those of the fields."""
    uncovered: Sequence[str] = ()
    """Fields, or `bucket`, without a condition."""
    expiration: object = expiry(300)
    document: object = None
    """Replaces the policy. A string is used as it is."""
    encoded: str | None = None
    """Replaces the policy's base64."""
    secret: str = SECRET
    access_key: str = ACCESS_KEY
    signed_at: str = SIGNED_AT
    region: str = REGION
    token: str | None = None
    bucket: str = UPLOADS
    change: Mapping[str, str | None] = field(default_factory=dict)
    """Fields changed after signing; None removes a field."""
    before: Sequence[tuple[str, str]] = ()
    """Unsigned fields before the others."""
    after: Sequence[tuple[str, str]] = ()
    """Fields after the file."""
    file_name: str = "file"
    """Name of the file's part."""

    def signed_fields(self) -> dict[str, str]:
        """Return the fields that a presigner returns."""
        fields = {
            "key": self.key,
            **self.fields,
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "x-amz-credential": f"{self.access_key}/{self.signed_at[:8]}/{self.region}/s3/aws4_request",
            "x-amz-date": self.signed_at,
        }
        if self.token is not None:
            fields["x-amz-security-token"] = self.token
        document = self._document(fields)
        text = document if isinstance(document, str) else json.dumps(document)
        policy = self.encoded if self.encoded is not None else b64encode(text.encode()).decode()
        signature = sign(policy, secret=self.secret, signed_at=self.signed_at, region=self.region)
        return {**fields, "policy": policy, "x-amz-signature": signature}

    def _document(self, fields: Mapping[str, str]) -> object:
        if self.document is not None:
            return self.document
        covered = {"bucket": self.bucket, **fields}
        conditions = [{name: value} for name, value in covered.items() if name not in self.uncovered]
        return {"expiration": self.expiration, "conditions": [*conditions, *self.conditions]}

    def sent_fields(self) -> list[tuple[str, str]]:
        """Return the fields before the file, as the browser sends them."""
        changed = {**self.signed_fields(), **self.change}
        return [*self.before, *((name, value) for name, value in changed.items() if value is not None)]

    def body(self) -> bytes:
        """Return the request's body."""
        parts = [part(name, value.encode()) for name, value in self.sent_fields()]
        parts.append(part(self.file_name, self.file, self.filename))
        parts += [part(name, value.encode()) for name, value in self.after]
        return closed(parts)


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    """Return one part of a multipart body."""
    named = f'; filename="{filename}"' if filename is not None else ""
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + value + b"\r\n"


def closed(parts: Sequence[bytes]) -> bytes:
    """Join parts and append the closing boundary."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
