"""Sees every call that is made to AWS, ours or the usual way's alike, and what it takes there."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from tests import cloud
from tools.bench.cost.units import item_size, read_units, write_units


@dataclass(frozen=True)
class Call:
    """One request to AWS: DynamoDB's with the units it takes."""

    service: str
    operation: str
    read_units: float = 0
    write_units: float = 0


@contextmanager
def recording() -> Iterator[list[Call]]:
    """The calls made meanwhile, in order."""
    calls: list[Call] = []
    original = BotocoreStubber.__call__

    def stubbed(stubber: BotocoreStubber, event_name: str, request: Any, **more: Any) -> Any:
        _, service, operation = event_name.split(".")
        asked = json.loads(request.body) if service == "dynamodb" else {}
        before = _sizes(operation, asked)
        answer = original(stubber, event_name, request, **more)
        reads, writes = _units(operation, asked, before, _sizes(operation, asked))
        calls.append(Call(service, operation, reads, writes))
        return answer

    with patch.object(BotocoreStubber, "__call__", stubbed):
        yield calls


def _units(operation: str, asked: Mapping[str, Any], before: list[int], after: list[int]) -> tuple[float, float]:
    match operation:
        case "GetItem":
            return read_units(before[0], consistent=asked.get("ConsistentRead", False)), 0
        case "TransactGetItems":
            return sum(read_units(size, transaction=True) for size in before), 0
        case "Scan" | "Query":
            consistent = asked.get("ConsistentRead", False)
            return read_units(sum(before), consistent=consistent), 0
        case "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems":
            transaction = operation.startswith("Transact")
            sizes = zip(before, after, strict=True)
            return 0, sum(write_units(found, left, transaction=transaction) for found, left in sizes)
    return 0, 0


def _sizes(operation: str, asked: Mapping[str, Any]) -> list[int]:
    """Of each item that the request is about, as it lies there now."""
    if operation in {"Scan", "Query"}:
        return [_size(row) for row in _table(asked).all_items()]
    return [_size(_find(each)) for each in _targets(asked)]


def _targets(asked: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    if "TransactItems" in asked:
        return [target for each in asked["TransactItems"] for target in each.values()]
    return [asked] if "TableName" in asked else []


def _find(target: Mapping[str, Any]) -> Any:
    table, key = _table(target), target.get("Key") or target["Item"]
    names = [table.hash_key_attr, *([table.range_key_attr] if table.has_range_key else [])]
    return table.get_item(*(DynamoType(key[name]) for name in names))


def _table(target: Mapping[str, Any]) -> Any:
    return dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables[target["TableName"]]


def _size(row: Any) -> int:
    return item_size({name: cloud.on_the_wire(value) for name, value in row.attrs.items()}) if row else 0
