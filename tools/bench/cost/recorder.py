"""Record every call to AWS, and the DynamoDB capacity units that it uses."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest.mock import patch

import boto3
from moto.core.botocore_stubber import BotocoreStubber

from tools.bench.cost.units import item_size, read_units, write_units

INFREQUENT = "STANDARD_IA"


@dataclass(frozen=True)
class Call:
    """One request to AWS. `thread` tells which calls were made at the same time."""

    service: str
    operation: str
    read_units: float = 0
    write_units: float = 0
    thread: int = 0
    infrequent: bool = False
    """Whether an object is stored in S3's class for infrequent access."""


@contextmanager
def recording() -> Iterator[list[Call]]:
    """Collect the calls made in the block, in order.

    Every session's requests reach moto's `BotocoreStubber`, so that is where they are seen. The sizes of items are read
    through moto, too, before and after each request; those reads are not recorded.
    """
    calls: list[Call] = []
    reading = threading.local()
    answer_request = BotocoreStubber.__call__

    def sizes(operation: str, asked: Mapping[str, Any]) -> list[int]:
        reading.now = True
        try:
            return _sizes(operation, asked) if asked else []
        finally:
            reading.now = False

    def record(stubber: BotocoreStubber, event_name: str, request: Any, **more: Any) -> Any:
        if getattr(reading, "now", False):
            return answer_request(stubber, event_name, request, **more)
        _, service, operation = event_name.split(".")
        asked = json.loads(request.body) if service == "dynamodb" else {}
        before = sizes(operation, asked)
        answer = answer_request(stubber, event_name, request, **more)
        units = _units(operation, asked, before, sizes(operation, asked))
        infrequent = _text(request.headers.get("x-amz-storage-class")) == INFREQUENT
        calls.append(Call(service, operation, *units, threading.get_ident(), infrequent))
        return answer

    with patch.object(BotocoreStubber, "__call__", record):
        yield calls


def _text(header: str | bytes | None) -> str | None:
    return header.decode() if isinstance(header, bytes) else header


@cache
def _client() -> Any:
    return boto3.client("dynamodb")


def _sizes(operation: str, asked: Mapping[str, Any]) -> list[int]:
    """Return the size of each item that a request names, as it is stored now."""
    client = _client()
    if operation == "Scan":
        return [sum(map(item_size, client.scan(TableName=asked["TableName"])["Items"]))]
    return [_stored_size(client, target) for target in _targets(asked)]


def _targets(asked: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    if "TransactItems" in asked:
        return [target for each in asked["TransactItems"] for target in each.values()]
    return [asked] if "TableName" in asked else []


def _stored_size(client: Any, target: Mapping[str, Any]) -> int:
    key = target.get("Key") or {name: target["Item"][name] for name in _key_names(client, target["TableName"])}
    found = client.get_item(TableName=target["TableName"], Key=key, ConsistentRead=True)
    return item_size(found["Item"]) if "Item" in found else 0


def _key_names(client: Any, table: str) -> list[str]:
    return [key["AttributeName"] for key in client.describe_table(TableName=table)["Table"]["KeySchema"]]


def _units(operation: str, asked: Mapping[str, Any], before: list[int], after: list[int]) -> tuple[float, float]:
    """Return read and write units."""
    match operation:
        case "GetItem" | "Scan":
            return read_units(before[0], consistent=asked.get("ConsistentRead", False)), 0
        case "TransactGetItems":
            return sum(read_units(size, transaction=True) for size in before), 0
        case "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems":
            transaction = operation.startswith("Transact")
            sizes = zip(before, after, strict=True)
            return 0, sum(write_units(old, new, transaction=transaction) for old, new in sizes)
    return 0, 0
