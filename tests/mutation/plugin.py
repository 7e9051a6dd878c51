"""A plugin of pytest for mutmut 3.7, which selects tests by their node ids.

It reads the id from an attribute that pytest 9.1 renamed, and pytest does not find ids with a backslash again, so
these tests are left out.
"""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out tests with a backslash in their id, and give the others the attribute with the old name."""
    items[:] = [item for item in items if "\\" not in item.nodeid]
    for item in items:
        item.__dict__["_nodeid"] = item.nodeid
