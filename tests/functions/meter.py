"""Record the calls of a handler, with the capacity units that they use in DynamoDB."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tests import aws_calls, cloud
from tools.bench.cost.units import item_size, read_units, write_units

KEYS = {cloud.USERS_TABLE: ("user_id",), cloud.UPLOADS_TABLE: ("owner_id", "upload_id")}


@dataclass
class Usage:
    """The calls in order, and the units of the tables, without those of their indexes."""

    calls: list[str] = field(default_factory=list)
    read_units: float = 0
    write_units: float = 0


class Meter:
    """Measures every item that a request names, before and after the request."""

    def __init__(self, aws: cloud.Cloud) -> None:
        self.usage = Usage()
        self._aws = aws

    def __call__(self, call: str, request: AWSPreparedRequest, send: aws_calls.Send) -> AWSResponse:
        service, _, operation = call.partition(".")
        asked: Any = (
            json.loads(str(request.body, "utf-8")) if isinstance(request.body, bytes) and service == "dynamodb" else {}
        )
        before = self._sizes(asked)
        answer = send()
        self._add(operation, asked, before, self._sizes(asked))
        return answer

    def _add(self, operation: str, asked: Mapping[str, Any], before: list[int], after: list[int]) -> None:
        self.usage.calls.append(operation)
        if operation == "GetItem":
            self.usage.read_units += read_units(before[0], consistent=asked.get("ConsistentRead", False))
        elif operation == "TransactGetItems":
            self.usage.read_units += sum(read_units(size, transaction=True) for size in before)
        elif before:
            transaction = operation == "TransactWriteItems"
            pairs = zip(before, after, strict=True)
            self.usage.write_units += sum(write_units(*pair, transaction=transaction) for pair in pairs)

    def _sizes(self, asked: Mapping[str, Any]) -> list[int]:
        """Return the size of each named item; 0 where there is none."""
        if "TransactItems" in asked:
            targets = [target for each in asked["TransactItems"] for target in each.values()]
        else:
            targets = [asked] if "TableName" in asked else []
        return [item_size(self._item(target)) for target in targets]

    def _item(self, target: Mapping[str, Any]) -> Mapping[str, Any]:
        table = target["TableName"]
        given = target.get("Key") or target["Item"]
        key = {name: given[name] for name in KEYS[table]}
        found: Mapping[str, Any] = self._aws.dynamodb.get_item(TableName=table, Key=key).get("Item", {})
        return found


@contextmanager
def metered(aws: cloud.Cloud) -> Iterator[Usage]:
    """Measure what is called meanwhile."""
    meter = Meter(aws)
    with aws_calls.through(meter):
        yield meter.usage
