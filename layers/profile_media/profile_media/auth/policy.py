"""Which claims make a token acceptable here, as the operator configured them."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from math import ceil
from typing import Any, NamedTuple

from profile_media.auth.claims import IDENTITY_CLAIMS, IdentityClaims, find_claim, is_time, read_identity

MAX_SUBJECT = 255
"""Bytes. OpenID Connect's limit counts ASCII characters; counting bytes keeps every object key under S3's 1,024."""

LEEWAY_SECONDS = 30
"""How far the issuer's clock and ours may be apart. Only this module knows it: `Verified.exp` includes it."""

ISSUER_TENANT = "{tenantid}"
"""Stands in Entra's issuers for the tenant's id, which tokens have in the claim `tid` as well."""

ANY_TENANT = "*"

_TENANT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_REQUIRED = ("exp", "iss", "sub")


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
    REFUSED_CLAIM = "refused_claim"
    TENANT = "tenant"


class TokenRefused(Exception):
    """The token is not trusted. The exception carries nothing of the token."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class Verified(NamedTuple):
    """The facts that a trusted token states about its bearer."""

    sub: str
    exp: int
    """When the token stops being accepted, the leeway included, in seconds since the epoch."""
    admin: bool
    tenant: str | None = None
    """None if the deployment has no tenants."""
    identity: str = "{}"
    """The profile's fields as JSON (`http.identity`): names and addresses of a person, never to be logged."""


class NamedClaim(NamedTuple):
    """A claim and the value it must have, which operators write as `name=value`."""

    name: str
    value: str | None = None
    """None for any value."""
    is_prefix: bool = False
    """Whether the claim only has to start with the value."""

    @classmethod
    def parse(cls, text: str) -> "NamedClaim | None":
        """Return None for the empty text; raise ValueError if a half is missing. A value may contain `=`."""
        name, equals, value = text.partition("=")
        if text and not (name and equals and value):
            raise ValueError("a claim is configured that is not name=value")
        return cls(name, value) if text else None

    def equals(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the claim is exactly this text, starts with it, or is present if any value is allowed."""
        claim = find_claim(claims, self.name)
        if self.value is None:
            return claim is not None
        return isinstance(claim, str) and (claim.startswith(self.value) if self.is_prefix else claim == self.value)

    def includes(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the value is in the claim: in a list, a text of words such as `scope`, or a flag."""
        claim = find_claim(claims, self.name)
        if isinstance(claim, str):
            return self.value in claim.split(" ")
        if isinstance(claim, list):
            return self.value in claim
        return claim is True and self.value == "true"


class TokenPolicy(NamedTuple):
    """Which tokens are accepted: the identity provider's preset and the operator's choices."""

    issuer: str
    """The `iss` claim, which may contain ISSUER_TENANT."""
    audiences: tuple[str, ...]
    audience_claims: tuple[str, ...] = ("aud",)
    """One of these claims has to contain one of the audiences."""
    required_claims: tuple[NamedClaim, ...] = ()
    """One of them must be there, if there are any. They tell access tokens from other tokens of the same issuer."""
    refused_claims: tuple[NamedClaim, ...] = ()
    """None of them may be there."""
    admin_claim: NamedClaim | None = None
    """Makes its bearer an administrator."""
    tenant_claim: str = ""
    """Name of the claim that identifies the bearer's tenant; empty if there are no tenants."""
    issuer_tenants: tuple[str, ...] = ()
    """The tenants whose tokens are accepted, if the issuer contains ISSUER_TENANT; ANY_TENANT for all."""
    identity_claims: IdentityClaims = IDENTITY_CLAIMS


class ClaimsCheck:
    """Accepts the claims of a correctly signed token, or refuses them.

    Raises ValueError for a policy that would accept tokens of any issuer or for any audience.
    """

    def __init__(self, policy: TokenPolicy) -> None:
        if not (policy.issuer and policy.audiences and all(policy.audiences) and policy.audience_claims):
            raise ValueError("an issuer and an audience are needed")
        if (ISSUER_TENANT in policy.issuer) != bool(policy.issuer_tenants):
            raise ValueError(f"a list of tenants is needed with {ISSUER_TENANT} in the issuer, and only then")
        self._policy = policy

    def accept(self, claims: Mapping[str, Any], now: float, key_issuer: str = "") -> Verified:
        """Return what the claims say about the bearer; raise TokenRefused."""
        policy = self._policy
        # A claim that is missing could not be checked: a token without `exp`, say, would never expire.
        audiences = [claim for name in policy.audience_claims if (claim := find_claim(claims, name)) is not None]
        if not audiences or any(name not in claims for name in _REQUIRED):
            raise TokenRefused(Refusal.CLAIM_MISSING)
        expires = _check_times(claims, now)
        # Stops tokens of another issuer or tenant that publishes the same keys.
        if not self._is_from_issuer(claims, key_issuer):
            raise TokenRefused(Refusal.ISSUER)
        # Stops another service, which received the user's token, from using it here.
        if not any(_contains_one(claim, policy.audiences) for claim in audiences):
            raise TokenRefused(Refusal.AUDIENCE)
        # Stops subjects that hide characters in a log or an object key.
        if not _is_name(claims["sub"]):
            raise TokenRefused(Refusal.SUBJECT)
        # Stops token ids that a revocation list could not compare.
        if not isinstance(claims.get("jti", ""), str):
            raise TokenRefused(Refusal.MALFORMED)
        # Stops ID tokens, which the issuer signs with the same key, from being used as access tokens.
        if policy.required_claims and not _has_one(policy.required_claims, claims):
            raise TokenRefused(Refusal.REQUIRED_CLAIM)
        if _has_one(policy.refused_claims, claims):
            raise TokenRefused(Refusal.REFUSED_CLAIM)
        admin = policy.admin_claim is not None and policy.admin_claim.includes(claims)
        identity = read_identity(claims, policy.identity_claims)
        return Verified(claims["sub"], expires, admin, self._tenant(claims), identity)

    def _is_from_issuer(self, claims: Mapping[str, Any], key_issuer: str) -> bool:
        """Tell whether our issuer, or the tenant's, issued the token and owns the key that signed it.

        Entra publishes the keys of all tenants in one set. Without comparing all four (`iss`, `tid`, the key's issuer
        and the list), a tenant that is not on the list could issue tokens for one that is.
        """
        policy = self._policy
        if ISSUER_TENANT not in policy.issuer:
            return bool(claims["iss"] == policy.issuer)
        tenant = claims.get("tid")
        if not isinstance(tenant, str) or not _TENANT_ID.fullmatch(tenant):
            return False
        issuer = policy.issuer.replace(ISSUER_TENANT, tenant)
        is_allowed = tenant in policy.issuer_tenants or ANY_TENANT in policy.issuer_tenants
        owns_key = not key_issuer or key_issuer.replace(ISSUER_TENANT, tenant) == issuer
        return is_allowed and owns_key and claims["iss"] == issuer

    def _tenant(self, claims: Mapping[str, Any]) -> str | None:
        """Return the bearer's tenant. Without this refusal, all tokens without a tenant would share one."""
        if not self._policy.tenant_claim:
            return None
        tenant = find_claim(claims, self._policy.tenant_claim)
        if not _is_name(tenant):
            raise TokenRefused(Refusal.TENANT)
        return str(tenant)


def _has_one(wanted: Iterable[NamedClaim], claims: Mapping[str, Any]) -> bool:
    return any(claim.equals(claims) for claim in wanted)


def _contains_one(claim: object, audiences: tuple[str, ...]) -> bool:
    """Tell whether the claim is one of the audiences, or a list of texts with one of them."""
    named = claim if isinstance(claim, list) else [claim]
    return all(isinstance(one, str) for one in named) and any(one in audiences for one in named)


def _check_times(claims: Mapping[str, Any], now: float) -> int:
    """Return when the token stops being accepted. Refuse tokens outside their time, so that a stolen one expires."""
    times = [claims["exp"], claims.get("iat", 0), claims.get("nbf", 0)]
    if not all(map(is_time, times)):
        raise TokenRefused(Refusal.TIME_INVALID)
    expires: int = ceil(times[0]) + LEEWAY_SECONDS
    issued, starts = times[1:]
    if expires <= now:
        raise TokenRefused(Refusal.EXPIRED)
    if starts - LEEWAY_SECONDS > now:
        raise TokenRefused(Refusal.NOT_YET_VALID)
    if issued - LEEWAY_SECONDS > now:
        raise TokenRefused(Refusal.ISSUED_LATER)
    return expires


def _is_name(name: object) -> bool:
    """Tell whether it can be a user or a tenant: printable, short enough, and not half of a surrogate pair."""
    return isinstance(name, str) and name.isprintable() and 0 < len(name.encode()) <= MAX_SUBJECT
