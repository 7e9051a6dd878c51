"""Whether what became of a slot is as if every change had happened at one instant, one after the other."""

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
    """What its caller knows of an operation."""

    DONE = "answered with success"
    REFUSED = "refused"
    UNKNOWN = "died on the way"


@dataclass(frozen=True)
class Wish:
    """What a slot is to hold."""

    place: Place
    value: Value


@dataclass(frozen=True)
class Operation:
    """Something that was meant to be done to a slot, with the steps of its beginning and its end."""

    by: int
    name: str
    wants: Wish
    began: int
    ended: int
    fate: Fate


@dataclass(frozen=True)
class Change:
    """A slot came to hold something else: at which step, and by whose doing."""

    at: int
    by: int
    place: Place
    value: Value


def wrongs(first: Value, operations: Sequence[Operation], changes: Sequence[Change]) -> Iterator[str]:
    """What of one slot's history cannot be explained."""
    for each in operations:
        own = [change for change in changes if change.by == each.by]
        if len(own) > 1:
            yield f"{each.name} changed the slot {len(own)} times"
        if own and each.fate is Fate.REFUSED:
            yield f"{each.name} was refused and changed the slot"
        if each.fate is Fate.DONE and each.wants.value not in held(first, changes, each.began, each.ended):
            yield f"{each.name} was done, and the slot never held what it wanted meanwhile"
    effective = [
        each
        for each in operations
        if each.fate is Fate.DONE or (each.fate is Fate.UNKNOWN and any(change.by == each.by for change in changes))
    ]
    if not any(_explains(order, first, changes) for order in permutations(effective)):
        yield "no order of what was done explains what the slot held"


def held(first: Value, changes: Sequence[Change], began: int, ended: int) -> set[Value]:
    """What the slot held between two steps."""
    earlier = [first, *(change.value for change in changes if change.at < began)]
    return {earlier[-1], *(change.value for change in changes if began <= change.at <= ended)}


def _explains(order: Sequence[Operation], first: Value, changes: Sequence[Change]) -> bool:
    """Whether doing one after the other, in this order, makes just these changes, and keeps to who ended first."""
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
