"""Says which tests stay together where a run is spread over processes (`pytest -n 2`).

One process runs every test that calls handlers, because their calls and their logs are looked at as a whole when all of
them are done; the local stacks share one, or they would take the machine from each other.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

HANDLERS = "handlers"

_TOGETHER = {f"tests/{folder}": HANDLERS for folder in ("dialects", "faults", "functions", "fuzz", "logs", "model")}
_TOGETHER |= {"": HANDLERS, "tests/openapi": HANDLERS, "tests/e2e": "stack", "tests/local": "stack"}
"""By folder; the logbook, which is in none, comes last of all, and fails tests elsewhere that call handlers."""

_APART = "tests/mutants"
"""Each of these takes seconds, and has a copy of the project to itself."""


def group_of(nodeid: str) -> str:
    """The tests that run in the same process as this one: those of its file, if of no larger group, or none."""
    file = nodeid.partition("::")[0]
    folder = "/".join(file.split("/")[:2])
    return nodeid if folder == _APART else _TOGETHER.get(folder, file)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out whole groups, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Takes the place of whatever `--dist` names."""
    return Scheduling(config, log)


def is_one_of_several(config: pytest.Config) -> bool:
    """Whether this process runs a part of the tests only."""
    return hasattr(config, "workerinput")
