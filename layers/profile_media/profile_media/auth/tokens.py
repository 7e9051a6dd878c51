"""The check of one bearer token: a signed JWT (RFC 7519) of one issuer, for this service.

The signature is checked with `cryptography` directly: with PyJWT, the authorizer's imports would take 2.2 times as many
instructions (docs/decisions/0027). The tests compare this code with PyJWT and joserfc on generated tokens.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from profile_media.auth.algorithms import ALGORITHMS
from profile_media.auth.encoding import decode_base64url, parse_json_object
from profile_media.auth.key_set import KID, Key
from profile_media.auth.policy import ClaimsCheck, Refusal, TokenPolicy, TokenRefused, Verified

MAX_TOKEN = 8192
"""Characters; API Gateway accepts headers of 10 KB altogether."""

_TYPES = ("jwt", "at+jwt", "application/at+jwt")
"""The last two are RFC 9068's for access tokens."""

_BEARER = re.compile(r"(?i:bearer) ([A-Za-z0-9_.-]+)", re.ASCII)


class Keys(Protocol):
    """The issuer's keys."""

    def find(self, kid: str) -> Key | None:
        """Return the key with this id, or None if the issuer has none."""


def bearer_token(authorization: object) -> str:
    """Return the token of an Authorization header; raise TokenRefused unless it is one scheme, one space, one token.

    A proxy joins repeated headers with a comma, which no token contains: two services can never read different tokens.
    """
    if not isinstance(authorization, str):
        raise TokenRefused(Refusal.NOT_BEARER)
    if len(authorization) > MAX_TOKEN + len("Bearer "):
        raise TokenRefused(Refusal.TOO_LONG)
    match = _BEARER.fullmatch(authorization)
    if match is None:
        raise TokenRefused(Refusal.NOT_BEARER)
    return match[1]


class TokenVerifier:
    """Accepts tokens that one issuer signed for this service. The clock returns seconds since the epoch."""

    def __init__(self, keys: Keys, policy: TokenPolicy, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._claims = ClaimsCheck(policy)
        self._clock = clock

    def verify(self, token: str) -> Verified:
        """Return what the token says about its bearer; raise TokenRefused, or what `keys` raises without a key set."""
        # Stops a client from making this service parse megabytes.
        if len(token) > MAX_TOKEN:
            raise TokenRefused(Refusal.TOO_LONG)
        # Five parts would be an encrypted token, and other numbers have no meaning: nobody signed those.
        parts = token.split(".")
        if len(parts) != 3:
            raise TokenRefused(Refusal.MALFORMED)
        # Parse all parts before looking for the key: malformed tokens must not cause requests to the issuer.
        header, claims, signature = _parse(parts[0]), _parse(parts[1]), _decode(parts[2])
        key = self._key(header)
        # Stops everybody but the issuer from writing tokens. It covers the bytes as they were sent.
        signed = f"{parts[0]}.{parts[1]}".encode()
        if not ALGORITHMS[header["alg"]].verifies(key.public, signed, signature):
            raise TokenRefused(Refusal.SIGNATURE)
        return self._claims.accept(claims, self._clock(), key.issuer)

    def _key(self, header: Mapping[str, Any]) -> Key:
        """Return the issuer's key that the header names.

        Keys in the header, or URLs of keys (jwk, jku, x5c, x5u), are ignored: an attacker would send one of their own.
        """
        # Stops tokens that mean something else to a reader who knows the extensions listed in `crit`, or who reads the
        # claims without base64url (`b64`): this service knows neither.
        if "crit" in header or header.get("b64", True) is not True:
            raise TokenRefused(Refusal.CRITICAL)
        # Stops unsigned tokens (`none`) and those signed with the public key as an HMAC secret (`HS256`).
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise TokenRefused(Refusal.ALGORITHM)
        # Stops other things that the issuer signs, such as logout tokens and DPoP proofs.
        kind = header.get("typ", "JWT")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise TokenRefused(Refusal.TYPE)
        # Stops key ids that are paths or SQL for some other reader, and tokens that would fit several keys.
        kid = header.get("kid")
        if not isinstance(kid, str) or not KID.fullmatch(kid):
            raise TokenRefused(Refusal.KEY_ID)
        key = self._keys.find(kid)
        if key is None:
            raise TokenRefused(Refusal.UNKNOWN_KEY)
        # Stops a token from choosing another algorithm than the issuer uses with this key.
        if algorithm not in key.algorithms:
            raise TokenRefused(Refusal.ALGORITHM)
        return key


def _decode(part: str) -> bytes:
    """Stop tokens that have several spellings (`encoding.decode_base64url`)."""
    try:
        return decode_base64url(part)
    except ValueError:
        raise TokenRefused(Refusal.MALFORMED) from None


def _parse(part: str) -> Mapping[str, Any]:
    """Stop tokens that two parsers read differently (`encoding.parse_json_object`)."""
    try:
        return parse_json_object(_decode(part))
    except ValueError:
        raise TokenRefused(Refusal.MALFORMED) from None
