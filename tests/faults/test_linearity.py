"""Check the check: it accepts linearizable histories only."""

import pytest

from profile_media.domain.model import Slot
from tests.builders import ADA
from tests.faults.linearity import Change, Fate, Operation, Value, Wish, violations

AVATAR = (ADA, Slot.AVATAR)


def to(value: Value, by: int, began: int, ended: int, fate: Fate = Fate.DONE) -> Operation:
    """Return an operation that writes a value."""
    return Operation(by, f"{by} to {value}", Wish(AVATAR, value), began, ended, fate)


def became(value: Value, at: int, by: int) -> Change:
    """Return a change."""
    return Change(at, by, AVATAR, value)


GOOD = {
    "one after the other": ([to("a", 0, 1, 2), to("b", 1, 3, 4)], [became("a", 2, 0), became("b", 4, 1)]),
    "concurrent": ([to("a", 0, 1, 4), to("b", 1, 2, 3)], [became("b", 3, 1), became("a", 4, 0)]),
    "same value twice": ([to("a", 0, 1, 3), to("a", 1, 2, 4)], [became("a", 3, 0)]),
    "removal from an empty slot": ([to(None, 0, 1, 2), to("a", 1, 1, 3)], [became("a", 3, 1)]),
    "refused": ([to("a", 0, 1, 2), to("b", 1, 1, 3, Fate.REFUSED)], [became("a", 2, 0)]),
    "died after its effect": ([to("a", 0, 1, 2, Fate.UNKNOWN)], [became("a", 2, 0)]),
    "died before its effect": ([to("a", 0, 1, 2, Fate.UNKNOWN)], []),
}

BAD = {
    "success without effect": ([to("a", 0, 1, 2)], []),
    "success with a later effect": ([to("a", 0, 1, 2), to("a", 1, 3, 4)], [became("a", 4, 1)]),
    "success with an earlier effect": ([to(None, 0, 3, 4), to("a", 1, 1, 2)], [became("a", 2, 1)]),
    "refusal with an effect": ([to("a", 0, 1, 2, Fate.REFUSED)], [became("a", 2, 0)]),
    "changed twice": ([to("a", 0, 1, 4), to("b", 1, 1, 3)], [became("a", 2, 0), became("b", 3, 1), became("a", 4, 0)]),
    "changed to something else": ([to("a", 0, 1, 4)], [became("b", 2, 0), became("a", 3, 0)]),
    "change without an operation": ([to("a", 0, 1, 2)], [became("a", 2, 0), became(None, 3, 7)]),
}


@pytest.mark.parametrize("history", GOOD)
def test_linearizable_history_is_accepted(history: str) -> None:
    assert list(violations(None, *GOOD[history])) == []


@pytest.mark.parametrize("history", BAD)
def test_other_history_is_rejected(history: str) -> None:
    assert list(violations(None, *BAD[history])) != []


def test_value_before_the_history_counts() -> None:
    assert list(violations("a", [to("a", 0, 1, 2)], [])) == []
    assert list(violations("a", [to(None, 0, 1, 2)], [])) != []
