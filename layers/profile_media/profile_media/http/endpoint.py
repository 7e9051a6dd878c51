"""The decorator of every API function: caller, logging, metrics, error answers and the headers all answers share.

It contains the service's only `except MediaError`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, Protocol

from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST

from profile_media.domain.errors import ErrorCode, LimitExceeded, MediaError, Unavailable
from profile_media.domain.model import Caller
from profile_media.http import cors, identity
from profile_media.http.envelope import unauthorized
from profile_media.http.links import Links
from profile_media.http.request import Json, Request, Response, body_of, headers_of, to_event
from profile_media.http.status import STATUSES
from profile_media.telemetry import LambdaContext, count, logger, metrics


class Dialect(Protocol):
    """The error side of a dialect's module: the statuses that differ from `http.status`, and the error body."""

    @property
    def STATUSES(self) -> Mapping[ErrorCode, HTTPStatus]: ...

    def render_error(self, error: MediaError | None, correlation_id: str) -> Json: ...


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """The API settings of this deployment."""

    allowed_origins: tuple[str, ...]
    links: Links


type Event = Mapping[str, Any]
type Handler = Callable[[Event, LambdaContext], dict[str, Any]]


def endpoint(
    dialect: Dialect, config: Callable[[], EndpointConfig]
) -> Callable[[Callable[[Request], Response]], Handler]:
    """Make a Lambda handler from a function that maps a request to a response.

    `config` is called on each invocation, not at import, so that settings are read when they are first needed.
    """

    def decorate(respond: Callable[[Request], Response]) -> Handler:
        @wraps(respond)
        @logger.inject_lambda_context(correlation_id_path=API_GATEWAY_REST, clear_state=True)
        @metrics.log_metrics(capture_cold_start_metric=True)
        def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
            chosen = config()
            correlation_id = str(event["requestContext"]["requestId"])
            origin = headers_of(event).get("origin")
            shared = {"x-correlation-id": correlation_id, **cors.headers_for(origin, chosen.allowed_origins)}
            return to_event(_answer(respond, dialect, event, chosen.links, correlation_id), shared)

        return handler

    return decorate


def _answer(
    respond: Callable[[Request], Response], dialect: Dialect, event: Event, links: Links, correlation_id: str
) -> Response:
    caller = caller_of(event)
    if caller is None:
        logger.info("Token expired after the authorizer accepted it")
        return Response(HTTPStatus.UNAUTHORIZED, unauthorized(correlation_id))
    logger.append_keys(actor=caller.user_id)
    try:
        request = Request(
            caller=caller,
            correlation_id=correlation_id,
            links=links,
            headers=headers_of(event),
            path=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
            body=body_of(event),
        )
        return respond(request)
    except MediaError as error:
        return _refusal(dialect, error, correlation_id)
    except Exception:
        logger.exception("Unexpected error")
        count("UnexpectedErrors")
        return Response(HTTPStatus.INTERNAL_SERVER_ERROR, dialect.render_error(None, correlation_id))


def _refusal(dialect: Dialect, error: MediaError, correlation_id: str) -> Response:
    status = dialect.STATUSES.get(error.code, STATUSES[error.code])
    logger.info("Request refused", error=error.code.value, why=repr(error), status=status.value)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, LimitExceeded | Unavailable) else {}
    return Response(status, dialect.render_error(error, correlation_id), headers)


def caller_of(event: Event) -> Caller | None:
    """Return the caller whom the authorizer let in; None if there is no caller or its token has expired since.

    API Gateway caches an Allow policy for up to a minute, so the policy can outlive the token. `exp` is the time at
    which the authorizer itself stops accepting the token; the leeway for clocks is part of it (`auth.policy`).
    """
    context = event["requestContext"].get("authorizer") or {}
    subject, expires = str(context.get("sub", "")), str(context.get("exp", ""))
    if not subject or not expires.isdecimal() or int(expires) <= time.time():
        return None
    return Caller(
        subject,
        is_admin=context.get("admin") == "true",
        tenant=str(context.get("tenant") or "") or None,
        identity=identity.from_json(str(context.get("identity") or "{}")),
    )
