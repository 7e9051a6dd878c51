"""DynamoDB's capacity units, from what items weigh: they are not asked of AWS, so that no call is made larger for it.

As AWS has it, in the developer guide's "DynamoDB item sizes and formats" and "DynamoDB read and write operations":
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

READ_BYTES, WRITE_BYTES = 4096, 1024
"""What one unit reads strongly, and what one writes."""

type Item = Mapping[str, Mapping[str, Any]]
"""Attributes by name, as they go over the wire: {"name": {"S": "Ada"}}."""


def item_size(item: Item) -> int:
    """Bytes that an item counts for: its attributes' names and their values."""
    return sum(_text(name) + _value(value) for name, value in item.items())


def read_units(size: int, *, consistent: bool = True, transaction: bool = False) -> float:
    """Of reading an item of that size, 0 where there is none: half where it may be stale, twice in a transaction."""
    whole = max(1, math.ceil(size / READ_BYTES))
    return whole * (2 if transaction else 1 if consistent else 0.5)


def write_units(before: int, after: int, *, transaction: bool = False) -> float:
    """Of a write that found an item of one size and left one of the other: the larger counts."""
    return max(1, math.ceil(max(before, after) / WRITE_BYTES)) * (2 if transaction else 1)


def _value(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return _text(content)
        case "N":
            return _number(content)
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(map(_text, content))
        case "L":
            return _members(map(_value, content))
        case "M":
            return _members(_text(name) + _value(member) for name, member in content.items())
    raise ValueError(f"no size is known for {kind}")


def _text(text: str) -> int:
    return len(text.encode())


def _number(text: str) -> int:
    """A byte for every two significant digits, and one."""
    digits = "".join(map(str, Decimal(text).as_tuple().digits)).strip("0")
    return math.ceil(len(digits) / 2) + 1


def _members(sizes: Iterable[int]) -> int:
    """Three bytes for the list or map, and one for each member."""
    every = list(sizes)
    return 3 + sum(every) + len(every)
