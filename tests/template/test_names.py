"""Explicit names: two stacks in one account share none, nor do two stacks of one name in two regions."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.template.document import TEMPLATES, written
from tools.template import ROOT, translate

NAME_OF_THE_STACK = ('"AWS::StackName"', "${AWS::StackName}", '"ServiceStack"', "${ServiceStack}")
GLOBAL = ("AWS::CloudFront::", "AWS::IAM::")
"""Types whose names are unique in the account, whatever the region."""

NOT_A_NAME = {
    ("AWS::ApiGateway::DomainName", "DomainName"),  # given by the operator
    ("AWS::ApiGateway::Stage", "StageName"),  # within one API
    ("AWS::CloudWatch::Alarm", "MetricName"),  # told apart by its dimensions
    ("AWS::Route53::RecordSet", "Name"),  # given by the operator
}


def resources(name: str) -> dict[str, Any]:
    """Return the resources of a template as CloudFormation gets them."""
    document = translate() if name == "template.yaml" else written(ROOT / name)
    found: dict[str, Any] = document["Resources"]
    return found


def explicit_names(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield type, property and JSON of each name that a template gives, without names that refer to resources."""
    all_resources = resources(name)
    for resource in all_resources.values():
        for key, value in _names(resource.get("Properties", {})):
            source = json.dumps(value)
            if (resource["Type"], key) in NOT_A_NAME or any(f'"{each}' in source for each in all_resources):
                continue
            yield resource["Type"], key, source


def _names(settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the properties called `Name` or `…Name`, at the top and in the one part that some types have."""
    parts = [part for key, part in settings.items() if isinstance(part, dict) and key.endswith(("Config", "Rule"))]
    for part in (settings, *parts):
        yield from ((key, value) for key, value in part.items() if key.endswith("Name"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_explicit_names_contain_the_stack_and_global_ones_the_region(name: str) -> None:
    for type_, key, source in explicit_names(name):
        assert any(stack in source for stack in NAME_OF_THE_STACK), f"{type_} {key}"
        assert not type_.startswith(GLOBAL) or "AWS::Region" in source, f"{type_} {key}"


def test_explicit_names_are_found() -> None:
    found = {type_ for name in TEMPLATES for type_, _, _ in explicit_names(name)}

    assert found >= {
        "AWS::ApiGateway::RestApi",
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::S3::Bucket",
        "AWS::XRay::SamplingRule",
    }


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_output_is_exported(name: str) -> None:
    assert [each for each, output in written(ROOT / name).get("Outputs", {}).items() if "Export" in output] == []


def test_metrics_of_aws_waf_contain_the_stack() -> None:
    acl = resources("protection.yaml")["WebAcl"]["Properties"]

    for settings in (acl, *acl["Rules"]):
        assert "${ServiceStack}" in settings["VisibilityConfig"]["MetricName"]["Fn::Sub"]
