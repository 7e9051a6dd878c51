"""The identity providers with a preset, as one table of issuers, keys and claims from their documents.

docs/identity-providers/ has a page per provider, with the sources.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from profile_media.auth.claims import IDENTITY_CLAIMS, IdentityClaims
from profile_media.auth.policy import ISSUER_TENANT, NamedClaim

PRESET = "preset"
"""In a setting whose empty text means "none", this text means the provider's own value."""


class Provider(NamedTuple):
    """One preset."""

    issuer: str
    """The form of the issuer, a regular expression whose group is the base of `jwks_url`."""
    example: str
    jwks_url: str = "{}/.well-known/jwks.json"
    audience_claims: tuple[str, ...] = ("aud",)
    required_claims: tuple[NamedClaim, ...] = ()
    """One of these tells access tokens from ID tokens."""
    refused_claims: tuple[NamedClaim, ...] = ()
    admin_claim: str = "scope=profile-media:admin"
    identity_claims: IdentityClaims = IDENTITY_CLAIMS

    def key_set_url(self, issuer: str) -> str:
        """Return the URL of the issuer's keys. Raise ValueError if the issuer does not have the provider's form."""
        match = re.fullmatch(self.issuer, issuer)
        if match is None:
            raise ValueError(f"the issuer does not have the provider's form, such as {self.example}")
        return self.jwks_url.format(match[1]).replace(ISSUER_TENANT, "common")


def named_claim(chosen: str, preset: tuple[NamedClaim, ...]) -> tuple[NamedClaim, ...]:
    """Return the operator's `name=value`, or the preset's claims if that is empty."""
    claim = NamedClaim.parse(chosen)
    return preset if claim is None else (claim,)


def identity_claims(chosen: str, preset: IdentityClaims) -> IdentityClaims:
    """Return the preset with the operator's `field=claim,…`. Raise ValueError for an unknown field."""
    pairs = [pair.partition("=") for pair in split(chosen)]
    if not all(field in preset and claim for field, _, claim in pairs):
        raise ValueError(f"claims of the profile are written field=claim, with the fields {', '.join(preset)}")
    return {**preset, **{field: (claim,) for field, _, claim in pairs}}


def split(text: str) -> tuple[str, ...]:
    """Return the items of a list that is separated by commas."""
    return tuple(item for item in map(str.strip, text.split(",")) if item)


def find_provider(name: str) -> Provider:
    """Return the preset of this name. Raise ValueError if there is none."""
    try:
        return PROVIDERS[name]
    except KeyError:
        raise ValueError(f"there is no preset of this name; there are {', '.join(PROVIDERS)}") from None


def _but(**names: tuple[str, ...]) -> IdentityClaims:
    """Return the claims of OpenID Connect with these differences."""
    return MappingProxyType({**IDENTITY_CLAIMS, **names})


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        "auth0": Provider(
            issuer=r"(https://[^/]+)/",
            example="https://example.eu.auth0.com/",
            identity_claims=_but(username=("preferred_username", "nickname")),
        ),
        # `azp` is the origin of the page in session tokens; OAuth tokens have `client_id` instead, and machines' tokens
        # the `aud` that was asked for.
        "clerk": Provider(
            issuer=r"(https://.*[^/])",
            example="https://clerk.example.com",
            audience_claims=("azp", "client_id", "aud"),
            required_claims=(NamedClaim("sid"), NamedClaim("client_id"), NamedClaim("sub", "mch_", is_prefix=True)),
            # ID tokens have the first two. A pending session has not finished the sign-in.
            refused_claims=(NamedClaim("at_hash"), NamedClaim("nonce"), NamedClaim("sts", "pending")),
        ),
        "cognito": Provider(
            issuer=r"(https://[^/]+/[a-z0-9-]+_[A-Za-z0-9]+)",
            example="https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI",
            audience_claims=("client_id",),
            required_claims=(NamedClaim("token_use", "access"),),
            admin_claim="scope=profile-media/admin",
            identity_claims=_but(username=("preferred_username", "username"), role=("role", "cognito:groups")),
        ),
        # Access tokens of version 2 have `azp`, those of version 1 `appid`; ID tokens have neither.
        "entra": Provider(
            issuer=r"(https://[^/]+/[^/]+)/v2\.0",
            example="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0",
            jwks_url="{}/discovery/v2.0/keys",
            required_claims=(NamedClaim("azp"), NamedClaim("appid")),
            admin_claim="roles=profile-media.admin",
            identity_claims=_but(email_verified=("xms_edov",)),
        ),
        # Firebase has ID tokens only. They have no given name and no family name.
        "firebase": Provider(
            issuer=r"(https://securetoken\.google\.com/[^/]+)",
            example="https://securetoken.google.com/my-project",
            jwks_url="https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
            admin_claim="profile_media_admin=true",
            identity_claims=_but(first_name=("given_name", "name")),
        ),
        # `aud` is absent, or `account`, unless an audience mapper is configured.
        "keycloak": Provider(
            issuer=r"(https://.+/realms/[^/]+)",
            example="https://id.example.com/realms/my-realm",
            jwks_url="{}/protocol/openid-connect/certs",
            audience_claims=("azp", "aud"),
            required_claims=(NamedClaim("typ", "Bearer"),),
        ),
        # Tokens of the organization's own server cannot be verified by others; hence a custom server is required.
        "okta": Provider(
            issuer=r"(https://[^/]+/oauth2/[^/]+)",
            example="https://example.okta.com/oauth2/default",
            jwks_url="{}/v1/keys",
            required_claims=(NamedClaim("cid"),),
            admin_claim="scp=profile-media:admin",
        ),
        # Users can write `user_metadata`, but not `app_metadata`. `email_verified` is in the former, so it is not read.
        "supabase": Provider(
            issuer=r"(https://.+/auth/v1)",
            example="https://my-project.supabase.co/auth/v1",
            required_claims=(NamedClaim("role", "authenticated"),),
            admin_claim="app_metadata.profile_media_admin=true",
            identity_claims=_but(
                email_verified=(),
                first_name=("user_metadata.given_name", "user_metadata.full_name", "user_metadata.name"),
                last_name=("user_metadata.family_name",),
                phone_number=("phone",),
                username=("user_metadata.preferred_username", "user_metadata.user_name"),
                picture_url=("user_metadata.avatar_url", "user_metadata.picture"),
                role=("app_metadata.role",),
            ),
        ),
        "custom": Provider(issuer=r"(.+?)/?", example="https://issuer.example.com/"),
    }
)
