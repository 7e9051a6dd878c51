"""A deployment serves what it deploys: no function keeps old code, an old layer or an old parameter value."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.template.document import logical_id
from tools.template import FUNCTION, REQUIRED, read, translate, written

FUNCTIONS = [name for name, body in written()["Resources"].items() if body["Type"] == FUNCTION]

TURNED = {**REQUIRED, "WritesPerMinute": "7"}


def served(uploaded: Mapping[str, str] | None = None, parameters: Mapping[str, str] = REQUIRED) -> dict[str, str]:
    """Return the definition of each function as its callers reach it, with all references followed."""
    resources = translate(uploaded=uploaded, parameters=parameters)["Resources"]
    values = read(given=parameters).parameters
    reached = {name: name for name in FUNCTIONS}
    for name, body in resources.items():
        if body["Type"] == "AWS::Lambda::Alias":
            reached[body["Properties"]["FunctionName"]["Ref"]] = name
    return {name: repr(list(_followed(resources[target], resources, values))) for name, target in reached.items()}


def _followed(value: Any, resources: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Any]:
    """Yield the parts of a definition; a parameter yields its value, and a layer its package."""
    match value:
        case {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionVersion": {"Fn::GetAtt": [version, _]}}}:
            yield version  # CloudFormation publishes a new version only if its logical id is new
        case {"Ref": name} if name in values:
            yield values[name]
        case {"Ref": name} if resources.get(name, {}).get("Type") == "AWS::Lambda::LayerVersion":
            yield resources[name]["Properties"]["Content"]
        case dict():
            for key, item in value.items():
                yield key
                yield from _followed(item, resources, values)
        case list():
            for item in value:
                yield from _followed(item, resources, values)
        case _:
            yield value


@pytest.fixture(scope="module")
def before() -> dict[str, str]:
    return served()


@pytest.mark.parametrize("layer", ["DependenciesArm64Layer", "ProfileMediaLayer"])
def test_all_functions_serve_a_changed_layer(layer: str, before: dict[str, str]) -> None:
    after = served({layer: "s3://packages/changed"})

    assert {name for name in FUNCTIONS if after[name] == before[name]} == set()


def test_function_serves_its_changed_code(before: dict[str, str]) -> None:
    changed = logical_id("bind_avatar")

    after = served({changed: "s3://packages/changed"})

    assert {name for name in FUNCTIONS if after[name] != before[name]} == {changed}


def test_exactly_the_functions_with_a_parameter_serve_its_changed_value(before: dict[str, str]) -> None:
    readers = {name for name, function in read().functions.items() if "WRITES_PER_MINUTE" in function.environment}

    after = served(parameters=TURNED)

    assert {name for name in FUNCTIONS if after[name] != before[name]} == readers


def test_no_version_or_alias_stands_before_a_function() -> None:
    types = {body["Type"] for body in translate()["Resources"].values()}

    assert not types & {"AWS::Lambda::Alias", "AWS::Lambda::Version"}


@pytest.mark.parametrize("name", ["UsersTable", "UploadsTable", "MediaBucket"])
def test_data_outlives_the_stack_but_not_a_failed_first_deployment(name: str) -> None:
    resource = written()["Resources"][name]

    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_defaults_reserve_no_concurrency() -> None:
    assert [name for name, function in read().functions.items() if function.concurrency is not None] == []


def test_no_log_level_drops_metrics() -> None:
    """Lambda treats metrics, which have no level, as INFO and drops them above that."""
    assert set(written()["Parameters"]["LogLevel"]["AllowedValues"]) <= {"DEBUG", "INFO"}
