"""Each function imports what budget.json allows. Imports are the largest part of a cold start."""

import pytest

from tests.cold_start.budget import Imports, allowed, measured
from tests.template.document import FOLDERS

SPARE = 1.03
"""Bytecode may grow by 3 % without a change of the budget."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_function_imports_no_more_than_its_budget(folder: str) -> None:
    now, budget = measured(folder), allowed(folder)

    came_in = sorted(now.modules - budget.modules)

    assert came_in == [], f"{folder} imports more than its budget; if it must, run `make budget`"
    assert now.kilobytes <= budget.kilobytes * SPARE, (
        f"{folder} loads more bytecode than its budget; if it must, run `make budget`"
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_budget_lists_no_unused_module(folder: str) -> None:
    ours = {module for module in allowed(folder).modules if module.startswith("profile_media")}

    assert ours <= measured(folder).modules, "run `make budget`"


def test_authorizer_imports_neither_aws_nor_powertools_nor_pydantic() -> None:
    assert _packages(measured("authorize")).isdisjoint(
        {"botocore", "urllib3", "pydantic", "aws_lambda_powertools", "PIL"}
    )


@pytest.mark.parametrize("folder", ["release_media", "purge_media"])
def test_deletion_functions_import_no_table_models(folder: str) -> None:
    assert "profile_media.aws.models" not in measured(folder).modules
    assert _packages(measured(folder)).isdisjoint({"pydantic", "PIL"})


@pytest.mark.parametrize("folder", sorted({*FOLDERS} - {"process_upload"}))
def test_only_processing_imports_pillow_before_its_first_call(folder: str) -> None:
    assert "PIL" not in _packages(measured(folder))


def _packages(imports: Imports) -> set[str]:
    return {module.partition(".")[0] for module in imports.modules}
