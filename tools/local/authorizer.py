"""Lambda authorizers of TOKEN and REQUEST type: their events, their policies and the cache of their policies.

See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html.
"""

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request

from tools.local.gateway_responses import Refusal
from tools.local.runner import PayloadTooLarge, Runner, Throttled, Timeout
from tools.template import Template

DEFAULT_CACHE_SECONDS = 300

type Policy = dict[str, Any]


@dataclass
class Authorizer:
    """One authorizer of the API."""

    runner: Runner
    function: str
    """Logical id."""
    type: str
    headers: list[str]
    """Identity sources; a TOKEN authorizer has one."""
    query_strings: list[str]
    token_pattern: re.Pattern[str]
    cache_seconds: float
    _cache: dict[str, tuple[float, Policy]] = field(default_factory=dict)
    _release: object = None
    """The function's code that made the cached policies."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def authorize(self, request: Request, method_arn: str, event: Mapping[str, Any]) -> dict[str, str]:
        """Return the context that the function gets. Raise Refusal if the request is not allowed.

        `event` is the function's event, of which a REQUEST authorizer gets a copy.
        """
        identity = self._identity(request)
        policy = self._cached(identity)
        if policy is None:
            policy = self._invoke(self._event(identity, method_arn, event))
            self._keep(identity, policy)
        if not _allows(policy, method_arn):
            raise Refusal("ACCESS_DENIED")
        return _context(policy)

    def _identity(self, request: Request) -> tuple[str, ...]:
        """Return the values of the identity sources. API Gateway answers 401 without them, and calls no function."""
        sources = [request.headers.get(name) for name in self.headers]
        sources += [request.args.get(name) for name in self.query_strings]
        if not all(sources) or not self.token_pattern.fullmatch(sources[0] or ""):
            raise Refusal("UNAUTHORIZED")
        return tuple(map(str, sources))

    def _event(self, identity: tuple[str, ...], method_arn: str, event: Mapping[str, Any]) -> dict[str, Any]:
        if self.type == "TOKEN":
            return {"type": "TOKEN", "methodArn": method_arn, "authorizationToken": identity[0]}
        unused = ("body", "isBase64Encoded")
        copied = {name: value for name, value in event.items() if name not in unused}
        return {"type": "REQUEST", "methodArn": method_arn, **copied}

    def _invoke(self, event: dict[str, Any]) -> Policy:
        try:
            outcome = self.runner.invoke(self.function, json.dumps(event))
        except (PayloadTooLarge, Throttled, Timeout):
            raise Refusal("AUTHORIZER_FAILURE") from None
        if outcome.failed:
            if outcome.error_message == "Unauthorized":
                raise Refusal("UNAUTHORIZED")
            raise Refusal("AUTHORIZER_FAILURE", outcome.traceback)
        policy = json.loads(outcome.payload)
        if not _is_policy(policy):
            raise Refusal("AUTHORIZER_CONFIGURATION_ERROR")
        return dict(policy)

    def _cached(self, identity: tuple[str, ...]) -> Policy | None:
        release = self.runner.release(self.function)
        with self._lock:
            if release != self._release:
                self._cache, self._release = {}, release
            expires, policy = self._cache.get(json.dumps(identity), (0.0, {}))
        return policy if time.monotonic() < expires else None

    def _keep(self, identity: tuple[str, ...], policy: Policy) -> None:
        now = time.monotonic()
        with self._lock:
            self._cache = {key: kept for key, kept in self._cache.items() if kept[0] > now}
            self._cache[json.dumps(identity)] = (now + self.cache_seconds, policy)


def authorizers_of(template: Template, runner: Runner) -> dict[str, Authorizer]:
    """Return the API's authorizers by name."""
    declared = (template.api.properties.get("Auth") or {}).get("Authorizers") or {}
    return {name: _authorizer(template, runner, properties) for name, properties in declared.items()}


def _authorizer(template: Template, runner: Runner, properties: Mapping[str, Any]) -> Authorizer:
    identity = properties.get("Identity") or {}
    type_ = properties.get("FunctionPayloadType", "TOKEN")
    is_token = type_ == "TOKEN"
    return Authorizer(
        runner=runner,
        function=template.logical_id(properties["FunctionArn"]),
        type=type_,
        headers=[identity.get("Header", "Authorization")] if is_token else identity.get("Headers", []),
        query_strings=[] if is_token else identity.get("QueryStrings", []),
        token_pattern=re.compile(identity.get("ValidationExpression", ".*"), re.DOTALL),
        cache_seconds=float(identity.get("ReauthorizeEvery", DEFAULT_CACHE_SECONDS)),
    )


def _is_policy(policy: Any) -> bool:
    match policy:
        case {"principalId": str(), "policyDocument": {"Statement": list()}}:
            context = policy.get("context") or {}
            return not any(isinstance(value, dict | list) for value in context.values())
    return False


def _context(policy: Policy) -> dict[str, str]:
    """Return the authorizer's context. API Gateway passes every value on as text."""
    context = {**(policy.get("context") or {}), "principalId": policy["principalId"]}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in context.items()}


def _allows(policy: Policy, method_arn: str) -> bool:
    """Return whether a statement allows the method and no statement denies it."""
    effects = {
        statement["Effect"]
        for statement in policy["policyDocument"]["Statement"]
        if _matches(statement.get("Action"), "execute-api:Invoke") and _matches(statement.get("Resource"), method_arn)
    }
    return effects == {"Allow"}


def _matches(patterns: str | list[str] | None, value: str) -> bool:
    """Compare with IAM's wildcards, `*` and `?`."""
    listed = [patterns] if isinstance(patterns, str) else patterns or []
    expressions = [re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in listed]
    return any(re.fullmatch(expression, value, re.DOTALL) for expression in expressions)
