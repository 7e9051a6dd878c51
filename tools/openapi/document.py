"""Puts the document together: every endpoint of the template, with what its function takes and answers."""

import ast
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from profile_media.domain.errors import ErrorCode
from profile_media.http.status import STATUSES
from tools.openapi.operations import CONTRACTS, OPERATIONS, PATH_PARAMETERS, SAMPLES, Operation, Upload
from tools.openapi.routes import (
    CORRELATION_ID,
    default_authorizer,
    gateway_answers,
    routes,
    sample_event,
    server,
)
from tools.openapi.wire.gateway import GatewayError
from tools.template import ROOT, Route

type Node = dict[str, Any]

FILE = ROOT / "docs" / "openapi.yaml"

_TITLE = "# Written by `make openapi` from the code; a test compares the two.\n"


class _Schemas(GenerateJsonSchema):
    """Pydantic's schemas without what says nothing: names repeated as titles, and null as what a lack means."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def document() -> Node:
    """The whole of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    paths: Node = {}
    for route in routes():
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, OPERATIONS[route.folder])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": project["name"],
            "version": project["version"],
            "description": project["description"],
            "license": {"name": project["license"], "identifier": project["license"]},
        },
        "servers": [server()],
        "security": [{default_authorizer(): []}],
        "tags": [{"name": name, "description": _sentence(each.dialect.__doc__)} for name, each in CONTRACTS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {default_authorizer(): {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "headers": _HEADERS,
            "responses": {
                f"Gateway{status}": _answer(status, {_reference(GatewayError): examples})
                for status, examples in gateway_answers().items()
            },
            "examples": _examples(),
            "schemas": _schemas(),
        },
    }


def text() -> str:
    """The document as its file has it."""
    return _TITLE + yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


class _Plain(yaml.SafeDumper):
    """Writes everything out: readers of anchors and aliases are rare."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _operation(route: Route, operation: Operation) -> Node:
    tree = ast.parse((ROOT / "functions" / route.folder / "app.py").read_text())
    summary = _sentence(ast.get_docstring(tree)).removeprefix(f"{route.method} {route.path}: ")
    node: Node = {
        "operationId": route.folder,
        "tags": [operation.contract],
        "summary": summary[:1].upper() + summary[1:],
    }
    event = sample_event(route.folder)
    if parameters := [*_path_parameters(route, event), *operation.parameters]:
        node["parameters"] = parameters
    if operation.body:
        node["requestBody"] = _request(operation.body, event)
    if route.public:
        node["security"] = []
    return node | {"responses": _responses(operation)}


def _path_parameters(route: Route, event: Mapping[str, Any]) -> Iterable[Node]:
    for name in re.findall(r"\{(\w+)\}", route.path):
        example = unquote(event["pathParameters"][name])
        yield {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name], "example": example}


def _request(body: type[BaseModel] | Upload, event: Mapping[str, Any]) -> Node:
    if isinstance(body, Upload):
        picture = {"type": "string", "format": "binary"}
        form = {"type": "object", "required": [body.part], "properties": {body.part: picture}}
        return {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    content = {"schema": {"$ref": _reference(body)}, "example": json.loads(event["body"])}
    return {"required": True, "content": {"application/json": content}}


def _responses(operation: Operation) -> Node:
    """Success first, then by status what the function refuses and what API Gateway does in its place."""
    refused = refusals(operation)
    gateway = gateway_answers()
    contract = CONTRACTS[operation.contract]
    answers: Node = {
        str(operation.status.value): _answer(str(operation.status.value), {_reference(operation.answer): {}})
    }
    for status in sorted(refused.keys() | gateway.keys()):
        if status not in refused:
            answers[status] = {"$ref": f"#/components/responses/Gateway{status}"}
        else:
            bodies = {_reference(contract.error): refused[status], _reference(GatewayError): gateway.get(status, {})}
            answers[status] = _answer(status, {schema: examples for schema, examples in bodies.items() if examples})
    return answers


def refusals(operation: Operation) -> Mapping[str, Mapping[str, Any]]:
    """Status to examples by error code: each of the operation's errors, as its dialect renders it."""
    dialect = CONTRACTS[operation.contract].dialect
    statuses = {**STATUSES, **dialect.STATUSES}
    found: dict[str, dict[str, Any]] = {}
    for code in [code for code in ErrorCode if code in operation.refusals | {ErrorCode.UNAVAILABLE}]:
        rendered = dialect.render_error(SAMPLES[code], CORRELATION_ID)
        found.setdefault(str(statuses[code].value), {})[f"{operation.contract}.{code.value}"] = rendered
    bug = dialect.render_error(None, CORRELATION_ID)
    found.setdefault(str(HTTPStatus.INTERNAL_SERVER_ERROR.value), {})[f"{operation.contract}.internal"] = bug
    return found


def _answer(status: str, bodies: Mapping[str, Mapping[str, Any]]) -> Node:
    """A response with one of the bodies: their examples, by the reference to their schema."""
    schemas = [{"$ref": reference} for reference in bodies]
    content: Node = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
    if examples := [name for each in bodies.values() for name in each]:
        content["examples"] = {name: {"$ref": f"#/components/examples/{name}"} for name in examples}
    headers = ["x-correlation-id", *(["Retry-After"] if status in _LATER else [])]
    return {
        "description": HTTPStatus(int(status)).phrase if status.isdecimal() else "Any other refusal",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {"application/json": content},
    }


_LATER = {"429", "503"}
_HEADERS: Mapping[str, Node] = {
    "x-correlation-id": {"description": "The request's id, as the logs have it", "schema": {"type": "string"}},
    "Retry-After": {"description": "Whole seconds to wait", "schema": {"type": "integer", "minimum": 1}},
}


def _examples() -> Node:
    """Every error of the document, once."""
    answers = [gateway_answers(), *(refusals(operation) for operation in OPERATIONS.values())]
    bodies = {name: body for by_status in answers for each in by_status.values() for name, body in each.items()}
    return {name: {"value": body} for name, body in sorted(bodies.items())}


def _schemas() -> Node:
    """Every model that a body refers to."""
    models: list[type[BaseModel]] = [GatewayError, *(contract.error for contract in CONTRACTS.values())]
    for operation in OPERATIONS.values():
        models.append(operation.answer)
        if operation.body and not isinstance(operation.body, Upload):
            models.append(operation.body)
    _, schemas = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Schemas,
    )
    return dict(sorted(schemas["$defs"].items()))


def _reference(model: type[BaseModel]) -> str:
    return f"#/components/schemas/{model.__name__}"


def _sentence(docstring: str | None) -> str:
    """The first line, without its stop."""
    return (docstring or "").partition("\n")[0].rstrip(".")
