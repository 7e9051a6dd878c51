"""The authorizer's policy in API Gateway's cache: it covers every route of the stage, no other API, and expires."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from functions.authorize.app import handler
from profile_media.auth.policy import LEEWAY_SECONDS
from profile_media.aws import settings
from profile_media.http import endpoint
from profile_media.http.envelope import unauthorized
from profile_media.wiring import authorization
from tests.functions.conftest import Call, an_event, run
from tests.rights import Usage, glob
from tests.template.document import FOLDERS, logical_id, properties, translated
from tests.tokens import AUDIENCE, ISSUER, a_jwks, a_token

KEPT = properties("Api")["Auth"]["Authorizers"]["BearerToken"]["Identity"]["ReauthorizeEvery"]
"""Seconds."""

ROUTES = [
    (method.upper(), path)
    for path, methods in translated()["Api"]["Properties"]["Body"]["paths"].items()
    for method, operation in methods.items()
    if {"BearerToken": []} in operation["security"]
]

FUNCTIONS = [
    folder
    for folder in FOLDERS
    if any(
        event["Type"] == "Api" and event["Properties"].get("Auth") != {"Authorizer": "NONE"}
        for event in properties(logical_id(folder)).get("Events", {}).values()
    )
]
"""The functions behind the authorizer."""

STAGES = [
    "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1",
    "arn:aws:execute-api:us-east-1:210987654321:1234567890/Prod",
    "arn:aws-cn:execute-api:cn-north-1:123456789012:a1b2c3d4e5/v_1",
    "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:zzzzzzzzzz/" + "s" * 128,
]

ELSEWHERE = [
    *((":execute-api:", ":execute-api:x"), ("execute-api", "lambda"), ("arn:aws", "arn:aws-iso")),
    *((":123456789012:", ":123456789013:"), (":210987654321:", ":21098765432:")),
    *((":a1b2c3d4e5/", ":a1b2c3d4e6/"), (":1234567890/", ":12345678901/"), (":zzzzzzzzzz/", ":zzzzzzzzz/")),
    *(("/v1", "/v10"), ("/v1", "/v"), ("/v1", "/V1"), ("/Prod", "/prod"), ("/v_1", "/v_2"), ("/sss", "/ss")),
]
"""Replacements that turn a stage's ARN into that of another stage or API."""

PARAMETERS = [
    *("ada", "auth0%7Cada", "auth0|ada", "*", "?", "[a-z]", "..", "%2e%2e%2f", "a b", "a+b", "\u00fc\u00df\U0001f4f7"),
    *("$context.stage", "${stageVariables.x}", "{user_id}", '"', "\\", "a\nb", "\u2028", "%00", "x" * 2000),
]
"""Values of path parameters."""

USERS: dict[str, dict[str, Any]] = {
    "a user": {},
    "an administrator": {"scope": "profile-media:admin"},
    "of a tenant": {"org_id": "acme"},
    "oddly named": {"sub": "*/*\u00fc${x}|[?]"},
}


def filled(path: str, parameter: str) -> str:
    """Return the path with its parameters replaced."""
    return re.sub(r"\{\w+\}", lambda _: parameter, path)


def arn(stage: str, route: tuple[str, str], parameter: str = "ada") -> str:
    """Return the ARN of a request."""
    return f"{stage}/{route[0]}{filled(route[1], parameter)}"


@dataclass
class Gateway:
    """API Gateway's authorizer cache: it keeps each answer for the token."""

    now: float = field(default_factory=time.time)
    asked: int = 0
    _kept: dict[str, tuple[dict[str, Any], float]] = field(default_factory=dict)

    def context(self, token: str, method_arn: str) -> dict[str, str] | None:
        """Return the authorizer's context for the function; None where the policy denies the request."""
        answer, until = self._kept.get(token, ({}, 0.0))
        if until <= self.now:
            self.asked += 1
            event = {**an_event("authorize"), "authorizationToken": f"Bearer {token}", "methodArn": method_arn}
            answer = handler(event, None)
            self._kept[token] = answer, self.now + KEPT
        (statement,) = answer["policyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
        context: dict[str, str] = answer["context"]
        return context if glob(statement["Resource"]).fullmatch(method_arn) else None


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the authorizer's environment, with an issuer that answers."""
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("TOKEN_AUDIENCE", AUDIENCE)
    monkeypatch.setattr(authorization, "fetch", lambda _: a_jwks())
    settings.forget()
    authorization.verifier.cache_clear()
    yield
    authorization.verifier.cache_clear()


@pytest.mark.parametrize("claims", USERS.values(), ids=USERS)
@pytest.mark.parametrize("stage", STAGES)
def test_policy_of_one_route_allows_every_other(stage: str, claims: dict[str, Any]) -> None:
    token = a_token(**claims)
    for first, parameter in product(ROUTES, ("ada", "*", "a\nb")):
        gateway = Gateway()
        told = gateway.context(token, arn(stage, first, parameter))
        assert told
        for route, other in product(ROUTES, PARAMETERS):
            assert gateway.context(token, arn(stage, route, other)) == told, (first, route, other)
        assert gateway.asked == 1


@pytest.mark.parametrize("stage", STAGES)
def test_policy_allows_no_route_of_another_api_or_stage(stage: str) -> None:
    others = {stage.replace(old, new) for old, new in ELSEWHERE} | {*STAGES}
    others -= {stage}
    assert len(others) >= 8
    for first in ROUTES:
        gateway = Gateway()
        assert gateway.context(token := a_token(), arn(stage, first))
        for other, route, parameter in product(others, ROUTES, ("ada", f"{stage}/GET/", "*")):
            assert gateway.context(token, arn(other, route, parameter)) is None, (other, route)
        assert gateway.asked == 1


def at(monkeypatch: pytest.MonkeyPatch, gateway: Gateway, now: float) -> None:
    """Set the clocks of the functions and of the gateway."""
    gateway.now = now
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(time=lambda: now))


def test_template_has_functions_behind_the_authorizer() -> None:
    assert len(FUNCTIONS) == len(ROUTES) > 10


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_refuses_cached_allow_of_expired_token(
    function: str, call: Call, monkeypatch: pytest.MonkeyPatch, recorded_calls: Usage
) -> None:
    said = int(time.time()) + 3600
    expires = said + LEEWAY_SECONDS
    gateway, token, event = Gateway(expires - 1), a_token(exp=said), an_event(function)
    route = arn(STAGES[0], (event["httpMethod"], event["path"]))
    told = gateway.context(token, route)
    assert told
    at(monkeypatch, gateway, expires - 0.001)
    assert call(function, claims=told).status != 401
    before = recorded_calls.calls
    for late in (0, 0.5, 1, KEPT - 1.5):
        at(monkeypatch, gateway, expires + late)
        kept = gateway.context(token, route)
        assert kept == told  # the cached policy still allows it
        event["requestContext"]["authorizer"] = kept
        answer = run(function, event)
        assert answer["statusCode"] == 401
        assert json.loads(answer["body"]) == unauthorized(event["requestContext"]["requestId"])
    assert gateway.asked == 1
    assert recorded_calls.calls == before  # no call was made
