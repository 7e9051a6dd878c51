"""Filter patterns match what Lambda's match."""

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
def test_record_matches_if_each_field_meets_one_condition(pattern: dict[str, Any], passes: bool) -> None:
    assert matches(pattern, RECORD) is passes


def test_unsupported_condition_is_refused() -> None:
    with pytest.raises(PatternUnknown, match="cidr"):
        matches({"eventName": [{"cidr": "10.0.0.0/8"}]}, RECORD)
