"""Which claims make a token acceptable here, as the operator configured them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from profile_media.auth.claims import LATEST, read_identity

MAX_SUBJECT = 255
"""Bytes. OpenID Connect's limit counts ASCII characters; counting bytes keeps every object key under S3's 1,024."""

LEEWAY_SECONDS = 30
"""How far the issuer's clock and ours may be apart."""

_REQUIRED = ("exp", "iat", "iss", "aud", "sub")


class Refusal(StrEnum):
    """Why a token was refused: a closed list for the log. The caller only learns that it was."""

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
    """The token is not trusted. The exception carries nothing of the token."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class Verified(NamedTuple):
    """What a trusted token says about its bearer."""

    sub: str
    exp: int
    """Seconds since the epoch."""
    admin: bool
    tenant: str | None = None
    """None if the deployment has no tenants."""
    identity: str = "{}"
    """The profile's fields as JSON (`http.identity`): names and addresses of a person, never to be logged."""


class NamedClaim(NamedTuple):
    """A claim and the value it must have, which operators write as `name=value`."""

    name: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "NamedClaim | None":
        """Return None for the empty text; raise ValueError if a half is missing. A value may contain `=`."""
        name, equals, value = text.partition("=")
        if text and not (name and equals and value):
            raise ValueError("a claim is configured that is not name=value")
        return cls(name, value) if text else None

    def equals(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the claim is exactly this text."""
        return bool(claims.get(self.name) == self.value)

    def includes(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the value is in the claim: in a list, a text of words such as `scope`, or a flag."""
        claim = claims.get(self.name)
        if isinstance(claim, str):
            return self.value in claim.split(" ")
        if isinstance(claim, list):
            return self.value in claim
        return claim is True and self.value == "true"


class TokenPolicy(NamedTuple):
    """The operator's choices; claims are written `name=value`, or empty for none."""

    issuer: str
    audience: str
    required_claim: str = ""
    """The claim must be exactly this text. It tells access tokens from other tokens of the same issuer."""
    admin_claim: str = ""
    """Makes its bearer an administrator."""
    tenant_claim: str = ""
    """Name of the claim that identifies the bearer's tenant; empty if there are no tenants."""


class ClaimsCheck:
    """Accepts the claims of a correctly signed token, or refuses them.

    Raises ValueError for a policy that would accept tokens of any issuer or for any audience.
    """

    def __init__(self, policy: TokenPolicy) -> None:
        if not policy.issuer or not policy.audience:
            raise ValueError("an issuer and an audience are needed")
        self._policy = policy
        self._required_claim = NamedClaim.parse(policy.required_claim)
        self._admin_claim = NamedClaim.parse(policy.admin_claim)

    def accept(self, claims: Mapping[str, Any], now: float) -> Verified:
        """Return what the claims say about the bearer; raise TokenRefused."""
        # A claim that is missing could not be checked: a token without `exp`, say, would never expire.
        if any(name not in claims for name in _REQUIRED):
            raise TokenRefused(Refusal.CLAIM_MISSING)
        _check_times(claims, now)
        # Stops tokens of another issuer or tenant that publishes the same keys.
        if claims["iss"] != self._policy.issuer:
            raise TokenRefused(Refusal.ISSUER)
        # Stops another service, which received the user's token, from using it here.
        if not self._is_for_us(claims["aud"]):
            raise TokenRefused(Refusal.AUDIENCE)
        # Stops subjects that hide characters in a log or an object key.
        if not _is_name(claims["sub"]):
            raise TokenRefused(Refusal.SUBJECT)
        # Stops token ids that a revocation list could not compare.
        if not isinstance(claims.get("jti", ""), str):
            raise TokenRefused(Refusal.MALFORMED)
        # Stops ID tokens, which the issuer signs with the same key, from being used as access tokens.
        if self._required_claim and not self._required_claim.equals(claims):
            raise TokenRefused(Refusal.REQUIRED_CLAIM)
        admin = self._admin_claim is not None and self._admin_claim.includes(claims)
        return Verified(claims["sub"], claims["exp"], admin, self._tenant(claims), read_identity(claims))

    def _is_for_us(self, audience: object) -> bool:
        if isinstance(audience, list):
            return self._policy.audience in audience and all(isinstance(one, str) for one in audience)
        return bool(audience == self._policy.audience)

    def _tenant(self, claims: Mapping[str, Any]) -> str | None:
        """Return the bearer's tenant. Without this refusal, all tokens without a tenant would share one."""
        if not self._policy.tenant_claim:
            return None
        tenant = claims.get(self._policy.tenant_claim)
        if not _is_name(tenant):
            raise TokenRefused(Refusal.TENANT)
        return str(tenant)


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    """Refuse tokens outside their time: a stolen token is then of use only until it expires."""
    times = [claims["exp"], claims["iat"], claims.get("nbf", 0)]
    # RFC 7519 allows fractions, but no large issuer sends them. Refusing them refuses 1e400, NaN and rounding as well.
    if not all(type(seconds) is int and 0 <= seconds <= LATEST for seconds in times):
        raise TokenRefused(Refusal.TIME_INVALID)
    expires, issued, starts = times
    if expires + LEEWAY_SECONDS <= now:
        raise TokenRefused(Refusal.EXPIRED)
    if starts - LEEWAY_SECONDS > now:
        raise TokenRefused(Refusal.NOT_YET_VALID)
    if issued - LEEWAY_SECONDS > now:
        raise TokenRefused(Refusal.ISSUED_LATER)


def _is_name(name: object) -> bool:
    """Tell whether it can be a user or a tenant: printable, short enough, and not half of a surrogate pair."""
    return isinstance(name, str) and name.isprintable() and 0 < len(name.encode()) <= MAX_SUBJECT
