"""The settings of the authorizer: a plain dataclass, because importing pydantic would double its cold start."""

import os
from dataclasses import MISSING, dataclass, fields


class SettingInvalid(Exception):
    """A variable is missing or has no valid value: the deployment is wrong."""


@dataclass(frozen=True)
class AuthorizerSettings:
    """Which tokens are accepted. A field's name in upper case is its environment variable."""

    token_issuer: str
    token_audience: str
    """A list, separated by commas."""
    identity_provider: str = "custom"
    """The preset, which gives the values of the settings that are empty."""
    token_jwks_url: str = ""
    token_audience_claim: str = ""
    """Names of claims, separated by commas."""
    token_required_claim: str = ""
    """`name=value`; distinguishes access tokens from other tokens of the same issuer."""
    token_tenants: str = ""
    """The tenants of an issuer that contains `{tenantid}`, separated by commas."""
    profile_claims: str = ""
    """`field=claim`, separated by commas."""
    tenant_claim: str = ""
    """The claim that separates tenants; empty if there are no tenants."""
    admin_claim: str = "preset"
    """`name=value`, `preset` for the preset's, or empty for no administrators."""
    certificate_authorities: str = ""
    """A folder of certificate authorities by OpenSSL's subject hash; empty for the system's."""
    jwks_allow_loopback: bool = False
    """Allow an http issuer on 127.0.0.1, for the local stack."""
    powertools_metrics_namespace: str = "ProfileMedia"
    """The namespace and, below, the dimensions of the metric of refusals, which are those of the other functions."""
    powertools_service_name: str = "profile-media"
    stack_name: str = "stack_undefined"


def load() -> AuthorizerSettings:
    """Read the settings from the environment. Raises SettingInvalid with the name of the variable, not its value."""
    values: dict[str, str | bool] = {}
    for field in fields(AuthorizerSettings):
        text = os.environ.get(field.name.upper())
        if text:
            values[field.name] = _parse(field.name, text) if field.type is bool else text
        elif field.default is MISSING:
            raise SettingInvalid(f"{field.name.upper()} is not set")
        elif text == "" and field.type is str:
            values[field.name] = ""  # an empty text is a choice
    return AuthorizerSettings(**values)  # type: ignore[arg-type]  # each value has the type of its field


def _parse(name: str, text: str) -> bool:
    try:
        return {"true": True, "false": False}[text]
    except KeyError:
        raise SettingInvalid(f"{name.upper()} is neither true nor false") from None
