"""A deployment serves what it deploys: no function keeps old code, an old layer or an old parameter value."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
import yaml

from tests.template.document import logical_id
from tools import gradual
from tools.template import FUNCTION, REQUIRED, ROOT, TemplateInvalid, read, translate, written

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


# --- gradual deployments


GRADUAL = {**REQUIRED, "GradualDeployment": "Canary10Percent5Minutes"}


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the resources of two releases of the same template, prepared as `make deploy` does."""
    resources = []
    for number in range(2):
        document = deepcopy(written())
        gradual.prepare(document, gradual.new_release())
        path = tmp_path_factory.mktemp("release") / f"{number}.yaml"
        path.write_text(yaml.safe_dump(document))
        resources.append(translate(path, GRADUAL)["Resources"])
    return resources


def aliases(resources: Mapping[str, Any]) -> dict[str, str]:
    """Return the version that each function's alias serves, by the function's logical id."""
    found = [body["Properties"] for body in resources.values() if body["Type"] == "AWS::Lambda::Alias"]
    return {each["FunctionName"]["Ref"]: each["FunctionVersion"]["Fn::GetAtt"][0] for each in found}


def test_every_release_publishes_new_versions_of_all_functions_that_answer(releases: list[dict[str, Any]]) -> None:
    answering = {route.function for route in read().routes} | {"AuthorizeFunction"}
    first, second = (aliases(resources) for resources in releases)

    assert first.keys() == second.keys() == answering
    assert not set(first.values()) & set(second.values())
    assert set(first.values()) <= releases[0].keys()


def test_api_invokes_aliases_only_and_events_invoke_functions(releases: list[dict[str, Any]]) -> None:
    api = json.dumps(releases[0]["Api"]["Properties"]["Body"])
    invoked = set(re.findall(r"functions/\$\{(\w+)", api)) - {"__FunctionArn__"}

    assert invoked
    assert all(name.endswith("FunctionAliaslive") for name in invoked)
    assert '"__FunctionArn__": {"Ref": "AuthorizeFunctionAliaslive"}' in api
    for mapping in (each for each in releases[0].values() if each["Type"] == "AWS::Lambda::EventSourceMapping"):
        assert mapping["Properties"]["FunctionName"]["Ref"] in FUNCTIONS


def test_alarms_stop_a_gradual_deployment(releases: list[dict[str, Any]]) -> None:
    nested = written(ROOT / "alarms.yaml")
    groups = [each for each in releases[0].values() if each["Type"] == "AWS::CodeDeploy::DeploymentGroup"]

    for group in groups:
        alarms = group["Properties"]["AlarmConfiguration"]["Alarms"]
        assert [each["Name"]["Fn::GetAtt"] for each in alarms] == [["Alarms", f"Outputs.{n}"] for n in gradual.ALARMS]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["Properties"]["AutoRollbackConfiguration"]["Events"]
        assert group["Properties"]["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": GRADUAL["GradualDeployment"]}
    for name in gradual.ALARMS:
        alarm = nested["Resources"][nested["Outputs"][name]["Value"]["Ref"]]
        assert alarm["Type"] == "AWS::CloudWatch::Alarm"  # CodeDeploy takes no composite alarms


def test_gradual_deployment_is_refused_unless_it_is_prepared() -> None:
    assert written()["Parameters"]["GradualDeployment"]["Default"] == "none"
    with pytest.raises(TemplateInvalid, match="make deploy"):
        read(given=GRADUAL)


@pytest.mark.parametrize(
    ("parameters", "asked"),
    [
        ([], False),
        (["GradualDeployment=none"], False),
        (["AppName=a", "GradualDeployment=Canary10Percent5Minutes"], True),
    ],
)
def test_parameters_of_a_stage_ask_for_a_gradual_deployment(parameters: list[str], asked: bool) -> None:
    assert gradual.is_asked_for(parameters) is asked


# --- data, capacity and logs


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
