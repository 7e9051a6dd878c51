"""Every resource that can have tags says of which service and of which stack it is, for bills and for searches."""

from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.template.document import text, translated
from tools.template import STACK

UNTAGGED = {"ReconcileFunctionEvery"}
"""The rule of a schedule: SAM has no tags for it. Tags that `sam deploy --tags` gives to the whole stack reach it."""


def is_taggable(type_: str) -> bool:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-central-1", type_).schema
    return "Tags" in schema["properties"]


def tags_of(properties: dict[str, Any]) -> dict[str, str]:
    tags = properties.get("Tags") or {}
    pairs = tags.items() if isinstance(tags, dict) else ((each["Key"], each["Value"]) for each in tags)
    return {key: text(value) for key, value in pairs}


def test_every_taggable_resource_names_its_service_and_its_stack() -> None:
    """CloudFormation gives the tags of a nested stack to the resources in it."""
    taggable = {name: body for name, body in translated().items() if is_taggable(body["Type"])}
    expected = {"service": "profile-media", "stack": "AWS::StackName"}
    found = {name: tags_of(body["Properties"]) for name, body in taggable.items()}

    assert [name for name, tags in found.items() if not expected.items() <= tags.items()] == sorted(UNTAGGED)
    assert len([body for body in taggable.values() if body["Type"] == STACK]) >= 6
