"""Everything an API function does around its own few lines, in one place.

Who is calling, what is logged and counted, which errors become which answers, and the headers all answers share. It
holds the service's only `except MediaError`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, Protocol

from profile_media.domain.errors import ErrorCode, LimitExceeded, MediaError, Unavailable
from profile_media.domain.model import Caller
from profile_media.http import cors
from profile_media.http.envelope import unauthorized
from profile_media.http.identity import identity_of
from profile_media.http.links import Links
from profile_media.http.request import Json, Request, Response, body_of, headers_of, to_event
from profile_media.http.status import STATUSES
from profile_media.telemetry import LambdaContext, began, count, ended, logger


class Dialect(Protocol):
    """What a contract's module says about errors: the statuses that differ from the usual, and the body."""

    @property
    def STATUSES(self) -> Mapping[ErrorCode, HTTPStatus]: ...

    def render_error(self, error: MediaError | None, correlation_id: str) -> Json: ...


type Event = Mapping[str, Any]
type Handler = Callable[[Event, LambdaContext], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Edge:
    """What a deployment sets for all endpoints."""

    allowed_origins: tuple[str, ...]
    links: Links


def endpoint(dialect: Dialect, edge: Callable[[], Edge]) -> Callable[[Callable[[Request], Response]], Handler]:
    """Makes a Lambda handler of a function from request to response."""

    def decorate(respond: Callable[[Request], Response]) -> Handler:
        @wraps(respond)
        def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
            correlation_id = str(event["requestContext"]["requestId"])
            began(context, correlation_id)
            headers, deployed = headers_of(event), edge()
            shared = {
                "x-correlation-id": correlation_id,
                **cors.headers_for(headers.get("origin"), deployed.allowed_origins),
            }
            try:
                return to_event(_answer(respond, dialect, event, deployed.links, correlation_id), shared)
            finally:
                ended()

        return handler

    return decorate


def _answer(
    respond: Callable[[Request], Response],
    dialect: Dialect,
    event: Event,
    links: Links,
    correlation_id: str,
) -> Response:
    caller = caller_of(event)
    if caller is None:
        logger.info("the token expired after it was let in")
        return Response(HTTPStatus.UNAUTHORIZED, unauthorized(correlation_id))
    logger.append_keys(actor=caller.user_id)
    try:
        request = Request(
            caller=caller,
            correlation_id=correlation_id,
            headers=headers_of(event),
            path=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
            body=body_of(event),
            links=links,
        )
        return respond(request)
    except MediaError as error:
        return _refusal(dialect, error, correlation_id)
    except Exception:
        logger.exception("unexpected")
        count("UnexpectedErrors")
        return Response(HTTPStatus.INTERNAL_SERVER_ERROR, dialect.render_error(None, correlation_id))


def _refusal(dialect: Dialect, error: MediaError, correlation_id: str) -> Response:
    status = dialect.STATUSES.get(error.code, STATUSES[error.code])
    logger.info("refused", error=error.code.value, why=repr(error), status=status.value)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, LimitExceeded | Unavailable) else {}
    return Response(status, dialect.render_error(error, correlation_id), headers)


def caller_of(event: Event) -> Caller | None:
    """Who the authorizer let in; None where that was nobody, or where the token has expired since.

    API Gateway keeps an Allow for up to a minute, so it can outlive the token it was for.
    """
    checked = event["requestContext"].get("authorizer") or {}
    subject, expires = str(checked.get("sub", "")), str(checked.get("exp", ""))
    if not subject or not expires.isdecimal() or int(expires) <= time.time():
        return None
    return Caller(
        subject,
        is_admin=checked.get("admin") == "true",
        tenant=str(checked.get("tenant") or "") or None,
        identity=identity_of(str(checked.get("identity") or "{}")),
    )
