"""Reads the endpoints and API Gateway's own answers from the template."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
CORRELATION_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
"""The request id in the examples and in the sample events."""

_ELSEWHERE = {"MISSING_AUTHENTICATION_TOKEN", "RESOURCE_NOT_FOUND"}
"""Answers for paths and methods that do not exist, so no operation has them."""

_UNDECLARED = {"Api": "abc123", "Region": "eu-central-1", "URLSuffix": "amazonaws.com"}
"""Values that only a deployment knows, as in the sample events."""


@dataclass(frozen=True)
class Route:
    """One method of one path."""

    function: str
    """The folder."""
    method: str
    path: str
    public: bool


def routes() -> list[Route]:
    """Return all endpoints except preflights, in the template's order."""
    found = [
        Route(
            Path(function["CodeUri"]).name, api["Method"], api["Path"], api.get("Auth", {}).get("Authorizer") == "NONE"
        )
        for function in _of_type("AWS::Serverless::Function")
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api" and (api := event["Properties"])
    ]
    return [route for route in found if route.method != "OPTIONS"]


def default_authorizer() -> str:
    """Return the template's name of the default authorizer."""
    return str(_api()["Auth"]["DefaultAuthorizer"])


def gateway_answers() -> Mapping[str, Mapping[str, Any]]:
    """Return API Gateway's own error bodies by status and name; `4XX` is for all other client errors."""
    answers: dict[str, dict[str, Any]] = {}
    for name, response in _api()["GatewayResponses"].items():
        if name not in _ELSEWHERE:
            same = answers.setdefault(str(response.get("StatusCode", name.removeprefix("DEFAULT_"))), {})
            body = response["ResponseTemplates"]["application/json"].replace("$context.requestId", CORRELATION_ID)
            if (example := json.loads(body)) not in same.values():
                same[f"gateway.{name.lower()}"] = example
    return answers


def server() -> Mapping[str, Any]:
    """Return the server's URL from the template's output, with variables for what only a deployment knows."""
    document = _template()
    pattern = document["Outputs"]["ApiUrl"]["Value"]["Fn::Sub"]
    names = re.findall(r"\$\{(?:AWS::)?(\w+)\}", pattern)
    declared = {name: str(body["Default"]) for name, body in document["Parameters"].items() if "Default" in body}
    return {
        "url": re.sub(r"\$\{(?:AWS::)?(\w+)\}", r"{\1}", pattern),
        "description": document["Outputs"]["ApiUrl"]["Description"],
        "variables": {name: {"default": (declared | _UNDECLARED)[name]} for name in names},
    }


def sample_event(function: str) -> Mapping[str, Any]:
    """Return the function's sample event in `events/`."""
    event: Mapping[str, Any] = json.loads((ROOT / "events" / f"{function}.json").read_text())
    return event


@cache
def _template() -> dict[str, Any]:
    document: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return document


def _of_type(type_: str) -> list[dict[str, Any]]:
    return [body["Properties"] for body in _template()["Resources"].values() if body["Type"] == type_]


def _api() -> dict[str, Any]:
    (api,) = _of_type("AWS::Serverless::Api")
    return api
