"""The table of seeded bugs stays in step with the code it is about."""

import ast

import pytest

from tests.mutants.bugs import BUGS
from tests.mutants.workbench import ROOT, Bug

pytestmark = pytest.mark.campaign("F-7")


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_still_has_its_place(bug: Bug) -> None:
    for change in bug.changes:
        content = change.applied((ROOT / change.file).read_text())
        if change.file.endswith(".py"):
            ast.parse(content)
    for test in bug.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).exists()
        assert f"def {name.partition('[')[0]}" in (ROOT / file).read_text() if name else True


def test_bugs_have_names_of_their_own() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert len({(bug.file, bug.text, bug.instead, bug.also) for bug in BUGS}) == len(BUGS)


def test_a_text_that_is_not_there_exactly_once_is_no_bug() -> None:
    bug = Bug("", "", "once", "never", ())
    assert bug.applied("once") == "never"
    for content in ("", "once and once"):
        with pytest.raises(ValueError, match="times, not once"):
            bug.applied(content)


def test_a_bug_that_changes_nothing_is_none() -> None:
    with pytest.raises(ValueError, match="nothing would change"):
        Bug("", "", "once", "once", ()).applied("once")
