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
    token_jwks_url: str = ""
    token_required_claim: str = ""
    """`name=value`, or empty; distinguishes access tokens from other tokens of the same issuer."""
    tenant_claim: str = ""
    """The claim that separates tenants; empty if there are no tenants."""
    admin_claim: str = "scope=profile-media:admin"
    """`name=value`, or empty for no administrators."""
    certificate_authorities: str = ""
    """A folder of certificate authorities by OpenSSL's subject hash; empty for the system's."""
    jwks_allow_loopback: bool = False
    """Allow an http issuer on 127.0.0.1, for the local stack."""

    @property
    def jwks_url(self) -> str:
        """The URL of the issuer's key set."""
        return self.token_jwks_url or self.token_issuer.rstrip("/") + "/.well-known/jwks.json"


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
