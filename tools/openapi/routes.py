"""Read from the template what the OpenAPI document needs: the routes, and API Gateway's own answers."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tools import template
from tools.template import ROOT, Route

CORRELATION_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
"""The correlation id of the examples; the sample events have the same."""

_NO_ROUTE = {"MISSING_AUTHENTICATION_TOKEN", "RESOURCE_NOT_FOUND"}
"""The gateway responses for an unknown path or method. No route can answer with them."""

_DEPLOYED = {"Api": "abc123", "Region": "eu-central-1", "URLSuffix": "amazonaws.com"}
"""Example values of a deployment, as in the sample events."""


def routes() -> list[Route]:
    """Return the routes in the template's order, without the preflights."""
    return [route for route in template.read().routes if route.method != "OPTIONS"]


def default_authorizer() -> str:
    """Return the name of the API's authorizer."""
    return str(template.read().api.properties["Auth"]["DefaultAuthorizer"])


def gateway_answers() -> Mapping[str, Mapping[str, Any]]:
    """Return the gateway's own answers: example bodies by name, by status; status `4XX` is any other one."""
    answers: dict[str, dict[str, Any]] = {}
    for name, response in template.read().api.properties["GatewayResponses"].items():
        if name not in _NO_ROUTE:
            same = answers.setdefault(str(response.get("StatusCode", name.removeprefix("DEFAULT_"))), {})
            body = response["ResponseTemplates"]["application/json"].replace("$context.requestId", CORRELATION_ID)
            if (example := json.loads(body)) not in same.values():
                same[f"gateway.{name.lower()}"] = example
    return answers


def server() -> Mapping[str, Any]:
    """Return the server entry: the output `ApiUrl` without an own domain, with a variable for each value in it."""
    document = template.written()
    output = document["Outputs"]["ApiUrl"]
    *_, without_domain = output["Value"]["Fn::If"]
    pattern = without_domain["Fn::Sub"]
    names = re.findall(r"\$\{(?:AWS::)?(\w+)\}", pattern)
    values = template.read().parameters | _DEPLOYED
    return {
        "url": re.sub(r"\$\{(?:AWS::)?(\w+)\}", r"{\1}", pattern),
        "description": output["Description"],
        "variables": {name: {"default": values[name]} for name in names},
    }


def sample_event(folder: str) -> Mapping[str, Any]:
    """Return the sample event of a function, from `events/`."""
    event: Mapping[str, Any] = json.loads((ROOT / "events" / f"{folder}.json").read_text())
    return event
