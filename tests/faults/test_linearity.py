"""The judge of histories accepts what can be explained, and nothing else."""

import pytest

from profile_media.domain.model import Slot
from tests.builders import ADA
from tests.faults.linearity import Change, Fate, Operation, Value, Wish, wrongs

pytestmark = pytest.mark.campaign("F-5")

AVATAR = (ADA, Slot.AVATAR)


def to(value: Value, by: int, began: int, ended: int, fate: Fate = Fate.DONE) -> Operation:
    """Somebody means the slot to hold this."""
    return Operation(by, f"{by} to {value}", Wish(AVATAR, value), began, ended, fate)


def became(value: Value, at: int, by: int) -> Change:
    """It did."""
    return Change(at, by, AVATAR, value)


GOOD = {
    "one after the other": ([to("a", 0, 1, 2), to("b", 1, 3, 4)], [became("a", 2, 0), became("b", 4, 1)]),
    "at once": ([to("a", 0, 1, 4), to("b", 1, 2, 3)], [became("b", 3, 1), became("a", 4, 0)]),
    "the same twice": ([to("a", 0, 1, 3), to("a", 1, 2, 4)], [became("a", 3, 0)]),
    "nothing to remove yet": ([to(None, 0, 1, 2), to("a", 1, 1, 3)], [became("a", 3, 1)]),
    "refused": ([to("a", 0, 1, 2), to("b", 1, 1, 3, Fate.REFUSED)], [became("a", 2, 0)]),
    "died after its effect": ([to("a", 0, 1, 2, Fate.UNKNOWN)], [became("a", 2, 0)]),
    "died before its effect": ([to("a", 0, 1, 2, Fate.UNKNOWN)], []),
}

BAD = {
    "done, and never so": ([to("a", 0, 1, 2)], []),
    "done, and so only later": ([to("a", 0, 1, 2), to("a", 1, 3, 4)], [became("a", 4, 1)]),
    "done, and so only earlier": ([to(None, 0, 3, 4), to("a", 1, 1, 2)], [became("a", 2, 1)]),
    "refused, and yet so": ([to("a", 0, 1, 2, Fate.REFUSED)], [became("a", 2, 0)]),
    "changed twice": ([to("a", 0, 1, 4), to("b", 1, 1, 3)], [became("a", 2, 0), became("b", 3, 1), became("a", 4, 0)]),
    "changed to something else": ([to("a", 0, 1, 4)], [became("b", 2, 0), became("a", 3, 0)]),
    "changed by nobody who meant to": ([to("a", 0, 1, 2)], [became("a", 2, 0), became(None, 3, 7)]),
}


@pytest.mark.parametrize("history", GOOD)
def test_what_some_order_explains_is_right(history: str) -> None:
    assert list(wrongs(None, *GOOD[history])) == []


@pytest.mark.parametrize("history", BAD)
def test_what_no_order_explains_is_wrong(history: str) -> None:
    assert list(wrongs(None, *BAD[history])) != []


def test_what_was_held_before_counts() -> None:
    assert list(wrongs("a", [to("a", 0, 1, 2)], [])) == []
    assert list(wrongs("a", [to(None, 0, 1, 2)], [])) != []
