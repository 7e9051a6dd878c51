"""Decides whether a bearer token is to be believed, and whose it is.

Signatures are checked with `cryptography` directly. PyJWT was measured and left out: with it, all that the authorizer
imports is 0.42 of the cold-start baseline (in instructions, the interpreter's own start taken off both), and it may
spend 0.30; without it, 0.25. What PyJWT would add to the two signature checks is below, stricter. The tests keep it as
a peer.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, Protocol

from profile_media.auth.claims import LATEST, identity_of
from profile_media.auth.jwks import KID, Key, decode_base64url

MAX_TOKEN = 8192
"""Characters; API Gateway takes headers of 10 KB in all."""

MAX_SUBJECT = 255
"""Bytes. OpenID Connect's limit, which counts ASCII; counting bytes keeps every object key within S3's 1,024."""

LEEWAY_SECONDS = 30
"""How far the issuer's clock and ours may be apart."""

_ALGORITHMS = ("RS256", "ES256")
_TYPES = ("jwt", "at+jwt")
_REQUIRED = ("exp", "iat", "iss", "aud", "sub")
_BEARER = re.compile(r"(?i:bearer) ([A-Za-z0-9_.-]+)", re.ASCII)


class Refusal(StrEnum):
    """Why a token was refused: a closed list for the log. The caller is told only that it was."""

    NOT_BEARER = "not_bearer"
    TOO_LONG = "too_long"
    MALFORMED = "malformed"
    CRITICAL = "critical"
    ALGORITHM = "algorithm"
    TYPE = "type"
    KEY_ID = "key_id"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    CLAIM_MISSING = "claim_missing"
    TIME_INVALID = "time_invalid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ISSUED_LATER = "issued_later"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    SUBJECT = "subject"
    REQUIRED_CLAIM = "required_claim"
    TENANT = "tenant"


class TokenRefused(Exception):
    """The token is not to be believed; carries nothing of it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class Verified(NamedTuple):
    """What a believed token says of its bearer."""

    sub: str
    exp: int
    """Seconds since the epoch."""
    admin: bool
    tenant: str | None = None
    """None where tenants are not kept apart."""
    identity: str = "{}"
    """JSON of the profile's fields; names and addresses of a person, so it is for nobody's log."""


class TokenPolicy(NamedTuple):
    """Which tokens are believed; claims are written `name=value`, empty for none."""

    issuer: str
    audience: str
    required_claim: str = ""
    """Tells access tokens from what else the issuer signs; the claim must be that very text."""
    admin_claim: str = ""
    """Makes an administrator of who has it."""
    tenant_claim: str = ""
    """The name of the claim that says whose customer the bearer is; empty where there are no tenants."""


class Keys(Protocol):
    """The issuer's keys."""

    def find(self, kid: str) -> Key | None:
        """The key of that id; None where the issuer has none."""


class NamedClaim(NamedTuple):
    """A claim and the value it must have, as an operator writes them: `name=value`."""

    name: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "NamedClaim | None":
        """None for the empty text; raises ValueError where a half is missing. A value may hold `=`, a name may not."""
        name, equals, value = text.partition("=")
        if text and not (name and equals and value):
            raise ValueError("a claim is configured that is not name=value")
        return cls(name, value) if text else None

    def equals(self, claims: Mapping[str, Any]) -> bool:
        """Whether the claim is that very text."""
        return bool(claims.get(self.name) == self.value)

    def includes(self, claims: Mapping[str, Any]) -> bool:
        """Whether the claim has the value among others: in a list, in a text of words as `scope` is, or as a flag."""
        claim = claims.get(self.name)
        if isinstance(claim, str):
            return self.value in claim.split(" ")
        if isinstance(claim, list):
            return self.value in claim
        return claim is True and self.value == "true"


def bearer_token(authorization: object) -> str:
    """The token of an Authorization header; raises TokenRefused unless the header is one scheme, one space, one token.

    A proxy that joins two headers puts a comma between them, which no token holds.
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
    """Believes the tokens that one issuer signed for one audience.

    The clock gives seconds since the epoch. Raises ValueError for a policy that would believe too much or nothing.
    """

    def __init__(self, keys: Keys, policy: TokenPolicy, clock: Callable[[], float] = time.time) -> None:
        if not policy.issuer or not policy.audience:
            raise ValueError("an issuer and an audience are needed")
        self._keys = keys
        self._policy = policy
        self._required_claim = NamedClaim.parse(policy.required_claim)
        self._admin_claim = NamedClaim.parse(policy.admin_claim)
        self._clock = clock

    def verify(self, token: str) -> Verified:
        """Who bears it; raises TokenRefused, and what `keys` raises when it cannot tell."""
        if len(token) > MAX_TOKEN:
            raise TokenRefused(Refusal.TOO_LONG)
        parts = token.split(".")
        if len(parts) != 3:
            raise TokenRefused(Refusal.MALFORMED)
        # All parts are read first: what cannot be a token is not worth a fetch.
        header, claims, signature = _parse_object(parts[0]), _parse_object(parts[1]), _decode(parts[2])
        if not self._key(header).verifies(f"{parts[0]}.{parts[1]}".encode(), signature):
            raise TokenRefused(Refusal.SIGNATURE)
        return self._believe(claims)

    def _key(self, header: Mapping[str, Any]) -> Key:
        """The key the header names; keys and URLs of keys that it brings (jwk, jku, x5c, x5u) are never looked at."""
        if "crit" in header:  # demands extensions to be understood, and there is none that we do
            raise TokenRefused(Refusal.CRITICAL)
        if header.get("alg") not in _ALGORITHMS:
            raise TokenRefused(Refusal.ALGORITHM)
        kind = header.get("typ", "JWT")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise TokenRefused(Refusal.TYPE)
        kid = header.get("kid")
        if not isinstance(kid, str) or not KID.fullmatch(kid):
            raise TokenRefused(Refusal.KEY_ID)
        key = self._keys.find(kid)
        if key is None:
            raise TokenRefused(Refusal.UNKNOWN_KEY)
        if key.algorithm != header["alg"]:  # the key decides, so no key can be used the way another kind is
            raise TokenRefused(Refusal.ALGORITHM)
        return key

    def _believe(self, claims: Mapping[str, Any]) -> Verified:
        if any(name not in claims for name in _REQUIRED):
            raise TokenRefused(Refusal.CLAIM_MISSING)
        self._check_times(claims)
        if claims["iss"] != self._policy.issuer:
            raise TokenRefused(Refusal.ISSUER)
        if not self._is_audience(claims["aud"]):
            raise TokenRefused(Refusal.AUDIENCE)
        if not _is_name(claims["sub"]):
            raise TokenRefused(Refusal.SUBJECT)
        if self._required_claim and not self._required_claim.equals(claims):
            raise TokenRefused(Refusal.REQUIRED_CLAIM)
        admin = self._admin_claim is not None and self._admin_claim.includes(claims)
        return Verified(claims["sub"], claims["exp"], admin, self._tenant(claims), identity_of(claims))

    def _tenant(self, claims: Mapping[str, Any]) -> str | None:
        """Whoever has no tenant would be of the same one as everybody else without: such tokens are refused."""
        if not self._policy.tenant_claim:
            return None
        tenant = claims.get(self._policy.tenant_claim)
        if not _is_name(tenant):
            raise TokenRefused(Refusal.TENANT)
        return str(tenant)

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        times = [claims["exp"], claims["iat"], claims.get("nbf", 0)]
        # The RFC allows fractions; no large issuer sends them, and with them come 1e400, NaN and rounding.
        if not all(type(seconds) is int and 0 <= seconds <= LATEST for seconds in times):
            raise TokenRefused(Refusal.TIME_INVALID)
        expires, issued, starts = times
        if expires + LEEWAY_SECONDS <= now:
            raise TokenRefused(Refusal.EXPIRED)
        if starts - LEEWAY_SECONDS > now:
            raise TokenRefused(Refusal.NOT_YET_VALID)
        if issued - LEEWAY_SECONDS > now:
            raise TokenRefused(Refusal.ISSUED_LATER)

    def _is_audience(self, audience: object) -> bool:
        if isinstance(audience, list):
            return self._policy.audience in audience and all(isinstance(one, str) for one in audience)
        return bool(audience == self._policy.audience)


def _is_name(name: object) -> bool:
    """Whether it can be an owner or a tenant: printable, so nothing hides in a log, and no half of a surrogate pair."""
    return isinstance(name, str) and name.isprintable() and 0 < len(name.encode()) <= MAX_SUBJECT


def _decode(part: str) -> bytes:
    try:
        return decode_base64url(part)
    except ValueError:
        raise TokenRefused(Refusal.MALFORMED) from None


def _parse_object(part: str) -> Mapping[str, Any]:
    try:
        parsed = _STRICT_JSON.decode(_decode(part).decode())
    except (ValueError, RecursionError):
        raise TokenRefused(Refusal.MALFORMED) from None
    if not isinstance(parsed, Mapping):
        raise TokenRefused(Refusal.MALFORMED)
    return parsed


def _only_once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    """An object whose names are all different: of two values, another reader may take the other one."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return MappingProxyType(members)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_STRICT_JSON = json.JSONDecoder(object_pairs_hook=_only_once, parse_constant=_no_constant)
