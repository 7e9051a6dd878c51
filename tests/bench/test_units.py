"""Capacity units are those of AWS's pages: sizes of names and values, 4 KB a read, 1 KB a write, transactions twice."""

import pytest

from tools.bench.cost.units import Item, item_size, read_units, write_units


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"a": {"S": "bc"}}, 1 + 2),
        ({"ä": {"S": "€"}}, 2 + 3),
        ({"n": {"N": "100"}}, 1 + 1 + 1),
        ({"n": {"N": "1795176000123"}}, 1 + 7 + 1),
        ({"n": {"N": "0"}}, 1 + 1),
        ({"yes": {"BOOL": True}}, 3 + 1),
        ({"none": {"NULL": True}}, 4 + 1),
        ({"set": {"SS": ["ab", "c"]}}, 3 + 3),
        ({"list": {"L": []}}, 4 + 3),
        ({"list": {"L": [{"S": "ab"}, {"S": "c"}]}}, 4 + 3 + (2 + 1) + (1 + 1)),
        ({"map": {"M": {"a": {"N": "12"}}}}, 3 + 3 + (1 + 2 + 1)),
        ({"a": {"S": "b"}, "c": {"S": "d"}}, 4),
    ],
)
def test_items_weigh_their_names_and_values(item: Item, size: int) -> None:
    assert item_size(item) == size


def test_what_has_no_known_size_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="NS"):
        item_size({"numbers": {"NS": ["1"]}})


@pytest.mark.parametrize(("size", "strong"), [(0, 1), (1, 1), (4096, 1), (4097, 2), (8193, 3)])
def test_reads_count_by_4_kb(size: int, strong: int) -> None:
    assert read_units(size) == strong
    assert read_units(size, consistent=False) == strong / 2
    assert read_units(size, transaction=True) == strong * 2


@pytest.mark.parametrize(
    ("before", "after", "units"), [(0, 0, 1), (0, 1024, 1), (1025, 1, 2), (1, 1025, 2), (2049, 0, 3)]
)
def test_writes_count_by_1_kb_of_what_was_or_is_larger(before: int, after: int, units: int) -> None:
    assert write_units(before, after) == units
    assert write_units(before, after, transaction=True) == units * 2
