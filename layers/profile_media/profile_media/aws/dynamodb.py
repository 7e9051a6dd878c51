"""What the tables need of DynamoDB: strong reads, conditional writes, and transactions that wait for one another.

Values go in and items come out as the wire has them: `{"S": "text"}`, `{"N": "42"}`. In expressions every attribute is
`#its_name`, because any name may be one of DynamoDB's reserved words, and every value `:its_name`.
"""

import random
import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from profile_media.aws import session
from profile_media.domain.errors import Unavailable

type Item = Mapping[str, Any]

_CONFLICTS = 5
_CONFLICT_PAUSE = 0.02
"""Seconds; a transaction takes some 10 ms, so the one in the way is gone after a few."""

_CONDITION_FAILED = "ConditionalCheckFailed"
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons of a cancelled transaction that go away by themselves."""

_METHODS = MappingProxyType({"Put": "put_item", "Update": "update_item", "Delete": "delete_item"})
_NAME = re.compile(r"#(\w+)")


class Write(NamedTuple):
    """One write, by itself or in a transaction."""

    kind: str
    request: Mapping[str, Any]


def put(table: str, item: Item, condition: str, /, **values: object) -> Write:
    """Writes an item, in place of the one that has its key."""
    return Write("Put", _conditional({"TableName": table, "Item": item}, condition, values))


def update(table: str, key: Item, changes: str, condition: str = "", /, **values: object) -> Write:
    """Changes an item, or makes it.

    >>> update("users", {"user_id": {"S": "ada"}}, "SET #seen = :now", now=5).request["ExpressionAttributeValues"]
    {':now': {'N': '5'}}
    """
    return Write(
        "Update", _conditional({"TableName": table, "Key": key, "UpdateExpression": changes}, condition, values)
    )


def delete(table: str, key: Item, condition: str = "", /, **values: object) -> Write:
    """Removes an item, if it is there."""
    return Write("Delete", _conditional({"TableName": table, "Key": key}, condition, values))


def get(table: str, key: Item) -> Item | None:
    """An item, read strongly."""
    with session.available():
        item: Item | None = session.dynamodb().get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return item


def get_together(*keys: tuple[str, Item]) -> list[Item | None]:
    """Items by table and key, as they were at one instant, in one call."""
    gets = [{"Get": {"TableName": table, "Key": key}} for table, key in keys]
    answer = unhindered(lambda: session.dynamodb().transact_get_items(TransactItems=gets))
    return [each.get("Item") for each in answer["Responses"]]


def write(change: Write) -> bool:
    """Writes at once; False where the condition did not hold."""
    try:
        with session.available():
            getattr(session.dynamodb(), _METHODS[change.kind])(**change.request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def transact(*writes: Write) -> tuple[bool, ...]:
    """Commits all writes, or none.

    Returns nothing where it was committed, else of each write whether its condition failed.
    """
    items = [{each.kind: each.request} for each in writes]
    try:
        unhindered(lambda: session.dynamodb().transact_write_items(TransactItems=items))
    except ClientError as error:
        reasons = _reasons(error)
        if _CONDITION_FAILED not in reasons:
            raise
        return tuple(reason == _CONDITION_FAILED for reason in reasons)
    return ()


def unhindered[Result](attempt: Callable[[], Result]) -> Result:
    """Runs a transaction, reading or writing, again while other transactions are in its way."""
    for number in range(_CONFLICTS):
        try:
            with session.available():
                return attempt()
        except ClientError as error:
            reasons = _reasons(error)
            if _CONDITION_FAILED in reasons or not _PASSING.intersection(reasons):
                raise
            time.sleep(random.uniform(0, _CONFLICT_PAUSE * 2**number))  # noqa: S311 - jitter, not a secret
    raise Unavailable("transactions kept conflicting")


def wire(value: object) -> dict[str, Any]:
    """A value as DynamoDB has it; what is None in a map is left out.

    >>> wire({"sides": [512, 64], "name": None})
    {'M': {'sides': {'L': [{'N': '512'}, {'N': '64'}]}}}
    """
    match value:
        case str():
            return {"S": str(value)}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [wire(each) for each in value]}
        case dict():
            return {"M": item_of(value)}
        case set():
            return {"SS": sorted(value)}
        case _:
            raise TypeError(f"not for a table: {type(value).__name__}")


def item_of(attributes: Mapping[str, object]) -> dict[str, Any]:
    """An item of these attributes, without those that are None."""
    return {name: wire(value) for name, value in attributes.items() if value is not None}


def _conditional(request: dict[str, Any], condition: str, values: Mapping[str, object]) -> Mapping[str, Any]:
    """The request, on a condition if there is one, with what its expressions speak of."""
    if condition:
        request["ConditionExpression"] = condition
    if names := _names(request.get("UpdateExpression", ""), condition):
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": wire(value) for name, value in values.items()}
    return request


@cache
def _names(*expressions: str) -> Mapping[str, str]:
    return {f"#{name}": name for expression in expressions for name in _NAME.findall(expression)}


def _reasons(error: ClientError) -> list[str]:
    """Why each item was in the way of a cancelled transaction."""
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]  # stubs leave it out
    return [reason.get("Code", "None") for reason in reasons]
