"""Read a whole table page by page, strongly consistent, and find its items by their keys."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from profile_media.aws.tables import request

PAGE = 500
"""Items of one request: about 60 read units."""

type Item = dict[str, Any]
"""An item as DynamoDB sends it."""


def pages(table: str, position: str | None = None) -> Iterator[tuple[list[Item], str | None]]:
    """Yield pages of items, each with the position after it; None at the end."""
    while True:
        start = {"ExclusiveStartKey": json.loads(position)} if position else {}
        answer = request("Scan", {"TableName": table, "Limit": PAGE, "ConsistentRead": True, **start})
        last = answer.get("LastEvaluatedKey")
        position = json.dumps(last) if last else None
        yield answer["Items"], position
        if position is None:
            return


def items(table: str) -> Iterator[Item]:
    """Yield all items."""
    for page, _ in pages(table):
        yield from page


def find(table: str, key: Mapping[str, Any]) -> Item | None:
    """Return an item; None if there is none."""
    found: Item | None = request("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True}).get("Item")
    return found
