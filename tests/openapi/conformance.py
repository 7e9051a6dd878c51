"""Compares an answer with docs/openapi.yaml: status, headers and body must be those of the operation."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tools.openapi.document import FILE


@cache
def document() -> dict[str, Any]:
    """Return docs/openapi.yaml, parsed."""
    content: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return content


@cache
def operations() -> Mapping[str, Mapping[str, Any]]:
    """Return the operations by the function's folder."""
    methods = [operation for path in document()["paths"].values() for operation in path.values()]
    return {operation["operationId"]: operation for operation in methods}


def resolved(node: Any) -> Any:
    """Return the node, or the target of its `$ref`."""
    if not isinstance(node, dict) or "$ref" not in node:
        return node
    found: Any = document()
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def complaints(schema: Mapping[str, Any], value: object) -> list[str]:
    """Return where the value does not match the schema, formats included."""
    rooted = {**schema, "components": document()["components"]}
    checker = Draft202012Validator(rooted, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]


def check(function: str, status: int, headers: Mapping[str, str], body: object) -> None:
    """Fail if the answer does not match the document."""
    responses = operations()[function]["responses"]
    assert str(status) in responses, f"{function} may not answer {status}"
    response = resolved(responses[str(status)])
    assert response["headers"].keys() <= headers.keys()
    for name, header in response["headers"].items():
        if resolved(header)["schema"].get("type") == "integer":
            assert int(headers[name]) >= 1
    if "content" not in response:
        assert ("Content-Type" in headers, body) == (False, {})
        return
    [(media_type, content)] = response["content"].items()
    assert headers["Content-Type"] == media_type
    assert complaints(content["schema"], body) == []
