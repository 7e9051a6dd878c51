"""Whether S3 would take a browser's POST: every check that comes before the file's bytes, in S3's order.

the fields that must be there          400, or 403 where nothing of a signature is
the signature over the policy's text   403, and 400 for a credential that is not for here
the policy as a document               400
its expiry, its conditions, coverage   403
what the fields say of the object      400
(then, once the bytes are in)          400 for their number or their checksum
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO
from urllib.parse import quote, urlencode

from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.policy import SizeRange, parse_policy
from tools.local.s3_edge.properties import Properties, check_key, read_properties
from tools.local.s3_edge.refusal import against_policy, missing_field, too_large, too_small
from tools.local.s3_edge.signature import Keys, verify

SIGNATURE_LIFETIME = timedelta(days=7)
"""How long a signing key is good for, whatever expiry a policy names."""

_REDIRECT = re.compile(r"https?://[\x21-\x7e]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Permission:
    """What a form may store, and how its sender wants to hear of it."""

    properties: Properties
    size: SizeRange
    status: str | None
    redirect: str | None

    def check_content(self, content: IO[bytes], size: int) -> None:
        """Holds the file against the policy's range and the form's checksums; raises Refusal with 400."""
        if size > self.size.largest:
            raise too_large(size, self.size.largest)
        if size < self.size.smallest:
            raise too_small(size, self.size.smallest)
        self.properties.verify(content)

    def redirect_to(self, bucket: str, etag: str) -> str | None:
        """Where to send the browser after success; None unless the form names a place S3 can make sense of."""
        if self.redirect is None or not _REDIRECT.fullmatch(self.redirect):
            return None
        query = urlencode({"bucket": bucket, "key": self.properties.key, "etag": etag})
        return f"{self.redirect}{'&' if '?' in self.redirect else '?'}{query}"


def evaluate(fields: Fields, filename: str | None, *, bucket: str, keys: Keys, now: datetime) -> Permission:
    """Reads the fields that came before the file; raises Refusal with the answer S3 would give."""
    fields = fields.with_filename(filename)
    key = fields.get("key")
    if key is None:
        raise missing_field("key")
    text, signed_at = verify(fields, keys)
    policy = parse_policy(text)
    if now - signed_at > SIGNATURE_LIFETIME:
        raise against_policy("Policy expired.")
    size = policy.check(fields, bucket, now)
    check_key(key)
    return Permission(
        read_properties(fields),
        size,
        fields.get("success_action_status"),
        fields.get("success_action_redirect") or fields.get("redirect"),
    )


def object_path(key: str) -> str:
    """A key as S3 writes it into a `Location`: one path segment, its slashes encoded, too."""
    return quote(key, safe="")
