"""Record, fail or replace the calls that AWS clients send, through the events that botocore documents.

`connect` runs once, in tests/conftest.py. Every botocore session created afterwards reports its calls here, whether
boto3, PynamoDB or a test creates it. Without a listener, calls reach moto as usual.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import botocore
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.session import Session
from moto.core.models import botocore_stubber

type Send = Callable[[], AWSResponse]
"""Sends a request to moto."""


class Transport(Protocol):
    """Stands between the clients and moto: it may send a request, answer it itself, or raise an error."""

    def __call__(self, call: str, request: AWSPreparedRequest, send: Send, /) -> AWSResponse:
        """Answer one request; `call` names it, as in `dynamodb.GetItem`."""


class Listener(Protocol):
    """Learns of every call that a client is about to make, and of every error that AWS answers."""

    def called(self, call: str, params: Mapping[str, Any]) -> None:
        """Take note of a call and its parameters."""

    def failed(self, call: str, params: Mapping[str, Any], code: str) -> None:
        """Take note of the error code of an answer."""


_transports: list[Transport] = []
_listeners: list[Listener] = []


def connect() -> None:
    """Hook into every session that is created from now on."""
    botocore.register_initializer(_hook)


@contextmanager
def through(transport: Transport) -> Iterator[None]:
    """Send all calls through a transport."""
    _transports.append(transport)
    try:
        yield
    finally:
        _transports.remove(transport)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Report all calls to a listener."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def unhook(session: Session) -> Session:
    """Let this session's calls go to moto unseen."""
    events: Any = session  # the stubs know fewer handlers than botocore takes
    for event, handler in _HANDLERS.items():
        events.unregister(event, handler)
    events.register("before-send", botocore_stubber)
    return session


def _hook(session: Session) -> None:
    events: Any = session
    events.unregister("before-send", botocore_stubber)
    for event, handler in _HANDLERS.items():
        events.register(event, handler)


def _send(event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    def send() -> Any:
        return botocore_stubber(event_name, request=request)

    return _transports[-1](_call(event_name), request, send) if _transports else send()


def _report_call(event_name: str, params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["params_of_the_caller"] = params  # the event of the answer does not contain the parameters
    for listener in _listeners:
        listener.called(_call(event_name), params)


def _report_error(event_name: str, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> None:
    if "Error" in parsed and "Code" in parsed["Error"]:
        for listener in _listeners:
            listener.failed(_call(event_name), context["params_of_the_caller"], parsed["Error"]["Code"])


def _call(event_name: str) -> str:
    return event_name.partition(".")[2]


_HANDLERS = {"before-send": _send, "provide-client-params": _report_call, "after-call": _report_error}
