"""Signature Version 4 of a POST policy: who signed it, for where, and whether they did.

The signed text is the policy as it was received, in base64; nothing of it is decoded before its signature is verified.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import Refusal, bad_argument, bad_request, denied, forbidden, missing_field

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "s3"
TERMINAL = "aws4_request"

_PARTS = ("X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date")
_VERSION_2 = ("AWSAccessKeyId", "Signature")
_LONG_DATE = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Keys:
    """The access keys that may sign, with their secrets; `session_tokens` has the token of each temporary one."""

    credentials: Mapping[str, str] = field(repr=False)
    region: str
    session_tokens: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Credential:
    """The parts of an `x-amz-credential` field."""

    access_key: str
    date: str
    region: str
    service: str
    terminal: str
    text: str


def signing_key(secret: str, date: str, region: str) -> bytes:
    """The key of one day in one region; `date` is written YYYYMMDD."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, SERVICE, TERMINAL):
        key = hmac.digest(key, part.encode(), sha256)
    return key


def sign(secret: str, date: str, region: str, policy: str) -> str:
    """The signature of a policy, which is in base64."""
    return hmac.new(signing_key(secret, date, region), policy.encode(), sha256).hexdigest()


def verify(fields: Fields, keys: Keys) -> tuple[str, datetime]:
    """The policy as received and the time it was signed, if the signature is right; raises Refusal otherwise."""
    policy, signature = _required(fields)
    credential = _credential(fields.get("x-amz-credential") or "")
    signed_at = _signed_at(fields.get("x-amz-date") or "")
    _check_scope(credential, fields.get("x-amz-date") or "", keys.region)
    secret = keys.credentials.get(credential.access_key)
    if secret is None:
        raise _unknown_key(credential.access_key)
    _check_token(fields.get("x-amz-security-token"), credential.access_key, keys.session_tokens)
    expected = sign(secret, credential.date, credential.region, policy)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise _mismatch(credential.access_key, policy, signature)
    return policy, signed_at


def _required(fields: Fields) -> tuple[str, str]:
    """The policy and its signature. A form with no part of a signature is a stranger's; with some, it is a mistake."""
    if not any(name in fields for name in _PARTS):
        raise _version_2(fields) if any(name in fields for name in _VERSION_2) else denied()
    for name in _PARTS:
        if name not in fields:
            raise missing_field(name)
    policy = fields.get("policy")
    if policy is None:
        raise missing_field("policy")
    algorithm = fields.get("x-amz-algorithm") or ""
    if algorithm != ALGORITHM:
        raise bad_argument(f'X-Amz-Algorithm only supports "{ALGORITHM}"', "X-Amz-Algorithm", algorithm)
    return policy, fields.get("x-amz-signature") or ""


def _version_2(fields: Fields) -> Refusal:
    """The older signatures: S3 refuses them in every region opened since 2014, so nothing may come to rely on them."""
    for name in _VERSION_2:
        if name not in fields:
            return missing_field(name)
    message = f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}."
    return bad_request("InvalidRequest", message)


def _credential(text: str) -> _Credential:
    match text.rsplit("/", 4):
        case ["", _, _, _, _]:
            raise _bad_credential("a non-empty Access Key (AKID) must be provided in the credential.", text)
        case [access_key, date, region, service, terminal]:
            return _Credential(access_key, date, region, service, terminal, text)
    expecting = f"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/{TERMINAL}"
    raise _bad_credential(f'the Credential is mal-formed; expecting "{expecting}".', text)


def _signed_at(text: str) -> datetime:
    try:
        # strptime alone would take shorter numbers, too.
        if re.fullmatch(r"\d{8}T\d{6}Z", text, re.ASCII):
            return datetime.strptime(text, _LONG_DATE).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise bad_argument("X-Amz-Date must be formated via ISO8601 Long format", "X-Amz-Date", text)


def _check_scope(credential: _Credential, signed_at: str, region: str) -> None:
    """Whether the credential is for this day, this service and this region."""
    if credential.date != signed_at[:8]:
        raise _bad_credential(f'incorrect date "{credential.date}". It must be the day of X-Amz-Date.', credential.text)
    if credential.service != SERVICE:
        message = f'incorrect service "{credential.service}". This endpoint belongs to "{SERVICE}".'
        raise _bad_credential(message, credential.text)
    if credential.terminal != TERMINAL:
        message = f'incorrect terminal "{credential.terminal}". This endpoint uses "{TERMINAL}".'
        raise _bad_credential(message, credential.text)
    if credential.region != region:
        message = f"the region '{credential.region}' is wrong; expecting '{region}'"
        raise _bad_credential(message, credential.text, Region=region)


def _bad_credential(message: str, text: str, **details: str) -> Refusal:
    return bad_argument(message, "X-Amz-Credential", text, **details)


def _unknown_key(access_key: str) -> Refusal:
    message = "The AWS Access Key Id you provided does not exist in our records."
    return forbidden("InvalidAccessKeyId", message, AWSAccessKeyId=access_key)


def _check_token(token: str | None, access_key: str, session_tokens: Mapping[str, str]) -> None:
    """A temporary key is no key without its token, and a lasting one has none."""
    expected = session_tokens.get(access_key)
    if expected is not None and token is None:
        raise _unknown_key(access_key)
    if token is not None and (expected is None or not hmac.compare_digest(expected.encode(), token.encode())):
        raise bad_request("InvalidToken", "The provided token is malformed or otherwise invalid.", **{"Token-0": token})


def _mismatch(access_key: str, policy: str, signature: str) -> Refusal:
    return forbidden(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
        AWSAccessKeyId=access_key,
        StringToSign=policy,
        SignatureProvided=signature,
        StringToSignBytes=policy.encode().hex(" "),
    )
