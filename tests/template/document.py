"""Queries about the template, as the file has it and as SAM's transform makes it.

`python -m tests.template.document` prints the transformed template, for tools/scripts/checkov.
"""

import json
import sys
from functools import cache
from typing import Any

from tools.template import ROOT, translate, written

__all__ = [
    "FOLDERS",
    "ROOT",
    "TEMPLATES",
    "alarms",
    "as_list",
    "logical_id",
    "nested",
    "of_type",
    "properties",
    "text",
    "translated",
    "written",
]

FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
"""The names of the functions' folders."""

TEMPLATES = sorted(path.name for path in ROOT.glob("[a-z]*.yaml"))
"""The names of the main template and of the templates of its nested stacks."""


@cache
def translated() -> dict[str, Any]:
    """Return the resources that SAM's transform makes, with roles and permissions."""
    resources: dict[str, Any] = translate()["Resources"]
    return resources


def properties(logical_id: str) -> dict[str, Any]:
    """Return a resource's properties as the file has them."""
    found: dict[str, Any] = written()["Resources"][logical_id]["Properties"]
    return found


def of_type(type_: str) -> dict[str, dict[str, Any]]:
    """Return the properties of all resources of a type by logical id, as the file has them."""
    return {name: body["Properties"] for name, body in written()["Resources"].items() if body["Type"] == type_}


def logical_id(folder: str) -> str:
    """Return the logical id of the function in a folder."""
    return "".join(word.capitalize() for word in folder.split("_")) + "Function"


def nested(stack: str) -> dict[str, dict[str, Any]]:
    """Return the properties of a nested stack's resources by logical id, with the values that the main stack gives."""
    given = properties(stack)
    resources = written(ROOT / given["TemplateURL"])["Resources"]
    return {name: _given(body["Properties"], given["Parameters"]) for name, body in resources.items()}


def alarms() -> dict[str, dict[str, Any]]:
    """Return the properties of all alarms by logical id. Composite alarms have an AlarmRule."""
    resources = {**nested("Alarms"), **nested("Latency"), **nested("Cdn")}
    return {name: body for name, body in resources.items() if name.endswith("Alarm")}


def _given(value: Any, parameters: dict[str, Any]) -> Any:
    match value:
        case {"Ref": name} if name in parameters:
            return parameters[name]
        case dict():
            return {key: _given(item, parameters) for key, item in value.items()}
        case list():
            return [_given(item, parameters) for item in value]
    return value


def text(value: Any) -> str:
    """Return an intrinsic function in short: `UploadsTable`, `UploadsTable.Arn`, or the text of Fn::Sub."""
    match value:
        case {"Ref": name}:
            return str(name)
        case {"Fn::GetAtt": [*path]}:
            return ".".join(path)
        case {"Fn::GetAtt": path}:
            return str(path)
        case {"Fn::Sub": [pattern, given]}:
            for name, meaning in given.items():
                pattern = pattern.replace(f"${{{name}}}", text(meaning))
            return str(pattern)
        case {"Fn::Sub": pattern}:
            return str(pattern)
    return str(value)


def as_list(value: Any) -> list[Any]:
    """Return a list; a single value becomes a list of one."""
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    json.dump(translate(), sys.stdout)
