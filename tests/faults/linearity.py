"""Check that the history of a slot is linearizable: as if every change happened at one instant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import permutations

from profile_media.domain.model import Slot

type Place = tuple[str, Slot]
"""A slot of a user's."""

type Value = str | None
"""What a slot holds: an upload's id, a URL, or nothing."""


class Fate(Enum):
    """What the caller knows of an operation."""

    DONE = "answered with success"
    REFUSED = "refused"
    UNKNOWN = "died on the way"


@dataclass(frozen=True)
class Wish:
    """The slot that an operation changes, and the value it writes."""

    place: Place
    value: Value


@dataclass(frozen=True)
class Operation:
    """An operation on a slot, with the steps in which it began and ended."""

    by: int
    name: str
    wants: Wish
    began: int
    ended: int
    fate: Fate


@dataclass(frozen=True)
class Change:
    """A change of a slot: the step, and the number of the task that made it."""

    at: int
    by: int
    place: Place
    value: Value


def violations(first: Value, operations: Sequence[Operation], changes: Sequence[Change]) -> Iterator[str]:
    """Yield what no order of the operations explains in one slot's history."""
    for each in operations:
        own = [change for change in changes if change.by == each.by]
        if len(own) > 1:
            yield f"{each.name} changed the slot {len(own)} times"
        if own and each.fate is Fate.REFUSED:
            yield f"{each.name} was refused but changed the slot"
        if each.fate is Fate.DONE and each.wants.value not in held(first, changes, each.began, each.ended):
            yield f"{each.name} succeeded, but the slot never held its value meanwhile"
    effective = [
        each
        for each in operations
        if each.fate is Fate.DONE or (each.fate is Fate.UNKNOWN and any(change.by == each.by for change in changes))
    ]
    if not any(_explains(order, first, changes) for order in permutations(effective)):
        yield "no order of the operations explains the changes of the slot"


def held(first: Value, changes: Sequence[Change], began: int, ended: int) -> set[Value]:
    """Return the values that the slot held between two steps."""
    earlier = [first, *(change.value for change in changes if change.at < began)]
    return {earlier[-1], *(change.value for change in changes if began <= change.at <= ended)}


def _explains(order: Sequence[Operation], first: Value, changes: Sequence[Change]) -> bool:
    """Return whether the operations in this order make exactly these changes and keep to which ended first."""
    if any(later.ended < earlier.began for number, earlier in enumerate(order) for later in order[number + 1 :]):
        return False
    value, left = first, list(changes)
    for each in order:
        if each.wants.value == value:
            continue
        if not left or (left[0].by, left[0].value) != (each.by, each.wants.value):
            return False
        value = left.pop(0).value
    return not left
