"""The addresses of a stack's parts, and what follows from them: template parameters and the functions' variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.local import aws
from tools.local.imitations import IMITATIONS
from tools.local.issuer import AUDIENCE
from tools.local.origins import add_origins
from tools.local.runner import Function, functions_of
from tools.local.serving import HOST
from tools.template import Template


@dataclass(frozen=True)
class Addresses:
    """Base URLs of the parts, without a slash at the end."""

    api: str
    page: str
    edge: str
    issuer: str
    aws: str

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Addresses":
        """Return the addresses of a running stack."""
        return cls(state["api"], state["page"], state["media"], state["issuer"], state["aws_endpoint"])

    def local_parameters(self, provider: str = "custom") -> dict[str, str]:
        """Return template parameters for this machine, with the issuer that is imitated. `--params` overrides them."""
        imitation = IMITATIONS.get(provider)
        return {
            "TokenIssuer": imitation.issuer if imitation else self.issuer,
            "TokenAudience": imitation.audience if imitation else AUDIENCE,
            "TokenJwksUrl": f"{self.issuer}/.well-known/jwks.json",
            "AllowedOrigins": f"{self.page},{self.page.replace(HOST, 'localhost')}",
            "MediaBaseUrl": self.edge,
            # Long enough to see that a replaced picture is still served, short enough to see its deletion.
            "PurgeDelaySeconds": "10",
            "AccountConcurrency": "1000",  # polls may wait for seconds
        }

    def given_parameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the developer's parameters, with the page's own origins added to the allowed ones."""
        if "AllowedOrigins" not in given:
            return dict(given)
        own = self.local_parameters()["AllowedOrigins"]
        return {**given, "AllowedOrigins": add_origins(own, given["AllowedOrigins"])}

    def functions(self, template: Template) -> dict[str, Function]:
        """Return the template's functions with the variables that they need here, by logical id."""
        added = {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ACCESS_KEY_ID": aws.CREDENTIALS["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": aws.CREDENTIALS["secret_access_key"],
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "JWKS_ALLOW_LOOPBACK": "true",
        }
        replaced = {
            "UPLOADS_URL": f"{self.edge}/{template.name('UploadsBucket')}",
            # The file is in a layer, and the local AWS has no TLS.
            "AWS_CA_BUNDLE": None,
        }
        return functions_of(template, added, replaced)
