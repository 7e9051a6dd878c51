"""Decide whether S3 would accept a browser's POST, in S3's order of checks.

required fields                        400; 403 if the form has no part of a signature
signature over the policy's text       403; 400 for a wrong credential or date
policy document                        400
expiry, conditions, uncovered fields   403
number of bytes, checksum              400, once the file has arrived
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.policy import SizeRange, parse_policy
from tools.local.s3_edge.refusal import Refusal, bad_argument, missing_field, too_large, too_small
from tools.local.s3_edge.signature import Keys, verify

CHECKSUM = "x-amz-checksum-sha256"
_CHECKSUM_TEXT = re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII)
_HEADER_TEXT = re.compile(r"[\x20-\x7e]*")
_KNOWN = frozenset(
    {
        *("key", "bucket", "policy", "content-type", "success_action_status", CHECKSUM),
        *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"),
    }
)
"""The fields that this service signs."""


@dataclass(frozen=True, slots=True)
class Permission:
    """The object that a form may store."""

    key: str
    stored: Mapping[str, str]
    """Parameters of `PutObject`, besides bucket, key and body."""
    size: SizeRange
    status: str | None
    """The field `success_action_status`."""

    def check_content(self, content: IO[bytes], size: int) -> None:
        """Compare the file with the policy's size range and with the form's checksum. Raise Refusal (400)."""
        if size > self.size.largest:
            raise too_large(size, self.size.largest)
        if size < self.size.smallest:
            raise too_small(size, self.size.smallest)
        expected = self.stored.get("ChecksumSHA256")
        content.seek(0)
        if expected and b64encode(hashlib.sha256(content.read()).digest()).decode() != expected:
            raise Refusal(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")


def evaluate(fields: Fields, filename: str | None, *, bucket: str, keys: Keys, now: datetime) -> Permission:
    """Check the fields that precede the file. Raise Refusal with S3's answer."""
    fields = fields.with_filename(filename)
    key = fields.get("key")
    if key is None:
        raise missing_field("key")
    verify(fields, keys)
    policy = parse_policy(fields.get("policy") or "")
    policy.check(fields, bucket, now)
    if not key:
        raise bad_argument("User key must have a length greater than 0.", "key", "")
    return Permission(key, _stored(fields), policy.size, fields.get("success_action_status"))


def _stored(fields: Fields) -> dict[str, str]:
    for name, field in fields:
        if name not in _KNOWN and not name.startswith("x-ignore-"):
            raise Refusal(501, "NotImplemented", f"The local S3 does not implement the field {field.name}.")
    content_type = fields.get("content-type") or "binary/octet-stream"
    if not _HEADER_TEXT.fullmatch(content_type):
        raise bad_argument("The value is not a valid header.", "Content-Type", content_type)
    checksum = fields.get(CHECKSUM)
    if checksum is None:
        return {"ContentType": content_type}
    if not _CHECKSUM_TEXT.fullmatch(checksum):
        raise Refusal(400, "InvalidRequest", f"Value for {CHECKSUM} header is invalid.")
    return {"ContentType": content_type, "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": checksum}
