"""The stages of samconfig.toml deploy without a question, and `protect` asks AWS for what they say."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from samcli.cli.types import CfnParameterOverridesType, CfnTags
from samcli.lib.config.samconfig import SamConfig

from tests.template.document import ROOT, alarms, written
from tools import stages
from tools.template import read

STAGES = ["local", "staging", "production"]
REQUIRED = {name for name, body in written()["Parameters"].items() if "Default" not in body}
MAX_NAME = 27

STACK_ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/profile-media/1"
NESTED_ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/profile-media-Alarms-X/2"


def options(stage: str, command: str) -> dict[str, Any]:
    """Return the options of a command as SAM CLI reads them."""
    found: dict[str, Any] = SamConfig(str(ROOT)).get_all([command], "parameters", stage)
    return found


def parameters(stage: str, command: str) -> dict[str, str]:
    given: dict[str, str] = CfnParameterOverridesType().convert(
        options(stage, command)["parameter_overrides"], None, None
    )
    return given


@pytest.mark.parametrize("stage", STAGES)
def test_stage_sets_every_required_parameter_and_only_values_that_the_template_takes(stage: str) -> None:
    given = parameters(stage, "deploy")

    assert given.keys() >= REQUIRED | {"Architecture"}
    assert read(given=given).parameters.items() >= given.items()


@pytest.mark.parametrize("stage", STAGES)
def test_build_and_deploy_use_the_same_parameters(stage: str) -> None:
    assert parameters(stage, "build") == parameters(stage, "deploy")


@pytest.mark.parametrize("stage", STAGES)
def test_stage_asks_nothing(stage: str) -> None:
    deploy = options(stage, "deploy")

    assert {"stack_name", "region", "resolve_s3", "s3_prefix"} <= deploy.keys()
    assert len(deploy["stack_name"]) <= MAX_NAME
    # A person confirms what production changes; the workflow has its own approval.
    assert deploy["confirm_changeset"] is (stage == "production")
    assert "guided" not in deploy
    assert CfnTags().convert(deploy["tags"], None, None)["stage"] == stage
    # Only a nested template with a transform of its own needs the second capability.
    nested = [ROOT / body["Properties"]["TemplateURL"] for body in written()["Resources"].values()
              if body["Type"] == "AWS::CloudFormation::Stack"]  # fmt: skip
    transforms = any("Transform" in written(path) for path in nested)
    assert deploy["capabilities"] == ["CAPABILITY_IAM"] + ["CAPABILITY_AUTO_EXPAND"] * transforms


def test_stages_have_stacks_of_their_own_and_default_stays() -> None:
    assert len({options(stage, "deploy")["stack_name"] for stage in STAGES}) == len(STAGES)
    assert options("default", "deploy")["confirm_changeset"] is True


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_rollback_alarms_exist_and_are_as_many_as_cloudformation_takes(stage: str) -> None:
    named = stages.read_stage(stage).protection["rollback_alarms"]

    assert set(named) <= alarms().keys()
    assert 0 < len(named) <= 5


@pytest.mark.parametrize(
    ("stage", "message"), [("staging", "TokenIssuer"), ("stagin", "STAGE=local|staging|production")]
)
def test_deployment_is_refused_for_example_values_and_unknown_stages(
    stage: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stages.main(["check", stage]) == 1
    assert message in capsys.readouterr().err


PROTECTION = {"termination_protection": True, "rollback_alarms": ["PageAlarm"], "monitoring_minutes": 15}
TRIGGERS = {
    "RollbackTriggers": [
        {"Arn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:Api-1", "Type": "AWS::CloudWatch::Alarm"}
    ],
    "MonitoringTimeInMinutes": 15,
}


@pytest.mark.parametrize("is_protected", [False, True])
def test_protect_sets_termination_protection_and_rollback_alarms_once(is_protected: bool) -> None:
    stage = stages.Stage("production", "profile-media", "eu-central-1", (), PROTECTION)
    client = boto3.client("cloudformation", region_name="eu-central-1")
    at = "2026-11-21T00:00:00Z"
    stack: dict[str, Any] = {
        "StackId": STACK_ID,
        "StackName": "profile-media",
        "StackStatus": "UPDATE_COMPLETE",
        "CreationTime": at,
        "EnableTerminationProtection": is_protected,
        "RollbackConfiguration": TRIGGERS if is_protected else {},
        "Tags": [{"Key": "stage", "Value": "production"}],
        "Parameters": [{"ParameterKey": "TokenIssuer", "ParameterValue": "https://issuer"}],
    }
    alarm = {"LogicalResourceId": "PageAlarm", "PhysicalResourceId": "Api-1", "LastUpdatedTimestamp": at,
             "ResourceStatus": "CREATE_COMPLETE", "ResourceType": "AWS::CloudWatch::Alarm"}  # fmt: skip
    nested = {**alarm, "LogicalResourceId": "Alarms", "PhysicalResourceId": NESTED_ID}
    update = {
        "StackName": "profile-media",
        "UsePreviousTemplate": True,
        "RollbackConfiguration": TRIGGERS,
        "Parameters": [{"ParameterKey": "TokenIssuer", "UsePreviousValue": True}],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Tags": [{"Key": "stage", "Value": "production"}, {"Key": "rollback-alarms", "Value": "1"}],
    }
    termination = {"EnableTerminationProtection": True, "StackName": "profile-media"}

    with Stubber(client) as aws:
        aws.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "profile-media"})
        if not is_protected:
            aws.add_response("update_termination_protection", {}, termination)
        aws.add_response("describe_stack_resource", {"StackResourceDetail": nested},
                         {"StackName": "profile-media", "LogicalResourceId": "Alarms"})  # fmt: skip
        aws.add_response("list_stack_resources", {"StackResourceSummaries": [alarm]}, {"StackName": NESTED_ID})
        if not is_protected:
            aws.add_response("update_stack", {"StackId": STACK_ID}, update)
            aws.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "profile-media"})
        assert len(stages.protect(stage, client)) == (0 if is_protected else 2)
        aws.assert_no_pending_responses()
