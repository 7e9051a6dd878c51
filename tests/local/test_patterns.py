"""Filters let through what Lambda's would."""

from typing import Any

import pytest

from tools.local.patterns import PatternUnknown, matches

RECORD = {
    "eventName": "REMOVE",
    "dynamodb": {"Keys": {"upload_id": {"S": "4c1f"}}, "size": 12},
    "userIdentity": None,
}


@pytest.mark.parametrize(
    ("pattern", "passes"),
    [
        ({}, True),
        ({"eventName": ["REMOVE"]}, True),
        ({"eventName": ["INSERT", "MODIFY"]}, False),
        ({"eventName": ["REMOVE"], "absent": ["x"]}, False),
        ({"dynamodb": {"Keys": {"upload_id": {"S": [{"prefix": "a"}, {"prefix": "4"}]}}}}, True),
        ({"dynamodb": {"Keys": {"upload_id": {"S": [{"prefix": "quota"}]}}}}, False),
        ({"dynamodb": {"Keys": {"other": {"S": [{"prefix": ""}]}}}}, False),
        ({"eventName": [{"suffix": "MOVE"}]}, True),
        ({"eventName": [{"equals-ignore-case": "remove"}]}, True),
        ({"eventName": [{"anything-but": ["INSERT"]}]}, True),
        ({"eventName": [{"anything-but": "REMOVE"}]}, False),
        ({"eventName": [{"anything-but": {"prefix": "RE"}}]}, False),
        ({"dynamodb": {"size": [{"numeric": [">", 10, "<=", 12]}]}}, True),
        ({"dynamodb": {"size": [{"numeric": [">", 12]}]}}, False),
        ({"eventName": [{"numeric": [">", 1]}]}, False),
        ({"absent": [{"exists": False}]}, True),
        ({"eventName": [{"exists": False}]}, False),
        ({"userIdentity": [None]}, True),
        ({"dynamodb": {"size": ["12"]}}, False),
        ({"$or": [{"eventName": ["INSERT"]}, {"dynamodb": {"size": [12]}}]}, True),
        ({"$or": [{"eventName": ["INSERT"]}, {"dynamodb": {"size": [13]}}]}, False),
    ],
)
def test_a_record_passes_if_every_field_matches_one_of_its_conditions(pattern: dict[str, Any], passes: bool) -> None:
    assert matches(pattern, RECORD) is passes


def test_a_condition_that_is_not_known_is_refused_rather_than_ignored() -> None:
    with pytest.raises(PatternUnknown, match="cidr"):
        matches({"eventName": [{"cidr": "10.0.0.0/8"}]}, RECORD)
