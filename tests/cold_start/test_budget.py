"""A function's cold start is what it imports; none gets heavier without somebody saying so in budget.json."""

import pytest

from tests.cold_start.budget import Imports, allowed, measured
from tests.template.document import FOLDERS

SPARE = 1.03
"""Bytecode may grow by this much unsaid: code is edited, and other patches of Python compile a little differently."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_imports_no_more_than_its_budget(folder: str) -> None:
    now, budget = measured(folder), allowed(folder)

    came_in = sorted(now.modules - budget.modules)

    assert came_in == [], f"{folder} imports more than before; if it must: python -m tests.cold_start.budget"
    assert now.kilobytes <= budget.kilobytes * SPARE, f"{folder} runs more code; python -m tests.cold_start.budget"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_budget_is_lowered_with_what_it_is_for(folder: str) -> None:
    ours = {module for module in allowed(folder).modules if module.startswith("profile_media")}

    assert ours <= measured(folder).modules, "python -m tests.cold_start.budget"


def test_the_authorizer_needs_neither_aws_nor_powertools_nor_pydantic() -> None:
    assert _packages(measured("authorize")).isdisjoint(
        {"botocore", "urllib3", "pydantic", "aws_lambda_powertools", "PIL"}
    )


@pytest.mark.parametrize("folder", ["release_media", "purge_media"])
def test_what_reads_no_row_does_not_load_what_reads_them(folder: str) -> None:
    assert "profile_media.aws.dynamodb" not in measured(folder).modules
    assert _packages(measured(folder)).isdisjoint({"pydantic", "PIL"})


@pytest.mark.parametrize("folder", sorted({*FOLDERS} - {"process_upload"}))
def test_only_processing_needs_pillow_before_its_first_call(folder: str) -> None:
    assert "PIL" not in _packages(measured(folder))


def _packages(imports: Imports) -> set[str]:
    return {module.partition(".")[0] for module in imports.modules}
