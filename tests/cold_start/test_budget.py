"""Each function imports what budget.json allows. Imports are the largest part of a cold start."""

import pytest

from tests.cold_start.budget import Imports, allowed, measured
from tests.template.document import FOLDERS

SPARE = 1.03
"""Bytecode may grow by 3 % without a change of the budget."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_function_imports_what_its_budget_allows(folder: str) -> None:
    now, budget = measured(folder), allowed(folder)

    added = sorted(now.modules - budget.modules)
    unused = sorted(module for module in budget.modules - now.modules if module.startswith("profile_media"))

    assert added == [], f"{folder} imports more than its budget; if it must, run `make budget`"
    assert unused == [], f"the budget of {folder} lists modules that it does not import; run `make budget`"
    assert now.kilobytes <= budget.kilobytes * SPARE, (
        f"{folder} loads more bytecode than its budget; if it must, run `make budget`"
    )


def test_authorizer_imports_neither_aws_nor_powertools_nor_pydantic() -> None:
    assert _packages(measured("authorize")).isdisjoint(
        {"botocore", "urllib3", "pydantic", "aws_lambda_powertools", "PIL"}
    )


@pytest.mark.parametrize("folder", ["release_media", "purge_media"])
def test_deletion_functions_import_no_table_models(folder: str) -> None:
    assert "profile_media.aws.models" not in measured(folder).modules


def test_only_processing_imports_pillow_before_its_first_call() -> None:
    assert {folder for folder in FOLDERS if "PIL" in _packages(measured(folder))} <= {"process_upload"}


def _packages(imports: Imports) -> set[str]:
    return {module.partition(".")[0] for module in imports.modules}
