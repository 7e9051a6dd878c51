"""The stages of samconfig.toml: check one before its deployment, and protect it afterwards.

`python -m tools.stages check STAGE` refuses a stage that still has example values. `python -m tools.stages protect
STAGE` sets what `sam deploy` has no options for: termination protection, and the alarms that roll an update back.
CloudFormation keeps these alarms for all later updates, so usually there is nothing to do. `make deploy` runs both.
"""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from tools.template import ROOT

SAMCONFIG = ROOT / "samconfig.toml"
PLACEHOLDER = "example.com"

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
"""An update without a change set must acknowledge SAM's transform too."""

MARK = "rollback-alarms"
"""A tag that the update changes: CloudFormation refuses one that changes nothing but the rollback alarms."""


class StageInvalid(Exception):
    """There is no such stage, or it is not ready to be deployed."""


@dataclass(frozen=True)
class Stage:
    """One stage, as samconfig.toml has it."""

    name: str
    stack_name: str
    region: str
    parameters: tuple[str, ...]
    """Name=value, for `sam build` and `sam deploy`."""
    protection: Mapping[str, Any]
    """Empty for a stage without protection."""

    def check(self) -> None:
        """Raise StageInvalid if a value is still an example."""
        if left := [each for each in self.parameters if PLACEHOLDER in each]:
            raise StageInvalid(f"[{self.name}] in samconfig.toml still has example values: {', '.join(left)}")


def read_stage(name: str) -> Stage:
    """Return a stage. Raise StageInvalid if there is none with this name."""
    document = tomllib.loads(SAMCONFIG.read_text())
    stages = [stage for stage, commands in document.items() if isinstance(commands, dict) and stage != "default"]
    if name not in stages:
        raise StageInvalid(f"There is no stage {name!r} in samconfig.toml. Use STAGE={'|'.join(stages)}")
    common = document[name]["global"]["parameters"]
    protection = document[name].get("protect", {}).get("parameters", {})
    return Stage(name, common["stack_name"], common["region"], tuple(common["parameter_overrides"]), protection)


def deployed(stage: Stage) -> tuple[str, float]:
    """Return the base URL of a deployed stage's API, and its purge delay in seconds."""
    stack = _describe(boto3.client("cloudformation", region_name=stage.region), stage.stack_name)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    return outputs["ApiUrl"], float(parameters["PurgeDelaySeconds"])


def protect(stage: Stage, cloudformation: Any) -> list[str]:
    """Set the protection of a deployed stage as far as it differs. Return what was changed."""
    if not stage.protection:
        return []
    changed = []
    stack = _describe(cloudformation, stage.stack_name)
    wanted = bool(stage.protection["termination_protection"])
    if stack.get("EnableTerminationProtection", False) != wanted:
        cloudformation.update_termination_protection(EnableTerminationProtection=wanted, StackName=stage.stack_name)
        changed.append(f"termination protection is {'on' if wanted else 'off'}")
    triggers = {
        "RollbackTriggers": [
            {"Arn": arn, "Type": type_} for arn, type_ in _alarms(cloudformation, stack, stage.protection)
        ],
        "MonitoringTimeInMinutes": stage.protection["monitoring_minutes"],
    }
    if _settings(stack.get("RollbackConfiguration", {})) != _settings(triggers):
        _update(cloudformation, stack, triggers)
        changed.append(f"{len(triggers['RollbackTriggers'])} alarms roll an update back")
    return changed


def _describe(cloudformation: Any, stack_name: str) -> dict[str, Any]:
    [stack] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    described: dict[str, Any] = stack
    return described


def _alarms(cloudformation: Any, stack: Mapping[str, Any], protection: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the ARN and type of each alarm that the protection names, in its order, from the stack of alarms."""
    pages = cloudformation.get_paginator("list_stack_resources")
    arn = str(stack["StackId"]).split(":")
    found = {
        each["LogicalResourceId"]: each for page in pages.paginate(StackName=_nested(cloudformation, stack))
        for each in page["StackResourceSummaries"]
    }  # fmt: skip
    return [
        (":".join([*arn[:2], "cloudwatch", *arn[3:5], "alarm", found[name]["PhysicalResourceId"]]),
         found[name]["ResourceType"])
        for name in protection["rollback_alarms"]
    ]  # fmt: skip


def _nested(cloudformation: Any, stack: Mapping[str, Any]) -> str:
    """Return the id of the nested stack of alarms."""
    described = cloudformation.describe_stack_resource(StackName=stack["StackName"], LogicalResourceId="Alarms")
    return str(described["StackResourceDetail"]["PhysicalResourceId"])


def _settings(configuration: Mapping[str, Any]) -> tuple[list[str], int]:
    """Return what a rollback configuration says, in any order of its triggers."""
    triggers = configuration.get("RollbackTriggers", ())
    return sorted(each["Arn"] for each in triggers), configuration.get("MonitoringTimeInMinutes", 0)


def _update(cloudformation: Any, stack: Mapping[str, Any], triggers: Mapping[str, Any]) -> None:
    """Update the stack with its own template and values, and wait for the end."""
    names = [each["ParameterKey"] for each in stack["Parameters"]]
    tags = [each for each in stack["Tags"] if each["Key"] != MARK]
    cloudformation.update_stack(
        StackName=stack["StackName"],
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": name, "UsePreviousValue": True} for name in names],
        Capabilities=list(CAPABILITIES),
        RollbackConfiguration=triggers,
        Tags=[*tags, {"Key": MARK, "Value": str(len(triggers["RollbackTriggers"]))}],
    )
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack["StackName"])


def main(arguments: list[str]) -> int:
    """Check or protect a stage. Return 1 if it is not ready, 2 for other arguments."""
    match arguments:
        case ["check" | "protect" as command, name]:
            pass
        case _:
            print("usage: python -m tools.stages check|protect STAGE", file=sys.stderr)
            return 2
    try:
        stage = read_stage(name)
        stage.check()
    except StageInvalid as error:
        print(error, file=sys.stderr)
        return 1
    if command == "protect":
        changed = protect(stage, boto3.client("cloudformation", region_name=stage.region))
        print(f"Protection of {stage.stack_name}: {'; '.join(changed) or 'as configured'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
