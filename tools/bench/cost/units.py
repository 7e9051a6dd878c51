"""DynamoDB capacity units, from the sizes of items.

Rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

READ_BYTES, WRITE_BYTES = 4096, 1024

type Item = Mapping[str, Mapping[str, Any]]
"""Attributes by name, as in DynamoDB's JSON: {"name": {"S": "Ada"}}."""


def item_size(item: Item) -> int:
    """Return the bytes of an item: the names of its attributes and their values."""
    return sum(_text(name) + _value(value) for name, value in item.items())


def read_units(size: int, *, consistent: bool = True, transaction: bool = False) -> float:
    """Return the units for reading an item of that size. A missing item costs as much as a small one."""
    units = max(1, math.ceil(size / READ_BYTES))
    return units * (2 if transaction else 1 if consistent else 0.5)


def write_units(before: int, after: int, *, transaction: bool = False) -> float:
    """Return the units for a write. The larger of the old and the new item counts."""
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
    raise ValueError(f"the size of {kind} values is not implemented")


def _text(text: str) -> int:
    return len(text.encode())


def _number(text: str) -> int:
    """Return one byte for every two significant digits, plus one."""
    digits = "".join(map(str, Decimal(text).as_tuple().digits)).strip("0")
    return math.ceil(len(digits) / 2) + 1


def _members(sizes: Iterable[int]) -> int:
    """Return three bytes for the list or map, and one for each member."""
    every = list(sizes)
    return 3 + sum(every) + len(every)
