"""Count every call to AWS and make one of them fail: before its effect, after it, or by losing its answer."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from threading import RLock
from typing import Any, Protocol, cast

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from tests import aws_calls
from tests.aws_calls import Send

READS = ("Get", "List", "TransactGet", "Scan", "Query", "BatchGet", "Receive")
"""Prefixes of calls that change nothing."""


class Crash(BaseException):
    """The function's process died. No code may catch this."""


class Fault(StrEnum):
    """How a call fails."""

    BEFORE = "crash before the effect"
    AFTER = "crash after the effect"
    LOST = "effect, but the answer is lost and the SDK retries"


class Refusal(Protocol):
    """What AWS answers instead of doing what it was asked."""

    def answer(self, url: str) -> AWSResponse:
        """Return the answer as it comes over the wire."""


class Later(StrEnum):
    """Answers that tell the caller to retry."""

    THROTTLED = "ThrottlingException"
    SLOW_DOWN = "SlowDown"
    IN_CONFLICT = "TransactionConflict"

    def answer(self, url: str) -> AWSResponse:
        """Return the error in the format of its service."""
        if self is Later.SLOW_DOWN:
            return S3Error(self.value, 503).answer(url)
        if self is Later.IN_CONFLICT:
            return DynamoError("TransactionCanceledException", (self.value, None)).answer(url)
        return DynamoError(self.value).answer(url)


@dataclass(frozen=True)
class DynamoError:
    """An error of DynamoDB; `reasons` has one entry per item of a cancelled transaction."""

    code: str
    reasons: tuple[str | None, ...] = ()
    status: int = 400

    def answer(self, url: str) -> AWSResponse:
        """Return the error as JSON."""
        error: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{self.code}", "message": "injected"}
        if self.reasons:
            error["CancellationReasons"] = [{"Code": code or "None", "Message": "injected"} for code in self.reasons]
        return response(url, self.status, json.dumps(error).encode())


@dataclass(frozen=True)
class S3Error:
    """An error of S3 as XML, or any other body."""

    code: str
    status: int
    body: str = ""

    def answer(self, url: str) -> AWSResponse:
        """Return the error as XML, or the given body."""
        text = self.body or f"<Error><Code>{self.code}</Code><Message>injected</Message></Error>"
        return response(url, self.status, text.encode())


@dataclass(frozen=True)
class SqsError:
    """An error of SQS, or the answer to a batch of which SQS took only a part."""

    code: str
    status: int = 400
    body: str = ""

    def answer(self, url: str) -> AWSResponse:
        """Return the error as JSON, or the given body."""
        text = self.body or json.dumps({"__type": self.code, "message": "injected"})
        return response(url, self.status, text.encode())


class Body:
    """The body of an answer, as botocore reads it from urllib3."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """Yield the whole content at once."""
        yield self._content


def response(url: str, status: int, content: bytes) -> AWSResponse:
    """Build an answer."""
    headers = HTTPHeaders.from_dict({"content-type": "application/x-amz-json-1.0"})
    return AWSResponse(url, status, headers, Body(content))


def _identity(request: AWSPreparedRequest) -> tuple[str, str]:
    """Return what a retry has in common with the first attempt, and a parallel call does not."""
    return request.url, str(request.headers.get("X-Amz-Target"))


def _items(request: AWSPreparedRequest) -> int:
    """Count the items of a transaction; 0 for other calls."""
    if b"Transact" not in request.headers.get("X-Amz-Target", b""):
        return 0
    return len(json.loads(cast(bytes, request.body))["TransactItems"])


@dataclass
class Injector:
    """The transport between the clients and moto."""

    calls: list[str] = field(default_factory=list)
    """Names such as `s3.PutObject`, in order, retries included."""
    sizes: list[int] = field(default_factory=list)
    """The number of items of each call's transaction."""
    fired: int = 0
    """How many faults have happened since `arm`."""
    interrupted: bool = False
    """Whether a crash or a refused call may have ended an invocation since the world was restored."""
    at: int | None = None
    fault: Fault | None = None
    later: dict[int, Fault] = field(default_factory=dict)
    """Further calls that fail, by number."""
    refusal: Refusal | None = None
    refusals: int = 0
    """How many attempts at the call are still to be refused."""
    meanwhile: Callable[[], object] | None = None
    """Runs to its end just before the call, like another invocation."""
    before_each: Callable[[str], object] = lambda _: None
    """Runs before every call; a scheduler holds the calling thread here."""
    after_each: Callable[[], object] = lambda: None
    """Runs after every call that had an effect; an observer looks at all data here."""
    _refused: tuple[str, str] | None = None
    _aside: int = 0
    _lock: RLock = field(default_factory=RLock)

    def arm(self, at: int, fault: Fault, *later: tuple[int, Fault]) -> None:
        """Make the call with this number fail, and then others. Counting starts at 0 again."""
        self._reset_counts()
        self.at, self.fault, self.later = at, fault, dict(later)

    def interrupt(self, at: int, meanwhile: Callable[[], object]) -> None:
        """Run something else just before the call with this number."""
        self._reset_counts()
        self.at, self.fault, self.meanwhile = at, None, meanwhile

    def refuse(self, at: int, refusal: Refusal, times: int) -> None:
        """Refuse the call with this number, and its retries, this many times in all."""
        self._reset_counts()
        self.at, self.fault, self.refusal, self.refusals, self._refused = at, None, refusal, times, None

    def disarm(self) -> None:
        """Let every call through."""
        self.at = self.meanwhile = self.refusal = None
        self.later.clear()

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """Yield the list of calls made meanwhile."""
        self._reset_counts()
        yield self.calls

    @contextmanager
    def standing_aside(self) -> Iterator[None]:
        """Neither count nor fail the calls made meanwhile: the test makes them, not a function."""
        self._aside += 1
        try:
            yield
        finally:
            self._aside -= 1

    @contextmanager
    def kept_armed(self) -> Iterator[None]:
        """Restore afterwards what is disarmed meanwhile."""
        names = ("at", "fault", "refusal", "refusals", "meanwhile")
        armed, later = {name: getattr(self, name) for name in names}, self.later.copy()
        yield
        vars(self).update(armed, later=later)

    @property
    def is_aside(self) -> bool:
        """Return whether the calls are the test's own now."""
        return self._aside > 0

    def __call__(self, call: str, request: AWSPreparedRequest, send: Send) -> AWSResponse:
        """Answer one request."""
        if self._aside:
            return self._effect(send)
        self.before_each(call)
        with self._lock:
            fault, hit, refusal = self._next(call, request)
        if refusal:
            self.interrupted = True
            return refusal.answer(request.url)
        if hit and self.meanwhile:
            meanwhile = self.meanwhile
            self.disarm()
            meanwhile()
        if fault is Fault.BEFORE:
            self.interrupted = True
            raise Crash
        answer = self._effect(send)
        if fault is Fault.AFTER:
            self.interrupted = True
            raise Crash
        if fault is Fault.LOST:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    def _next(self, call: str, request: AWSPreparedRequest) -> tuple[Fault | None, bool, Refusal | None]:
        """Count a call, and say how it fails."""
        number = len(self.calls)
        self.calls.append(call)
        self.sizes.append(_items(request))
        hit = number == self.at
        fault = self.fault if hit else self.later.get(number)
        self.fired += fault is not None
        if hit:
            self._refused = _identity(request)
        if self.refusal and self.refusals and _identity(request) == self._refused:
            self.refusals -= 1
            return fault, hit, self.refusal
        return fault, hit, None

    def _reset_counts(self) -> None:
        self.fired = 0
        self.calls.clear()
        self.sizes.clear()

    def _effect(self, send: Send) -> AWSResponse:
        """Let moto handle one call at a time, so that the observer sees the result of exactly that call."""
        with self._lock:
            answer = send()
            self.after_each()
        return answer


@pytest.fixture
def injector(monkeypatch: pytest.MonkeyPatch, aws: object) -> Iterator[Injector]:
    """Return a transport that is in place while the test runs. Retries do not wait."""
    built = Injector()
    monkeypatch.setattr("time.sleep", lambda _: None)
    with aws_calls.through(built):
        yield built
