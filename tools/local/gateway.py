"""The local API Gateway: a router that reads routes, authorizers and gateway responses from the template.

It answers as a REST API with Lambda proxy integrations does. See
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html.
"""

import base64
import json
import logging
import re
import secrets
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import ClientDisconnected, NotFound, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from tools.local.authorizer import authorizers_of
from tools.local.gateway_responses import GatewayResponses, Refusal
from tools.local.origins import Origins
from tools.local.runner import PayloadTooLarge, Runner, Throttled, Timeout
from tools.template import ACCOUNT, Route, Template, TemplateInvalid

LOG = logging.getLogger(__name__)

MAX_BODY_BYTES = 10 * 1024 * 1024
"""API Gateway's limit."""

INTEGRATION_SECONDS = 29
"""API Gateway waits no longer for a function."""

API_ID = "local"
_PARAMETER = re.compile(r"\{(\w+)(\+?)\}")


class LimitedRequest(Request):
    """A request whose body has API Gateway's limit."""

    max_content_length = MAX_BODY_BYTES


class Gateway:
    """The template's API as a WSGI application."""

    def __init__(self, template: Template, runner: Runner) -> None:
        properties = template.api.properties
        if "Cors" in properties:
            raise TemplateInvalid("the local gateway does not support the API's property Cors")
        self._region = template.region
        self._runner = runner
        self._stage = str(properties["StageName"])
        self._binary_types = {str(type_).replace("~1", "/") for type_ in properties.get("BinaryMediaTypes") or []}
        self._responses = GatewayResponses(properties.get("GatewayResponses") or {})
        self._authorizers = authorizers_of(template, runner)
        self._origins = Origins(template.parameters.get("AllowedOrigins", "*"))
        self._default_authorizer = (properties.get("Auth") or {}).get("DefaultAuthorizer")
        self._routes = {(route.path, route.method.upper()): route for route in template.routes}
        self._map = Map(
            [Rule(_rule(path), endpoint=path) for path in {path for path, _ in self._routes}], merge_slashes=False
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request, request_id = LimitedRequest(environ), str(uuid.uuid4())
        try:
            response = self._answer(request, request_id)
        except Refusal as refusal:
            response = self._responses.render(refusal, request_id, request)
        except Exception:
            LOG.exception("the gateway failed")
            response = self._responses.render(Refusal("DEFAULT_5XX"), request_id, request)
        response.headers["x-amzn-RequestId"] = request_id
        self._origins.explain(request, response)
        return response(environ, start_response)

    def _answer(self, request: Request, request_id: str) -> Response:
        path, body = _path_as_sent(request), _body(request)
        route, parameters = self._match(path, request.method)
        event = self._event(request, request_id, route, path, parameters, body)
        if not route.public and self._default_authorizer:
            method_arn = f"arn:aws:execute-api:{self._region}:{ACCOUNT}:{API_ID}/{self._stage}/{request.method}{path}"
            authorizer = self._authorizers[self._default_authorizer]
            event["requestContext"]["authorizer"] = authorizer.authorize(request, method_arn, event)
        return self._response(self._invoke(route.function, event), request)

    def _match(self, path: str, method: str) -> tuple[Route, dict[str, str]]:
        """Find the route of a path and method. Parameters keep their percent encoding, as in API Gateway."""
        try:
            # Werkzeug removes leading slashes before it compares; to API Gateway, `//path` is another path.
            if path.startswith("//"):
                raise NotFound
            resource, parameters = self._map.bind("").match(path)
            route = self._routes.get((resource, method)) or self._routes[(resource, "ANY")]
        except (NotFound, KeyError):
            raise Refusal("MISSING_AUTHENTICATION_TOKEN") from None
        return route, dict(parameters)

    def _event(  # noqa: PLR0917 - one argument for each part of the event
        self, request: Request, request_id: str, route: Route, path: str, parameters: dict[str, str], body: bytes
    ) -> dict[str, Any]:
        is_binary = self._is_binary(request.mimetype)
        # API Gateway passes other bodies on as text, with replacement characters for bytes that are not UTF-8.
        text = base64.b64encode(body).decode() if is_binary else body.decode(errors="replace")
        now = time.time()
        return {
            "resource": route.path,
            "path": path,
            "httpMethod": request.method,
            "headers": dict(request.headers),
            "multiValueHeaders": {name: request.headers.getlist(name) for name in request.headers.keys()},  # noqa: SIM118
            "queryStringParameters": _last_values(request.args),
            "multiValueQueryStringParameters": request.args.to_dict(flat=False) or None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": API_ID,
                "domainName": request.host,
                "extendedRequestId": secrets.token_urlsafe(9),
                "httpMethod": request.method,
                "identity": {"sourceIp": request.remote_addr, "userAgent": request.headers.get("User-Agent")},
                "path": f"/{self._stage}{path}",
                "protocol": "HTTP/1.1",
                "requestId": request_id,
                "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
                "requestTimeEpoch": int(now * 1000),
                "resourcePath": route.path,
                "stage": self._stage,
            },
            "body": text or None,
            "isBase64Encoded": is_binary and bool(body),
        }

    def _is_binary(self, type_: str) -> bool:
        return type_ in self._binary_types or "*/*" in self._binary_types

    def _invoke(self, function: str, event: dict[str, Any]) -> Any:
        try:
            outcome = self._runner.invoke(function, json.dumps(event), within=INTEGRATION_SECONDS)
        except PayloadTooLarge:
            raise Refusal("REQUEST_TOO_LARGE") from None
        except Timeout:
            raise Refusal("INTEGRATION_TIMEOUT") from None
        except Throttled:
            raise Refusal("DEFAULT_5XX") from None
        if outcome.failed:
            raise Refusal("DEFAULT_5XX", outcome.traceback)
        return json.loads(outcome.payload)

    def _response(self, answer: Any, request: Request) -> Response:
        """Return a function's answer, or 502 if it is not a valid proxy response."""
        known = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
        if not isinstance(answer, dict) or not answer.keys() <= known:
            raise Refusal("DEFAULT_5XX")
        try:
            status, headers = int(answer["statusCode"]), _headers(answer)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Refusal("DEFAULT_5XX") from None
        body = str(answer.get("body") or "")
        accepted = request.headers.get("Accept", "").partition(",")[0].strip()
        if answer.get("isBase64Encoded") and self._is_binary(accepted):
            return Response(base64.b64decode(body), status, headers)
        headers.setdefault("Content-Type", "application/json")
        return Response(body, status, headers)


def _rule(path: str) -> str:
    """Return a path of the template in Werkzeug's notation: `{name}` is one segment, `{name+}` the rest."""
    return _PARAMETER.sub(lambda match: f"<path:{match[1]}>" if match[2] else f"<{match[1]}>", path)


def _path_as_sent(request: Request) -> str:
    """Return the path with its percent encoding, which WSGI's PATH_INFO has lost."""
    target: str = request.environ["REQUEST_URI"]
    if not target.startswith("/"):  # clients of proxies send the whole URL
        return urlsplit(target).path or "/"
    return target.partition("?")[0]


def _body(request: Request) -> bytes:
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise Refusal("REQUEST_TOO_LARGE") from None
    except (ClientDisconnected, OSError):  # a body shorter than its length, or malformed chunks
        raise Refusal("DEFAULT_4XX") from None


def _last_values(arguments: MultiDict[str, str]) -> dict[str, str] | None:
    """Return the last value of each query parameter, as API Gateway does."""
    return {name: values[-1] for name, values in arguments.lists()} or None


def _headers(answer: Mapping[str, Any]) -> Headers:
    """Join `headers` and `multiValueHeaders`; the latter wins for a name that is in both."""
    headers = Headers([(name, str(value)) for name, value in (answer.get("headers") or {}).items()])
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        headers.setlist(name, [str(value) for value in values])
    return headers
