"""Read `template.yaml`: the one reader that the local stack, the OpenAPI document, the bench and the tests share.

`written()` returns the template as the file has it, with tags as mappings. `translate()` returns what SAM hands to
CloudFormation. `read()` returns a `Template`, whose parameters, conditions and intrinsic functions are resolved to
plain values. In a `Template`, names and ARNs are those that the resources get in the local AWS. A resource without a
local counterpart (a role, an alarm, the distribution) resolves to a placeholder that contains its name.
"""

import platform
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"

REQUIRED: Mapping[str, str] = MappingProxyType(
    {
        "TokenIssuer": "https://issuer.example.com/",
        "TokenAudience": "profile-media",
        "AllowedOrigins": "https://app.example.com",
    }
)
"""Example values for the parameters that have no default."""

ACCOUNT = "123456789012"
STACK_NAME = "profile-media-local"

DEPENDENCIES = "DependenciesX86Layer" if platform.machine() == "x86_64" else "DependenciesArm64Layer"
"""The layer of dependencies that runs on this machine."""

FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"
TABLE = "AWS::DynamoDB::Table"
BUCKET = "AWS::S3::Bucket"
QUEUE = "AWS::SQS::Queue"
API = "AWS::Serverless::Api"
EVENT_SOURCE_MAPPING = "AWS::Lambda::EventSourceMapping"
STACK = "AWS::CloudFormation::Stack"

_NAME_PROPERTY = {FUNCTION: "FunctionName", TABLE: "TableName", BUCKET: "BucketName", QUEUE: "QueueName"}
_SOURCE_PROPERTY = {FUNCTION: "CodeUri", LAYER: "ContentUri"}
_NO_VALUE = object()
_REFERENCE = re.compile(r"\$\{([^}]+)\}")


class TemplateInvalid(Exception):
    """The template, or a parameter given for it, cannot be used."""


@cache
def written(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template as the file has it: `!Ref X` is `{"Ref": "X"}`. The result is shared, so do not change it."""
    document: dict[str, Any] = yaml_parse(path.read_text())
    return document


def translate(
    path: Path = TEMPLATE, parameters: Mapping[str, str] = REQUIRED, uploaded: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the CloudFormation template that SAM's transform makes, without asking AWS.

    `uploaded` maps the logical id of a function or layer to the S3 URI of its package; others get an example URI.
    """
    document = deepcopy(written(path))
    for logical_id, resource in document["Resources"].items():
        if name := _SOURCE_PROPERTY.get(resource["Type"]):
            resource["Properties"][name] = (uploaded or {}).get(logical_id, f"s3://packages/{logical_id}")
    session = boto3.Session(region_name="eu-central-1")
    translated: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(document, dict(parameters))
    return translated


@dataclass(frozen=True)
class Resource:
    """One resource with its properties resolved."""

    logical_id: str
    type: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class Route:
    """One method of one path of the API."""

    function: str
    """The logical id of the function that answers."""
    folder: str
    """The name of the function's folder."""
    method: str
    path: str
    public: bool
    """Whether the method needs no token."""


@dataclass(frozen=True)
class Function(Resource):
    """One function, with what `Globals` says of all functions merged in."""

    @property
    def folder(self) -> str:
        """The name of its folder in `functions/`."""
        return Path(self.properties["CodeUri"]).name

    @property
    def handler(self) -> str:
        return str(self.properties["Handler"])

    @property
    def memory(self) -> int | None:
        """MiB; None for Lambda's default."""
        return _int(self.properties.get("MemorySize"))

    @property
    def timeout(self) -> int | None:
        """Seconds; None for Lambda's default."""
        return _int(self.properties.get("Timeout"))

    @property
    def concurrency(self) -> int | None:
        """The reserved concurrency; None if nothing is reserved."""
        return _int(self.properties.get("ReservedConcurrentExecutions"))

    @property
    def environment(self) -> dict[str, str]:
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in self.properties.get("Environment", {}).get("Variables", {}).items()
        }

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The statements of its inline policies."""
        return [statement for policy in self.properties.get("Policies", []) for statement in policy["Statement"]]

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        """Its event sources by name, each with `Type` and `Properties`."""
        return dict(self.properties.get("Events") or {})

    @property
    def routes(self) -> list[Route]:
        """The API's methods that it answers."""
        return [
            Route(self.logical_id, self.folder, api["Method"], api["Path"], _is_public(api))
            for event in self.events.values()
            if event["Type"] == "Api" and (api := event["Properties"])
        ]


def _int(value: Any) -> int | None:
    return None if value is None else int(value)


def _is_public(api: Mapping[str, Any]) -> bool:
    return (api.get("Auth") or {}).get("Authorizer") == "NONE"


@dataclass
class Template:
    """A template with a value for every parameter."""

    path: Path
    document: dict[str, Any]
    parameters: dict[str, str]
    region: str
    endpoint: str
    """The URL of the local AWS; queue URLs start with it."""
    _conditions: dict[str, bool] = field(default_factory=dict)

    @property
    def functions(self) -> dict[str, Function]:
        """The functions by logical id."""
        defaults = self.resolve(self.document.get("Globals", {}).get("Function", {}))
        return {
            resource.logical_id: Function(resource.logical_id, FUNCTION, _merge(defaults, resource.properties))
            for resource in self.of_type(FUNCTION)
        }

    @property
    def routes(self) -> list[Route]:
        """All methods of the API, preflights included, in the template's order."""
        return [route for function in self.functions.values() for route in function.routes]

    @property
    def api(self) -> Resource:
        """The API with its authorizers and gateway responses."""
        (api,) = self.of_type(API)
        return api

    def of_type(self, type_: str) -> Iterator[Resource]:
        """Yield the resources of a type whose conditions hold."""
        for logical_id, body in self.document["Resources"].items():
            if body["Type"] == type_ and self._exists(logical_id):
                yield Resource(logical_id, type_, self.resolve(body.get("Properties", {})))

    @property
    def nested(self) -> "dict[str, Template]":
        """The templates of the nested stacks, whether they exist or not, with the parameters that this one gives."""
        properties = {
            logical_id: self.resolve(body["Properties"])
            for logical_id, body in self.document["Resources"].items()
            if body["Type"] == STACK
        }
        return {
            logical_id: read(self.path.parent / each["TemplateURL"], each["Parameters"], self.endpoint, self.region)
            for logical_id, each in properties.items()
        }

    def name(self, logical_id: str) -> str:
        """Return the name of a resource in the local AWS."""
        body = self.document["Resources"][logical_id]
        given = body.get("Properties", {}).get(_NAME_PROPERTY.get(body["Type"], ""))
        made = logical_id if body["Type"] == FUNCTION else f"{STACK_NAME}-{logical_id}"
        name = self.resolve(given) if given else made
        return name.lower() if body["Type"] == BUCKET else str(name)

    def logical_id(self, arn: str) -> str:
        """Return the logical id that an ARN, a stream's ARN or a name belongs to; raise TemplateInvalid if none."""
        for logical_id, body in self.document["Resources"].items():
            if body["Type"] in _NAME_PROPERTY and self._exists(logical_id):
                own = self._attribute(logical_id, "Arn")
                if arn in (own, self._ref(logical_id)) or arn.startswith((f"{own}/stream/", f"{own}:")):
                    return str(logical_id)
        raise TemplateInvalid(f"no resource has the ARN or name {arn}")

    def queue_url(self, logical_id: str) -> str:
        """Return the URL of a queue in the local AWS."""
        return f"{self.endpoint}/{ACCOUNT}/{self.name(logical_id)}"

    def resolve(self, value: Any) -> Any:
        """Return the value with every intrinsic function replaced; raise TemplateInvalid for an unknown one."""
        resolved = self._resolve(value)
        return None if resolved is _NO_VALUE else resolved

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument) = next(iter(value.items()))
            if intrinsic := _INTRINSICS.get(name):
                return intrinsic(self, argument)
            if name.startswith("Fn::"):
                raise TemplateInvalid(f"{name} is not supported by tools/template.py")
        pairs = ((name, self._resolve(item)) for name, item in value.items())
        return {name: item for name, item in pairs if item is not _NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name in self.parameters:
            return self._parameter(name)
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in (pseudo := self._pseudo_parameters()):
            return pseudo[name]
        body = self.document["Resources"].get(name)
        if body is None:
            return self._sam_resource(name)
        if body["Type"] == QUEUE:
            return self.queue_url(name)
        return self.name(name)

    def _parameter(self, name: str) -> str | list[str]:
        text = self.parameters[name]
        kind = self.document["Parameters"][name]["Type"]
        is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
        return [item.strip() for item in text.split(",")] if is_list else text

    def _pseudo_parameters(self) -> dict[str, str]:
        return {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::StackId": f"arn:aws:cloudformation:{self.region}:{ACCOUNT}:stack/{STACK_NAME}/local",
            "AWS::StackName": STACK_NAME,
            "AWS::URLSuffix": "amazonaws.com",
        }

    def _sam_resource(self, name: str) -> str:
        """Return a placeholder for a resource that SAM's transform adds, such as a role."""
        if any(name.startswith(logical_id) for logical_id in self.document["Resources"]):
            return f"{STACK_NAME}-{name}"
        raise TemplateInvalid(f"there is no parameter or resource {name}")

    def _get_att(self, argument: str | list[str]) -> str:
        logical_id, _, attribute = (".".join(argument) if isinstance(argument, list) else argument).partition(".")
        if logical_id not in self.document["Resources"]:
            return f"{self._sam_resource(logical_id)}.{attribute}"
        return self._attribute(logical_id, attribute)

    def _attribute(self, logical_id: str, attribute: str) -> str:
        type_ = self.document["Resources"][logical_id]["Type"]
        name = self.name(logical_id)
        arns = {
            BUCKET: f"arn:aws:s3:::{name}",
            TABLE: f"arn:aws:dynamodb:{self.region}:{ACCOUNT}:table/{name}",
            QUEUE: f"arn:aws:sqs:{self.region}:{ACCOUNT}:{name}",
            FUNCTION: f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{name}",
        }
        known = {
            (BUCKET, "DomainName"): f"{name}.s3.amazonaws.com",
            (BUCKET, "RegionalDomainName"): f"{name}.s3.{self.region}.amazonaws.com",
            (TABLE, "StreamArn"): f"{arns[TABLE]}/stream/local",
            (QUEUE, "QueueName"): name,
            (QUEUE, "QueueUrl"): f"{self.endpoint}/{ACCOUNT}/{name}",
            (type_, "Arn"): arns.get(type_, f"{name}.Arn"),
        }
        return known.get((type_, attribute), f"{name}.{attribute}")

    def _sub(self, argument: str | list[Any]) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in given:
                return str(self._resolve(given[name]))
            found = self._get_att(name) if "." in name else self._ref(name)
            return ",".join(found) if isinstance(found, list) else str(found)

        return _REFERENCE.sub(replace, text)

    def _condition(self, name: str) -> bool:
        if name not in self._conditions:
            self._conditions[name] = bool(self._resolve(self.document["Conditions"][name]))
        return self._conditions[name]

    def _exists(self, logical_id: str) -> bool:
        condition = self.document["Resources"][logical_id].get("Condition")
        return condition is None or self._condition(condition)

    def _if(self, argument: list[Any]) -> Any:
        condition, yes, no = argument
        return self._resolve(yes if self._condition(condition) else no)

    def _join(self, argument: list[Any]) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self._resolve(parts))

    def _select(self, argument: list[Any]) -> Any:
        index, items = argument
        return self._resolve(items)[int(self._resolve(index))]

    def _split(self, argument: list[Any]) -> list[str]:
        separator, text = argument
        return str(self._resolve(text)).split(separator)

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self._resolve(part) for part in argument[:3])
        return self._resolve(self.document["Mappings"][name][first][second])

    def _equals(self, argument: list[Any]) -> bool:
        left, right = (self._resolve(side) for side in argument)
        return str(left) == str(right)


_INTRINSICS: dict[str, Callable[[Template, Any], Any]] = {
    "Ref": Template._ref,
    "Condition": Template._condition,
    "Fn::GetAtt": Template._get_att,
    "Fn::Sub": Template._sub,
    "Fn::If": Template._if,
    "Fn::Join": Template._join,
    "Fn::Select": Template._select,
    "Fn::Split": Template._split,
    "Fn::FindInMap": Template._find_in_map,
    "Fn::Equals": Template._equals,
    "Fn::And": lambda self, conditions: all(self._resolve(item) for item in conditions),
    "Fn::Or": lambda self, conditions: any(self._resolve(item) for item in conditions),
    "Fn::Not": lambda self, conditions: not self._resolve(conditions[0]),
}


def read(
    path: Path = TEMPLATE,
    given: Mapping[str, str] = REQUIRED,
    endpoint: str = "http://127.0.0.1",
    region: str = "us-east-1",
    local: Mapping[str, str] | None = None,
) -> Template:
    """Return the template with a value for every parameter.

    A parameter's value is the given one, else the one in `local`, else its default. Names in `local` that the template
    does not have are ignored. Raise TemplateInvalid for a given name that the template does not have, for a parameter
    without a value, and for a value that CloudFormation would refuse.
    """
    document = written(path) if path.parent == ROOT else yaml_parse(path.read_text())
    declared = document.get("Parameters", {})
    if unknown := given.keys() - declared.keys():
        raise TemplateInvalid(f"the template has no parameter {', '.join(sorted(unknown))}")
    defaults = {name: str(body["Default"]) for name, body in declared.items() if "Default" in body}
    parameters = {**defaults, **{name: value for name, value in (local or {}).items() if name in declared}, **given}
    for name, body in declared.items():
        _check(name, body, parameters)
    template = Template(path, document, parameters, region, endpoint)
    for rule in document.get("Rules", {}).values():
        _check_rule(template, rule)
    return template


def _check_rule(template: Template, rule: Mapping[str, Any]) -> None:
    """Raise TemplateInvalid if the values of the parameters break a rule of the template."""
    if template.resolve(rule.get("RuleCondition", True)):
        for assertion in rule["Assertions"]:
            if not template.resolve(assertion["Assert"]):
                raise TemplateInvalid(assertion["AssertDescription"])


def _check(name: str, declared: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """Raise TemplateInvalid if CloudFormation would refuse the parameter's value."""
    if name not in parameters:
        raise TemplateInvalid(f"the parameter {name} has no default and no local value")
    value = parameters[name]
    if "AllowedValues" in declared and value not in map(str, declared["AllowedValues"]):
        raise TemplateInvalid(f"{name} must be one of {', '.join(map(str, declared['AllowedValues']))}")
    if "AllowedPattern" in declared and not re.fullmatch(declared["AllowedPattern"], value):
        raise TemplateInvalid(f"{name} must match {declared['AllowedPattern']}")
    if declared["Type"] == "Number":
        _check_number(name, declared, value)


def _check_number(name: str, declared: dict[str, Any], value: str) -> None:
    if not re.fullmatch(r"-?\d+(\.\d+)?", value):
        raise TemplateInvalid(f"{name} must be a number")
    least, most = (declared.get(bound, value) for bound in ("MinValue", "MaxValue"))
    if not float(least) <= float(value) <= float(most):
        raise TemplateInvalid(f"{name} must be from {declared.get('MinValue')} to {declared.get('MaxValue')}")


def _merge(defaults: Any, own: Any) -> Any:
    """Apply `Globals` as SAM does: merge maps, append lists, and let the function override other values."""
    if isinstance(defaults, dict) and isinstance(own, dict):
        names = list(defaults) + [name for name in own if name not in defaults]
        return {
            name: _merge(defaults[name], own[name])
            if name in defaults and name in own
            else own.get(name, defaults.get(name))
            for name in names
        }
    if isinstance(defaults, list) and isinstance(own, list):
        return [*defaults, *own]
    return own
