"""Counts every call to AWS, and makes one of them fail: before its effect, after it, or with its answer lost."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from threading import RLock
from typing import Any, Protocol

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

READS = ("Get", "List", "TransactGet", "Scan", "Query", "Receive")
"""What calls begin with that change nothing."""


class Crash(BaseException):
    """The function's process is gone; nothing may catch it."""


class Fault(StrEnum):
    """How a call fails."""

    BEFORE = "crash before the effect"
    AFTER = "crash after the effect"
    LOST = "effect, but the answer is lost: the SDK tries again"


class Says(Protocol):
    """What AWS answers in place of doing what it was asked."""

    def answer(self, url: str) -> AWSResponse:
        """The answer as it comes over the wire."""


class Refusal(StrEnum):
    """How AWS says: later."""

    THROTTLED = "ThrottlingException"
    SLOW_DOWN = "SlowDown"
    IN_CONFLICT = "TransactionConflict"

    def answer(self, url: str) -> AWSResponse:
        """The refusal as it comes over the wire."""
        if self is Refusal.SLOW_DOWN:
            return _response(url, 503, f"<Error><Code>{self}</Code><Message>later</Message></Error>")
        if self is Refusal.IN_CONFLICT:
            reasons = [{"Code": self.value, "Message": "later"}, {"Code": "None"}]
            return _response(url, 400, _dynamodb_error("TransactionCanceledException", CancellationReasons=reasons))
        return _response(url, 400, _dynamodb_error(self.value))


@dataclass(frozen=True)
class DynamoSays:
    """An error of DynamoDB's; `reasons` say why a transaction was cancelled, one for each item."""

    code: str
    reasons: tuple[str | None, ...] = ()
    status: int = 400

    def answer(self, url: str) -> AWSResponse:
        """The error as it comes over the wire."""
        more = {"CancellationReasons": [_reason(each) for each in self.reasons]} if self.reasons else {}
        return _response(url, self.status, _dynamodb_error(self.code, **more))


@dataclass(frozen=True)
class S3Says:
    """An error of S3's, or whatever else it may answer."""

    code: str
    status: int
    body: str = ""

    def answer(self, url: str) -> AWSResponse:
        """The error as it comes over the wire."""
        return _response(url, self.status, self.body or f"<Error><Code>{self.code}</Code><Message>no</Message></Error>")


@dataclass(frozen=True)
class SqsSays:
    """An error of SQS's, or what it answers to a batch of which it did not take everything."""

    code: str
    status: int = 400
    body: str = ""

    def answer(self, url: str) -> AWSResponse:
        """The error as it comes over the wire."""
        return _response(url, self.status, self.body or json.dumps({"__type": self.code, "message": "no"}))


def _reason(code: str | None) -> dict[str, str]:
    return {"Code": code, "Message": "no"} if code else {"Code": "None"}


def _identity(request: Any) -> tuple[str, str]:
    """Tells a call from those made beside it, and stays the same when it is tried again."""
    return request.url, str(request.headers.get("X-Amz-Target"))


def _size(request: Any) -> int:
    if b"Transact" not in request.headers.get("X-Amz-Target", b""):
        return 0
    return len(json.loads(request.body)["TransactItems"])


def _dynamodb_error(code: str, **more: object) -> str:
    return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "later", **more})


def _response(url: str, status: int, body: str) -> AWSResponse:
    raw = MockRawResponse(body)
    headers = HTTPHeaders.from_dict({"content-type": "application/x-amz-json-1.0"})
    return AWSResponse(url, status, headers, raw)


@dataclass
class Injector:
    """Stands between botocore and moto."""

    calls: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """Of each call, how many items its transaction has."""
    fired: int = 0
    """How many faults have come about since they were armed."""
    at: int | None = None
    fault: Fault | None = None
    later: dict[int, Fault] = field(default_factory=dict)
    """What else fails, and how; calls are counted on."""
    refusal: Says | None = None
    refusals: int = 0
    """How many of the attempts at the call are still to be refused."""
    meanwhile: Callable[[], object] | None = None
    """Happens just before the call, whole, as another invocation would."""
    before_each: Callable[[str], object] = lambda _: None
    """Is told of every call before it is made; a scheduler may hold the caller up here."""
    after_each: Callable[[], object] = lambda: None
    """Happens after every call that had an effect; an observer looks around here."""
    _refused: tuple[str, str] | None = None
    _aside: int = 0
    _lock: RLock = field(default_factory=RLock)

    def arm(self, at: int, fault: Fault, *later: tuple[int, Fault]) -> None:
        """Lets the call with this number fail, counting from 0 again, and then others."""
        self._count_anew()
        self.at, self.fault, self.later = at, fault, dict(later)

    def interrupt(self, at: int, meanwhile: Callable[[], object]) -> None:
        """Lets something else happen just before the call with this number."""
        self._count_anew()
        self.at, self.fault, self.meanwhile = at, None, meanwhile

    def refuse(self, at: int, refusal: Says, times: int) -> None:
        """Lets the call with this number be refused that often, however it is tried again."""
        self._count_anew()
        self.at, self.fault, self.refusal, self.refusals, self._refused = at, None, refusal, times, None

    def disarm(self) -> None:
        """Lets every call through."""
        self.at = self.meanwhile = self.refusal = None
        self.later.clear()

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The calls made meanwhile."""
        self._count_anew()
        yield self.calls

    @contextmanager
    def standing_aside(self) -> Iterator[None]:
        """Neither counts nor hits the calls made meanwhile: they are the world's, not a function's."""
        self._aside += 1
        try:
            yield
        finally:
            self._aside -= 1

    def __call__(self, original: Any, event_name: str, request: Any) -> Any:
        if self._aside:
            return self._effect(original, event_name, request)
        self.before_each(event_name.removeprefix("before-send."))
        with self._lock:
            number = len(self.calls)
            self.calls.append(event_name.removeprefix("before-send."))
            self.sizes.append(_size(request))
            fault = self.fault if number == self.at else self.later.get(number)
            self.fired += fault is not None
            hit = number == self.at
            if hit:
                self._refused = _identity(request)
            refused = bool(self.refusal and self.refusals and _identity(request) == self._refused)
            self.refusals -= refused
        if refused and self.refusal:
            return self.refusal.answer(request.url)
        if hit and self.meanwhile:
            meanwhile = self.meanwhile
            self.disarm()
            meanwhile()
        if fault is Fault.BEFORE:
            raise Crash
        answer = self._effect(original, event_name, request)
        if fault is Fault.AFTER:
            raise Crash
        if fault is Fault.LOST:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    @contextmanager
    def kept_armed(self) -> Iterator[None]:
        """Whatever is disarmed meanwhile is armed again afterwards."""
        names = ("at", "fault", "refusal", "refusals", "meanwhile")
        armed, later = {name: getattr(self, name) for name in names}, self.later.copy()
        yield
        vars(self).update(armed, later=later)

    def _count_anew(self) -> None:
        self.fired = 0
        self.calls.clear()
        self.sizes.clear()

    def _effect(self, original: Any, event_name: str, request: Any) -> Any:
        """One call at a time, so that what follows it sees it whole."""
        with self._lock:
            answer = original(event_name, request)
            self.after_each()
        return answer


@pytest.fixture
def injector(monkeypatch: pytest.MonkeyPatch, aws: object) -> Injector:
    """In place while the test runs; retries neither wait nor run out."""
    between = Injector()
    original = BotocoreStubber.__call__

    def stubbed(stubber: BotocoreStubber, event_name: str, request: Any, **_: Any) -> Any:
        return between(lambda *arguments: original(stubber, *arguments), event_name, request)

    monkeypatch.setattr(BotocoreStubber, "__call__", stubbed)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: True)
    return between
