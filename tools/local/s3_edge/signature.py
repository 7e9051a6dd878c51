"""Verify the Signature Version 4 of a POST policy.

The signed text is the policy in base64, as received: nothing in it is decoded before its signature is verified.
See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import Refusal, bad_argument, denied, missing_field

ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNATURE_FIELDS = ("X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date")
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Keys:
    """The access keys that may sign, by id. `session_tokens` has the token of each temporary key."""

    credentials: Mapping[str, str] = field(repr=False)
    region: str
    session_tokens: Mapping[str, str] = field(default_factory=dict, repr=False)


def signing_key(secret: str, date: str, region: str) -> bytes:
    """Derive the signing key of one day and region. `date` is YYYYMMDD."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), sha256)
    return key


def sign(secret: str, date: str, region: str, policy: str) -> str:
    """Sign a base64 policy."""
    return hmac.new(signing_key(secret, date, region), policy.encode(), sha256).hexdigest()


def verify(fields: Fields, keys: Keys) -> None:
    """Check who signed the policy, for which day and region, and the signature. Raise Refusal if any is wrong."""
    _check_presence(fields)
    values = {name: fields.get(name) or "" for name in (*_SIGNATURE_FIELDS, "policy")}
    if values["X-Amz-Algorithm"] != ALGORITHM:
        raise bad_argument(f'X-Amz-Algorithm only supports "{ALGORITHM}"', "X-Amz-Algorithm", values["X-Amz-Algorithm"])
    if not _DATE.fullmatch(values["X-Amz-Date"]):
        raise bad_argument("X-Amz-Date must be formated via ISO8601 Long format", "X-Amz-Date", values["X-Amz-Date"])
    date = values["X-Amz-Date"][:8]
    access_key, _, scope = values["X-Amz-Credential"].partition("/")
    if scope != (expected := f"{date}/{keys.region}/s3/aws4_request"):
        message = f'the Credential is mal-formed; expecting "<YOUR-AKID>/{expected}".'
        raise bad_argument(message, "X-Amz-Credential", values["X-Amz-Credential"])
    secret = keys.credentials.get(access_key)
    if secret is None:
        message = "The AWS Access Key Id you provided does not exist in our records."
        raise Refusal(403, "InvalidAccessKeyId", message, AWSAccessKeyId=access_key)
    if fields.get("x-amz-security-token") != keys.session_tokens.get(access_key):
        raise Refusal(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
    signature = sign(secret, date, keys.region, values["policy"])
    if not hmac.compare_digest(signature.encode(), values["X-Amz-Signature"].encode()):
        message = (
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method."
        )
        raise Refusal(403, "SignatureDoesNotMatch", message, AWSAccessKeyId=access_key)


def _check_presence(fields: Fields) -> None:
    """Refuse a form that lacks some of the signature's fields. A form that lacks all of them is anonymous: 403."""
    if not any(name in fields for name in _SIGNATURE_FIELDS):
        raise denied()
    for name in (*_SIGNATURE_FIELDS, "policy"):
        if name not in fields:
            raise missing_field(name)
