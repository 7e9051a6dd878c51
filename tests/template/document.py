"""The template as the tests read it: as written, and as SAM would hand it to CloudFormation.

As a command it prints the latter, for tools/scripts/checkov.
"""

import json
import os
import sys
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]

FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
"""The functions, as folders."""

NEEDED = {
    "TokenIssuer": "https://issuer.example.com/",
    "TokenAudience": "profile-media",
    "AllowedOrigins": "https://app.example.com",
}
"""Parameters without a default."""


@cache
def written() -> dict[str, Any]:
    """The template as it stands in its file, tags as mappings."""
    document: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return document


@cache
def translated() -> dict[str, Any]:
    """The resources after SAM's transform, offline; roles and permissions are in it."""
    document = deepcopy(written())
    for resource in document["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource["Properties"]:  # SAM takes only what was uploaded
                resource["Properties"][name] = f"s3://built/{resource['Properties'][name]}"
    with patch.dict(os.environ, AWS_DEFAULT_REGION="eu-central-1"):
        resources: dict[str, Any] = Translator({}, Parser()).translate(document, dict(NEEDED))["Resources"]
    return resources


def properties(logical_id: str) -> dict[str, Any]:
    """A resource's properties, as written."""
    found: dict[str, Any] = written()["Resources"][logical_id]["Properties"]
    return found


def of_type(type_: str) -> dict[str, dict[str, Any]]:
    """Properties by logical id of all resources of a type, as written."""
    return {name: body["Properties"] for name, body in written()["Resources"].items() if body["Type"] == type_}


def logical_id(folder: str) -> str:
    """The function that a folder holds."""
    return "".join(word.capitalize() for word in folder.split("_")) + "Function"


def text(value: Any) -> str:
    """An intrinsic in short: `UploadsTable`, `UploadsTable.Arn`, or Fn::Sub's own text."""
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
    """Where one may stand for a list of one."""
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    kept = {name: section for name, section in written().items() if name in {"Parameters", "Conditions", "Outputs"}}
    json.dump({"AWSTemplateFormatVersion": "2010-09-09", **kept, "Resources": translated()}, sys.stdout)
