"""DynamoDB capacity units, compared with the rules of AWS's developer guide."""

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
        ({"set": {"SS": ["ab", "c"]}}, 3 + 3),
        ({"list": {"L": [{"S": "ab"}, {"S": "c"}]}}, 4 + 3 + (2 + 1) + (1 + 1)),
        ({"map": {"M": {"a": {"N": "12"}}}}, 3 + 3 + (1 + 2 + 1)),
        ({"a": {"S": "b"}, "c": {"S": "d"}}, 4),
    ],
)
def test_item_size_counts_names_and_values(item: Item, size: int) -> None:
    assert item_size(item) == size


def test_item_size_refuses_unknown_types() -> None:
    with pytest.raises(ValueError, match="NS"):
        item_size({"numbers": {"NS": ["1"]}})


@pytest.mark.parametrize(("size", "units"), [(0, 1), (4096, 1), (4097, 2), (8193, 3)])
def test_read_units_are_per_4_kb(size: int, units: int) -> None:
    assert read_units(size) == units
    assert read_units(size, consistent=False) == units / 2
    assert read_units(size, transaction=True) == units * 2


@pytest.mark.parametrize(("before", "after", "units"), [(0, 0, 1), (0, 1024, 1), (1025, 1, 2), (1, 1025, 2)])
def test_write_units_are_per_1_kb_of_the_larger_item(before: int, after: int, units: int) -> None:
    assert write_units(before, after) == units
    assert write_units(before, after, transaction=True) == units * 2
