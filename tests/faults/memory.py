"""Answers a call to AWS that was made before in the same state as it was answered then, without asking moto again.

Schedules that are explored one by one begin alike, and moto takes most of their time. What moto answers and does
depends on the request and on what is stored, and on nothing else while the clock stands still.
"""

import pickle
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from tests import cloud
from tests.faults.observer import Observer, Snapshot

type Answer = tuple[int, Mapping[str, str], bytes | str]

_TOKEN = re.compile(rb'"ClientRequestToken": ?"[^"]*"')
"""A random part of a transaction, which moto ignores."""


type State = tuple[int, int, int]
"""What DynamoDB, S3 and SQS hold, each by the number of what it holds."""

SERVICES = ("dynamodb", "s3", "sqs")


def _tables() -> dict[str, Any]:
    return dict(dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables)


def _buckets() -> dict[str, Any]:
    return dict(s3_backends[cloud.ACCOUNT]["aws"].buckets)


def _content(body: Any) -> bytes:
    """Of a request; files are left as they were found."""
    if isinstance(body, bytes):
        return body
    if body is None:
        return b""
    content: bytes = body.read()
    body.seek(0)
    return content


def _queue() -> Any:
    return sqs_backends[cloud.ACCOUNT][cloud.REGION].queues["purge"]


def _take(service: str) -> tuple[Hashable, Any]:
    """What a service holds now: what tells it from anything else, and what it takes to hold it again."""
    if service == "dynamodb":
        tables = _tables()
        rows = frozenset(str(row.to_json()) for table in tables.values() for row in table.all_items())
        return rows, {name: pickle.dumps(table.items) for name, table in tables.items()}
    if service == "s3":
        held = {name: {key: list(kept) for key, kept in dict.items(each.keys)} for name, each in _buckets().items()}
        return frozenset((name, key, kept[-1].etag) for name, keys in held.items() for key, kept in keys.items()), held
    messages = tuple(_queue()._messages)
    return tuple(message.body for message in messages), messages


def _give(service: str, held: Any) -> None:
    """Makes a service hold what it held."""
    if service == "dynamodb":
        for name, table in _tables().items():
            table.items = pickle.loads(held[name])  # noqa: S301 - it was pickled above
    elif service == "s3":
        for name, bucket in _buckets().items():
            dict.clear(bucket.keys)
            dict.update(bucket.keys, {key: list(kept) for key, kept in held[name].items()})
    else:
        _queue()._messages = list(held)


@dataclass
class Recalling(Observer):
    """Looks once at each state that has a number."""

    memory: "Memory | None" = None

    def _snapshot(self) -> Snapshot:
        if not self.memory or not self.memory.on:
            return super()._snapshot()
        known = self.memory.snapshots
        if self.memory.at not in known:
            known[self.memory.at] = super()._snapshot()
        return known[self.memory.at]


@dataclass
class Memory:
    """Stands between the SDK and moto, while it is on; `at` is what AWS holds."""

    on: bool = False
    at: State = (0, 0, 0)
    heard: list[tuple[Hashable, Hashable]] = field(default_factory=list)
    """Each request that passed by, with its answer."""
    snapshots: dict[State, Snapshot] = field(default_factory=dict)
    _held: dict[str, list[Any]] = field(default_factory=lambda: {service: [] for service in SERVICES})
    _numbers: dict[tuple[str, Hashable], int] = field(default_factory=dict)
    _known: dict[Hashable, tuple[Answer, int]] = field(default_factory=dict)

    def take_in(self) -> State:
        """Learns what AWS holds now."""
        self.at = (self._number("dynamodb"), self._number("s3"), self._number("sqs"))
        return self.at

    def answer(self, original: Callable[[Any], Answer], request: Any) -> Answer:
        """moto's answer and effect, or those remembered."""
        if not self.on:
            return original(request)
        target = request.headers.get("X-Amz-Target")
        what = (request.method, request.url, target, _TOKEN.sub(b"", _content(request.body)))
        (place,) = [number for number, service in enumerate(SERVICES) if f"{service}." in request.url.split("/")[2]]
        before = (what, self.at[place])
        if before in self._known:
            answer, after = self._known[before]
            if after != self.at[place]:
                _give(SERVICES[place], self._held[SERVICES[place]][after])
        else:
            answer = original(request)
            after = self._number(SERVICES[place])
            self._known[before] = answer, after
        self.at = (*self.at[:place], after, *self.at[place + 1 :])  # type: ignore[assignment]
        self.heard.append((what, (answer[0], answer[2])))
        return answer

    def _number(self, service: str) -> int:
        """Of what a service holds now."""
        identity, held = _take(service)
        if (service, identity) not in self._numbers:
            self._numbers[service, identity] = len(self._held[service])
            self._held[service].append(held)
        return self._numbers[service, identity]
