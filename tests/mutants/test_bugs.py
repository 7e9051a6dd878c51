"""The gate: bugs of every kind the service must not have, one at a time, and each makes a test fail."""

import pytest

from tests.assurance import Note
from tests.mutants.bugs import BUGS
from tests.mutants.conftest import CAUGHT
from tests.mutants.workbench import Bug, Workbench

pytestmark = pytest.mark.campaign("F-7")

FAILED = 1
"""How pytest ends where tests failed. Other ends, such as a file that cannot be loaded, catch no bug."""

BROKEN = Bug(
    name="nothing can be loaded",
    file="layers/profile_media/profile_media/domain/model.py",
    text="from enum import StrEnum\n",
    instead='raise ImportError("seeded")\n',
    tests=("tests/unit/domain/test_keys.py",),
)


@pytest.mark.parametrize("tests", sorted({test for bug in BUGS for test in bug.tests}))
def test_without_a_bug_the_tests_pass(workbench: Workbench, tests: str) -> None:
    verdict = workbench.run([tests])
    assert verdict.exit_code == 0, verdict.output


def test_what_runs_is_the_copy(workbench: Workbench) -> None:
    with workbench.holding(BROKEN):
        verdict = workbench.run(BROKEN.tests)
    assert verdict.exit_code not in {0, FAILED}
    assert "ImportError: seeded" in verdict.output


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_caught(workbench: Workbench, bug: Bug, note: Note, request: pytest.FixtureRequest) -> None:
    with workbench.holding(bug):
        verdict = workbench.run(bug.tests)
    caught_by = verdict.caught_by if verdict.exit_code == FAILED else "NOTHING"
    request.node.user_properties.append((CAUGHT, (bug.name, caught_by, verdict.seconds)))
    assert verdict.exit_code == FAILED, verdict.output
    note.add("bugs caught")
