"""Write the files with which SAM CLI runs functions in containers against the running stack.

`sam-env.json` has the functions' variables, `sam-parameters.yaml` the template's parameters, and `aws-config`, which
the AWS CLI reads as well, the region, the endpoint and the credentials. docs/local.md has the commands.
"""

import json
import platform
from collections.abc import Mapping
from pathlib import Path

import yaml

from tools.local import aws
from tools.local.addresses import Addresses
from tools.local.serving import HOST
from tools.template import Template

CONTAINER_HOST = "host.docker.internal"
"""How a container calls the machine that it runs on."""


def write_files(folder: Path, template: Template, addresses: Addresses) -> None:
    """Write the three files."""
    (folder / "sam-env.json").write_text(json.dumps(variables(template, addresses), indent=2) + "\n")
    (folder / "sam-parameters.yaml").write_text(yaml.safe_dump(parameters(template)))
    (folder / "aws-config").write_text(_aws_config(addresses))


def variables(template: Template, addresses: Addresses) -> dict[str, dict[str, str]]:
    """Return the variables that the template declares for each function, which are all that SAM CLI overrides."""
    return {
        logical_id: {
            name: _seen_from_container(name, value, addresses)
            for name, value in function.environment.items()
            if name in template.functions[logical_id].environment
        }
        for logical_id, function in addresses.functions(template).items()
    }


def parameters(template: Template) -> Mapping[str, str]:
    """Return the template's parameters, and this machine's architecture for containers."""
    return {**template.parameters, "Architecture": "x86_64" if platform.machine() == "x86_64" else "arm64"}


def _seen_from_container(name: str, value: str, addresses: Addresses) -> str:
    """Replace the host where the function connects. Addresses that browsers use, and the issuer's name, stay."""
    if name == "TOKEN_JWKS_URL":
        return value.replace(HOST, CONTAINER_HOST)
    return value.replace(addresses.aws, addresses.aws.replace(HOST, CONTAINER_HOST))


def _aws_config(addresses: Addresses) -> str:
    return f"""[default]
region = {aws.REGION}
endpoint_url = {addresses.aws}
aws_access_key_id = {aws.CREDENTIALS["access_key_id"]}
aws_secret_access_key = {aws.CREDENTIALS["secret_access_key"]}
"""
