"""Reads `template.yaml` as CloudFormation would: parameters, conditions and intrinsics resolved to plain values.

Names and ARNs are those the resources get in the local AWS, so that `Ref` and `Fn::GetAtt` are true there.
What has no local counterpart (roles, alarms, a distribution) resolves to a placeholder that names it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

ACCOUNT = "123456789012"
STACK_NAME = "profile-media-local"

FUNCTION = "AWS::Serverless::Function"
TABLE = "AWS::DynamoDB::Table"
BUCKET = "AWS::S3::Bucket"
QUEUE = "AWS::SQS::Queue"
API = "AWS::Serverless::Api"
EVENT_SOURCE_MAPPING = "AWS::Lambda::EventSourceMapping"

_NAME_PROPERTY = {FUNCTION: "FunctionName", TABLE: "TableName", BUCKET: "BucketName", QUEUE: "QueueName"}
_NO_VALUE = object()
_REFERENCE = re.compile(r"\$\{([^}]+)\}")


class TemplateInvalid(Exception):
    """The template, or a parameter given for it, cannot be used."""


@dataclass(frozen=True)
class Resource:
    """One resource with its properties resolved."""

    logical_id: str
    type: str
    properties: dict[str, Any]


@dataclass
class Template:
    """A template with its parameters chosen."""

    path: Path
    document: dict[str, Any]
    parameters: dict[str, str]
    region: str
    endpoint: str
    """Of the local AWS: queue URLs start with it."""
    _conditions: dict[str, bool] = field(default_factory=dict)

    @property
    def functions(self) -> dict[str, Resource]:
        """The functions by logical id, with what `Globals` says of all of them."""
        defaults = self.resolve(self.document.get("Globals", {}).get("Function", {}))
        return {
            resource.logical_id: Resource(resource.logical_id, FUNCTION, _merge(defaults, resource.properties))
            for resource in self.of_type(FUNCTION)
        }

    def of_type(self, type_: str) -> Iterator[Resource]:
        """The resources of a type whose conditions hold."""
        for logical_id, body in self.document["Resources"].items():
            if body["Type"] == type_ and self._exists(logical_id):
                yield Resource(logical_id, type_, self.resolve(body.get("Properties", {})))

    def name(self, logical_id: str) -> str:
        """What the resource is called in the local AWS."""
        body = self.document["Resources"][logical_id]
        given = body.get("Properties", {}).get(_NAME_PROPERTY.get(body["Type"], ""))
        made = logical_id if body["Type"] == FUNCTION else f"{STACK_NAME}-{logical_id}"
        name = self.resolve(given) if given else made
        return name.lower() if body["Type"] == BUCKET else str(name)

    def logical_id(self, arn: str) -> str:
        """Which resource an ARN, a stream's ARN or a name means; raises TemplateInvalid if none."""
        for logical_id, body in self.document["Resources"].items():
            if body["Type"] in _NAME_PROPERTY and self._exists(logical_id):
                own = self._attribute(logical_id, "Arn")
                if arn in (own, self._ref(logical_id)) or arn.startswith((f"{own}/stream/", f"{own}:")):
                    return str(logical_id)
        raise TemplateInvalid(f"no resource is called {arn}")

    def queue_url(self, logical_id: str) -> str:
        """Where messages for a queue go."""
        return f"{self.endpoint}/{ACCOUNT}/{self.name(logical_id)}"

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic replaced; raises TemplateInvalid for one that cannot be."""
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
                raise TemplateInvalid(f"{name} is not known to the local stack")
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
            return self._made_by_sam(name)
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

    def _made_by_sam(self, name: str) -> str:
        """Roles, aliases and the like: SAM names them after the resource they are for."""
        function, _, kind = name.partition(".")
        if kind in ("Alias", "Version"):
            return f"{self._attribute(function, 'Arn')}:{kind.lower()}"
        if any(name.startswith(logical_id) for logical_id in self.document["Resources"]):
            return f"{STACK_NAME}-{name}"
        raise TemplateInvalid(f"nothing is called {name}")

    def _get_att(self, argument: str | list[str]) -> str:
        logical_id, _, attribute = (".".join(argument) if isinstance(argument, list) else argument).partition(".")
        if logical_id not in self.document["Resources"]:
            return f"{self._made_by_sam(logical_id)}.{attribute}"
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
    path: Path, given: Mapping[str, str], endpoint: str, region: str, local: Mapping[str, str] | None = None
) -> Template:
    """The template with its parameters: defaults, over them the local values it has, over those the given ones.

    Raises TemplateInvalid for a given parameter that the template does not have, or one that has no value.
    """
    document = yaml_parse(path.read_text())
    declared = document.get("Parameters", {})
    if unknown := given.keys() - declared.keys():
        raise TemplateInvalid(f"the template has no parameter {', '.join(sorted(unknown))}")
    defaults = {name: str(body["Default"]) for name, body in declared.items() if "Default" in body}
    parameters = {**defaults, **{name: value for name, value in (local or {}).items() if name in declared}, **given}
    for name, body in declared.items():
        _check(name, body, parameters)
    return Template(path, document, parameters, region, endpoint)


def _check(name: str, declared: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """Refuses what CloudFormation would, so that a mistyped value fails at the start."""
    if name not in parameters:
        raise TemplateInvalid(f"the parameter {name} has no default and no local value")
    value = parameters[name]
    if "AllowedValues" in declared and value not in map(str, declared["AllowedValues"]):
        raise TemplateInvalid(f"{name} must be one of {', '.join(map(str, declared['AllowedValues']))}")
    if "AllowedPattern" in declared and not re.fullmatch(declared["AllowedPattern"], value):
        raise TemplateInvalid(f"{name} must match {declared['AllowedPattern']}")
    if declared["Type"] == "Number":
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise TemplateInvalid(f"{name} must be a number")
        if float(value) < float(declared.get("MinValue", value)) or float(value) > float(
            declared.get("MaxValue", value)
        ):
            raise TemplateInvalid(f"{name} must be from {declared.get('MinValue')} to {declared.get('MaxValue')}")


def _merge(defaults: Any, own: Any) -> Any:
    """`Globals` as SAM applies it: maps merge, lists add up, anything else is the function's own."""
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
