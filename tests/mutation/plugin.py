"""A plugin of pytest for mutmut 3.7, which reads an item's node id from an attribute that pytest 9.1 renamed."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each item the attribute with the old name."""
    for item in items:
        item.__dict__["_nodeid"] = item.nodeid
