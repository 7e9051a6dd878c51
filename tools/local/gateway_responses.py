"""The answers that API Gateway gives itself, as the template's `GatewayResponses` define them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

DEFAULTS: dict[str, tuple[int, str]] = {
    "ACCESS_DENIED": (403, "User is not authorized to access this resource"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Internal server error"),
    "AUTHORIZER_FAILURE": (500, "Internal server error"),
    "DEFAULT_4XX": (400, "Bad request"),
    "DEFAULT_5XX": (502, "Internal server error"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "UNAUTHORIZED": (401, "Unauthorized"),
}
"""API Gateway's status and message for each response type that the local gateway uses.

MISSING_AUTHENTICATION_TOKEN is its answer to an unknown path or method.
"""

_DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
_VARIABLE = re.compile(r"\$(?:context\.(\w+(?:\.\w+)*)|\{context\.([\w.]+)\})")


class Refusal(Exception):
    """The gateway answers the request itself. `response_type` is the type of gateway response.

    `traceback` is a function's exception. API Gateway keeps it to itself; the local gateway shows it.
    """

    def __init__(self, response_type: str, traceback: str = "") -> None:
        super().__init__(response_type)
        self.response_type = response_type
        self.traceback = traceback


@dataclass(frozen=True)
class GatewayResponses:
    """The template's gateway responses by type."""

    declared: Mapping[str, Mapping[str, Any]]

    def render(self, refusal: Refusal, request_id: str, request: Request) -> Response:
        """Return the answer to a refused request. A type that is not declared uses DEFAULT_4XX or DEFAULT_5XX."""
        response_type = refusal.response_type
        status, message = DEFAULTS[response_type]
        default = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
        chosen = self.declared.get(response_type) or self.declared.get(default) or {}
        context = {
            "requestId": request_id,
            "path": request.path,
            "error.message": message,
            "error.messageString": json.dumps(message),
            "error.responseType": response_type,
        }
        templates = chosen.get("ResponseTemplates") or {"application/json": _DEFAULT_TEMPLATE}
        content_type, template = next(iter(templates.items()))
        body = _VARIABLE.sub(lambda match: context.get(match[1] or match[2], ""), template)
        if refusal.traceback and content_type == "application/json":
            body = json.dumps({**json.loads(body), "traceback": refusal.traceback.splitlines()}, indent=2)
        response = Response(body, int(chosen.get("StatusCode") or status), content_type=content_type)
        response.headers["x-amzn-ErrorType"] = f"{response_type.title().replace('_', '')}Exception"
        for name, source in (chosen.get("ResponseParameters", {}).get("Headers") or {}).items():
            value = _mapped(str(source), context, request)
            if value is not None:
                response.headers[name] = value
        return response


def _mapped(source: str, context: Mapping[str, str], request: Request) -> str | None:
    """Return a header's value: a quoted literal, a context variable or a header of the request, if it has that."""
    if source.startswith("'"):
        return source.strip("'")
    if source.startswith("context."):
        return context.get(source.removeprefix("context."))
    if source.startswith("method.request.header."):
        return request.headers.get(source.removeprefix("method.request.header."))
    raise ValueError(f"the local gateway does not support the mapping {source}")
