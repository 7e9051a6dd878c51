"""API Gateway: SAM CLI's own emulator, with what the real one does and the emulator leaves out.

SAM CLI reads routes and authorizers from the template, makes the events and takes the answers apart. Added here: the
template's gateway responses, the authorizer's ways to say no and the cache of what it said, an id for each request,
paths left encoded as they were sent, size limits, and functions that run without a container.
"""

import base64
import io
import json
import os
import re
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Request, Response, request
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.provider import Api
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.lib.telemetry.event import EventTracker
from samcli.local.apigw.authorizers.lambda_authorizer import LambdaAuthorizer
from samcli.local.apigw.exceptions import InvalidLambdaAuthorizerResponse, LambdaResponseParseException
from samcli.local.apigw.local_apigw_service import LocalApigwService
from samcli.local.apigw.route import Route
from werkzeug.datastructures import Headers
from werkzeug.exceptions import ClientDisconnected, HTTPException
from werkzeug.routing import RequestRedirect

from tools.local.runner import PayloadTooLarge, Runner, Throttled, Timeout
from tools.template import API, Template

MAX_BODY = 10 * 1024 * 1024
"""Bytes of a request's body; API Gateway's own limit."""

INTEGRATION_SECONDS = 29
"""That API Gateway waits for a function, and no longer."""

DEFAULT_CACHE_SECONDS = 300
"""That an authorizer's answer is kept where the template does not say."""

REQUEST_ID = "local.request_id"
"""Where the request's id lies in the WSGI environment."""

STATUSES = {
    "ACCESS_DENIED": 403,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 502,
    "INTEGRATION_TIMEOUT": 504,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "REQUEST_TOO_LARGE": 413,
    "UNAUTHORIZED": 401,
}
"""The response types that occur here, with the status each has unless the template gives another."""

MESSAGES = {
    "ACCESS_DENIED": "User is not authorized to access this resource",
    "AUTHORIZER_CONFIGURATION_ERROR": "Internal server error",
    "AUTHORIZER_FAILURE": "Internal server error",
    "DEFAULT_4XX": "Bad request",
    "DEFAULT_5XX": "Internal server error",
    "INTEGRATION_TIMEOUT": "Endpoint request timed out",
    "MISSING_AUTHENTICATION_TOKEN": "Missing Authentication Token",
    "REQUEST_TOO_LARGE": "Request Too Long",
    "UNAUTHORIZED": "Unauthorized",
}

# SAM CLI counts authorizer calls and sends every fiftieth home, without asking its own telemetry setting.
EventTracker.track_event = staticmethod(lambda *_, **__: None)

_DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
_VARIABLE = re.compile(r"\$(?:context\.(\w+(?:\.\w+)*)|\{context\.([\w.]+)\})")


class Refusal(Exception):
    """The gateway answers itself; carries the type of gateway response."""

    def __init__(self, response_type: str) -> None:
        super().__init__(response_type)
        self.response_type = response_type


@dataclass(frozen=True)
class GatewayResponses:
    """What the template has API Gateway say where no function answers."""

    declared: Mapping[str, Mapping[str, Any]]

    def render(
        self, response_type: str, request_id: str, headers: Headers, path: str = ""
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of a response type; `headers` are the request's."""
        body_type = "DEFAULT_4XX" if STATUSES[response_type] < 500 else "DEFAULT_5XX"
        chosen = self.declared.get(response_type) or self.declared.get(body_type) or {}
        message = MESSAGES[response_type]
        context = {
            "requestId": request_id,
            "path": path,
            "error.message": message,
            "error.messageString": json.dumps(message),
            "error.responseType": response_type,
        }
        templates = chosen.get("ResponseTemplates") or {"application/json": _DEFAULT_TEMPLATE}
        ((content_type, template),) = list(templates.items())[:1]
        rendered = {
            "Content-Type": content_type,
            "x-amzn-ErrorType": f"{response_type.title().replace('_', '')}Exception",
        }
        for name, source in (chosen.get("ResponseParameters", {}).get("Headers") or {}).items():
            value = _mapped(str(source), context, headers)
            if value is not None:
                rendered[next((known for known in rendered if known.lower() == name.lower()), name)] = value
        body = _VARIABLE.sub(lambda match: context.get(match[1] or match[2], ""), template)
        return int(chosen.get("StatusCode") or STATUSES[response_type]), rendered, body


def _mapped(source: str, context: Mapping[str, str], headers: Headers) -> str | None:
    """A header's value: a 'literal', something of the context, or a header of the request; None if it has none."""
    if source.startswith("'"):
        return source.strip("'")
    if source.startswith("context."):
        return context.get(source.removeprefix("context."))
    if source.startswith("method.request.header."):
        return headers.get(source.removeprefix("method.request.header."))
    raise ValueError(f"the mapping {source} is not known to the local stack")


@dataclass
class _AuthorizerCache:
    """What the authorizer said of a token, for as long as the template lets it stand."""

    seconds: float
    _kept: dict[str, tuple[float, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, token: str) -> str | None:
        with self._lock:
            until, answer = self._kept.get(token, (0.0, ""))
            return answer if time.monotonic() < until else None

    def put(self, token: str, answer: str) -> None:
        now = time.monotonic()
        with self._lock:
            self._kept = {token: kept for token, kept in self._kept.items() if kept[0] > now}
            self._kept[token] = (now + self.seconds, answer)


class Gateway(LocalApigwService):  # type: ignore[misc]  # SAM CLI is untyped
    """One API of the template, as a WSGI application: `application`."""

    def __init__(self, template: Template, runner: Runner, port: int) -> None:
        self._runner = runner
        properties = next(template.of_type(API)).properties
        self.responses = GatewayResponses(properties.get("GatewayResponses") or {})
        self._caches = {
            name: _AuthorizerCache((authorizer.get("Identity") or {}).get("ReauthorizeEvery", DEFAULT_CACHE_SECONDS))
            for name, authorizer in (properties.get("Auth", {}).get("Authorizers") or {}).items()
        }
        super().__init__(_read_api(template), _NoDebugger(), port=port, host="127.0.0.1")
        self.create()

    @property
    def application(self) -> WSGIApplication:
        """What to serve."""
        return _Edge(self._app, self.responses, self.api.binary_media_types)

    # What SAM CLI calls of itself, done as API Gateway does it.

    def _construct_error_handling(self) -> None:
        self._app.before_request(_refuse_empty_segments)
        self._app.register_error_handler(HTTPException, self._refuse_http)
        self._app.register_error_handler(Refusal, self._refuse)
        self._app.register_error_handler(Exception, self._fail)

    def _get_current_route(self, flask_request: Request) -> Route:
        try:
            return super()._get_current_route(flask_request)
        except KeyError:
            # Flask answers HEAD wherever there is a GET; API Gateway does not.
            raise Refusal("MISSING_AUTHENTICATION_TOKEN") from None

    def _valid_identity_sources(self, flask_request: Request, route: Route) -> bool:
        if not super()._valid_identity_sources(flask_request, route):
            raise Refusal("UNAUTHORIZED")
        return True

    def _generate_lambda_event(
        self, flask_request: Request, route: Route, method: str, endpoint: str
    ) -> dict[str, Any]:
        event: dict[str, Any] = super()._generate_lambda_event(flask_request, route, method, endpoint)
        now = time.time()
        event["requestContext"].update(
            requestId=flask_request.environ[REQUEST_ID],
            extendedRequestId=base64.b64encode(os.urandom(9)).decode(),
            requestTimeEpoch=int(now * 1000),
            requestTime=time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            path=f"/{self.api.stage_name}{flask_request.path}",
        )
        event["requestContext"]["identity"]["userAgent"] = flask_request.headers.get("User-Agent")
        return event

    def _invoke_parse_lambda_authorizer(
        self,
        lambda_authorizer: LambdaAuthorizer,
        auth_lambda_event: dict[str, Any],
        route_lambda_event: dict[str, Any],
        route: Route,
    ) -> None:
        answer = self._authorization(lambda_authorizer, auth_lambda_event)
        try:
            if not lambda_authorizer.is_valid_response(answer, auth_lambda_event["methodArn"]):
                raise Refusal("ACCESS_DENIED")
            context = lambda_authorizer.get_context(answer)
        except InvalidLambdaAuthorizerResponse:
            raise Refusal("AUTHORIZER_CONFIGURATION_ERROR") from None
        if any(isinstance(value, dict | list) for value in context.values()):
            raise Refusal("AUTHORIZER_CONFIGURATION_ERROR")
        route_lambda_event["requestContext"]["authorizer"] = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in context.items()
        }

    def _authorization(self, authorizer: LambdaAuthorizer, event: dict[str, Any]) -> str:
        """What the authorizer says of the token, now or a little earlier."""
        cache = self._caches[authorizer.authorizer_name]
        token = event["authorizationToken"]
        if (kept := cache.get(token)) is not None:
            return kept
        try:
            outcome = self._runner.invoke(authorizer.lambda_name, json.dumps(event))
        except (PayloadTooLarge, Throttled):
            raise Refusal("AUTHORIZER_FAILURE") from None
        if outcome.failed:
            raise Refusal("UNAUTHORIZED" if outcome.error_message == "Unauthorized" else "AUTHORIZER_FAILURE")
        if not isinstance(json.loads(outcome.payload), dict):
            raise Refusal("AUTHORIZER_CONFIGURATION_ERROR")
        cache.put(token, outcome.payload)
        return outcome.payload

    def _invoke_lambda_function(
        self, lambda_function_name: str, event: dict[str, Any], tenant_id: str | None = None
    ) -> str:
        try:
            outcome = self._runner.invoke(lambda_function_name, json.dumps(event), within=INTEGRATION_SECONDS)
        except PayloadTooLarge:
            raise Refusal("REQUEST_TOO_LARGE") from None
        except Throttled:
            raise Refusal("DEFAULT_5XX") from None
        except Timeout:
            raise Refusal("INTEGRATION_TIMEOUT") from None
        if outcome.failed:
            raise Refusal("DEFAULT_5XX")
        return outcome.payload

    @staticmethod
    def _parse_v1_payload_format_lambda_output(
        lambda_output: str, binary_types: list[str], flask_request: Request, event_type: str
    ) -> tuple[int, Any, Any]:
        try:
            parsed: tuple[int, Any, Any] = LocalApigwService._parse_v1_payload_format_lambda_output(
                lambda_output, binary_types, flask_request, event_type
            )
        except LambdaResponseParseException:
            raise Refusal("DEFAULT_5XX") from None
        return parsed

    def _refuse_http(self, error: HTTPException) -> Response:
        is_unknown = error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
        return self._refuse(Refusal("MISSING_AUTHENTICATION_TOKEN" if is_unknown else "DEFAULT_4XX"))

    def _refuse(self, refusal: Refusal) -> Response:
        status, headers, body = self.responses.render(
            refusal.response_type, request.environ[REQUEST_ID], request.headers, request.path
        )
        return Response(body, status, headers)

    def _fail(self, error: Exception) -> Response:
        self._app.logger.error("the gateway failed", exc_info=error)
        return self._refuse(Refusal("DEFAULT_5XX"))


class _NoDebugger:
    """The one thing SAM CLI's service asks of a runner besides invoking, which `Gateway` does itself."""

    @staticmethod
    def is_debugging() -> bool:
        return False


@dataclass(frozen=True)
class _Edge:
    """In front of everything: gives each request its id and its path as sent, and the body its limit and encoding."""

    app: WSGIApplication
    responses: GatewayResponses
    binary_types: list[str]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request_id = environ[REQUEST_ID] = str(uuid.uuid4())

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("x-amzn-RequestId", request_id)], exc_info)

        environ["PATH_INFO"] = _path_as_sent(environ)
        declared = _declared_length(environ)
        try:
            body = environ["wsgi.input"].read(declared)
        except (OSError, ClientDisconnected):  # chunks that are none, or nothing where something was promised
            return self._refuse_body("DEFAULT_4XX", environ, start)
        if len(body) < declared and not environ.get("wsgi.input_terminated"):
            return self._refuse_body("DEFAULT_4XX", environ, start)
        if len(body) > MAX_BODY:
            return self._refuse_body("REQUEST_TOO_LARGE", environ, start)
        mimetype = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if mimetype not in self.binary_types and "*/*" not in self.binary_types:
            # API Gateway passes text on as text: what is not UTF-8 arrives with replacement characters.
            body = body.decode(errors="replace").encode()
        environ.update(
            {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "wsgi.input_terminated": True}
        )
        return self.app(environ, start)

    def _refuse_body(
        self, response_type: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        headers = Request(environ).headers
        status, answer, body = self.responses.render(response_type, environ[REQUEST_ID], headers)
        response = Response(body, status, answer)
        # What is left of the body would be taken for the next request.
        response.headers["Connection"] = "close"
        return response(environ, start_response)


def _path_as_sent(environ: WSGIEnvironment) -> str:
    """The path with its percent signs: API Gateway matches it and passes it on so, in `pathParameters` too."""
    target: str = environ["REQUEST_URI"]
    if not target.startswith("/"):  # the form for proxies: a whole URL
        return urlsplit(target).path or "/"
    return target.partition("?")[0]


def _declared_length(environ: WSGIEnvironment) -> int:
    """How much to read: what is declared, or all of a chunked body, but never much more than is allowed."""
    if environ.get("wsgi.input_terminated"):
        return MAX_BODY + 1
    try:
        return max(0, min(int(environ.get("CONTENT_LENGTH") or 0), MAX_BODY + 1))
    except ValueError:
        return 0


def _refuse_empty_segments() -> None:
    """Flask passes over what is empty in `//path`, or redirects; to API Gateway it is a path that is not there."""
    if isinstance(request.routing_exception, RequestRedirect) or request.environ["PATH_INFO"].startswith("//"):
        raise Refusal("MISSING_AUTHENTICATION_TOKEN")


def _read_api(template: Template) -> Api:
    """Routes and authorizers, as SAM CLI reads them for `sam local start-api`."""
    stacks, _ = SamLocalStackProvider.get_stacks(str(template.path), parameter_overrides=template.parameters)
    return ApiProvider(stacks).api
