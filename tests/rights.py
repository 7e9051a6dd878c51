"""Decide as IAM would whether a function's policies in the template allow a call, and record which rights are used.

`Usage` listens to calls (see tests/aws_calls.py). The fixture `recorded_calls` fails a test whose handlers made a call
without the right to it; `running` says which function makes the calls. Calls that a test makes itself are not checked.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from tests import cloud
from tests.template.document import as_list, logical_id, of_type, text, translated
from tools.template import written

# --- rights in the template


class Right(NamedTuple):
    """One action on one resource, as the template writes it."""

    action: str
    resource: str
    condition: str = "{}"


PLATFORM = {
    "dynamodb:DescribeStream": "Lambda reads the stream",
    "dynamodb:GetRecords": "Lambda reads the stream",
    "dynamodb:GetShardIterator": "Lambda reads the stream",
    "dynamodb:ListStreams": "Lambda reads the stream",
    "sqs:ReceiveMessage": "Lambda receives messages",
    "sqs:DeleteMessage": "Lambda receives messages",
    "sqs:GetQueueAttributes": "Lambda receives messages",
}
"""Actions that Lambda itself uses with the function's role, with the reason."""


def role(folder: str) -> dict[str, Any]:
    """Return the role of a function, after SAM's transform."""
    found: dict[str, Any] = translated()[f"{logical_id(folder)}Role"]["Properties"]
    return found


def statements(folder: str) -> list[dict[str, Any]]:
    """Return the statements of a function's own policies."""
    policies = role(folder).get("Policies", [])
    return [statement for policy in policies for statement in as_list(policy["PolicyDocument"]["Statement"])]


@cache
def rights(folder: str) -> frozenset[Right]:
    """Return the rights of a function."""
    return frozenset(
        Right(action, text(resource), json.dumps(statement.get("Condition", {})))
        for statement in statements(folder)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    )


def is_for_the_platform(right: Right) -> bool:
    """Return whether Lambda uses the right, to read events or to send failed events to a queue, and not the handler."""
    return right.action in PLATFORM or (right.action == "sqs:SendMessage" and right.resource in _failure_destinations())


@cache
def _failure_destinations() -> frozenset[str]:
    configurations = [
        body["Properties"].get("DestinationConfig", {})
        for body in translated().values()
        if body["Type"] in {"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"}
    ]
    return frozenset(text(each["OnFailure"]["Destination"]) for each in configurations if "OnFailure" in each)


# --- resources in the tests

_AT = f"{cloud.REGION}:{cloud.ACCOUNT}"
_ARNS = MappingProxyType(
    {
        "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_AT}:table/",
        "AWS::S3::Bucket": "arn:aws:s3:::",
        "AWS::SQS::Queue": f"arn:aws:sqs:{_AT}:",
    }
)
"""The beginning of the ARNs of each type of resource."""


@cache
def arns() -> Mapping[str, str]:
    """Return the ARN of each resource that the tests deploy, found by the variables that name it in the template."""
    named = {
        text(value): cloud.ENVIRONMENT[variable].rpartition("/")[2]
        for function in of_type("AWS::Serverless::Function").values()
        for variable, value in function.get("Environment", {}).get("Variables", {}).items()
        if variable in cloud.ENVIRONMENT
    }
    resources = written()["Resources"]
    return {
        f"{name}.Arn": _ARNS[resources[name]["Type"]] + called
        for name, called in named.items()
        if name in resources and resources[name]["Type"] in _ARNS
    }


@cache
def arn_pattern(resource: str) -> re.Pattern[str]:
    """Return a pattern of the ARNs that a resource of the template stands for."""
    known = {"AWS::Partition": "aws", **arns()}
    for bucket in of_type("AWS::S3::Bucket").values():
        if "BucketName" in bucket:  # spelt out where a function cannot refer to it
            resource = resource.replace(text(bucket["BucketName"]), cloud.UPLOADS_BUCKET)
    if not re.search(r"\$\{|^arn:|^\*$", resource):
        resource = f"${{{resource}}}"
    return glob(re.sub(r"\$\{([^}]+)\}", lambda found: known.get(found[1], found[0]), resource))


@cache
def glob(pattern: str) -> re.Pattern[str]:
    """Translate IAM's wildcards."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


# --- needs of calls


class Need(NamedTuple):
    """An action on a resource that a call needs a right to, and the condition keys of the call."""

    action: str
    arn: str
    keys: Mapping[str, str] = MappingProxyType({})


type Params = Mapping[str, Any]


def _table(action: str, name: str, index: str | None = None) -> Need:
    table = name if name.startswith("arn:") else f"arn:aws:dynamodb:{_AT}:table/{name}"
    return Need(f"dynamodb:{action}", f"{table}/index/{index}" if index else table)


def _object(action: str, bucket: str, key: str = "*") -> Need:
    return Need(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}")


def _listing(bucket: str, prefix: str | None = None) -> Need:
    keys = {} if prefix is None else {"s3:prefix": prefix}
    return Need("s3:ListBucket", f"arn:aws:s3:::{bucket}", keys)


def _queue(action: str, params: Params) -> Iterator[Need]:
    yield Need(f"sqs:{action}", f"arn:aws:sqs:{_AT}:{params['QueueUrl'].rpartition('/')[2]}")


_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}

NEEDS: Mapping[str, Callable[[Params], Iterable[Need]]] = {
    "dynamodb.TransactGetItems": lambda params: [
        _table("GetItem", item["Get"]["TableName"]) for item in params["TransactItems"]
    ],
    "dynamodb.TransactWriteItems": lambda params: [
        _table(_WRITES[kind], write["TableName"]) for item in params["TransactItems"] for kind, write in item.items()
    ],
    "dynamodb.BatchGetItem": lambda params: [_table("BatchGetItem", name) for name in params["RequestItems"]],
    "dynamodb.BatchWriteItem": lambda params: [_table("BatchWriteItem", name) for name in params["RequestItems"]],
    "s3.GetObject": lambda params: [_object("GetObject", params["Bucket"], params["Key"])],
    "s3.HeadObject": lambda params: [_object("GetObject", params["Bucket"], params["Key"])],
    "s3.PutObject": lambda params: [_object("PutObject", params["Bucket"], params["Key"])],
    "s3.DeleteObject": lambda params: [_object("DeleteObject", params["Bucket"], params["Key"])],
    "s3.DeleteObjects": lambda params: [
        _object("DeleteObject", params["Bucket"], entry["Key"]) for entry in params["Delete"]["Objects"]
    ],
    "s3.ListObjectsV2": lambda params: [_listing(params["Bucket"], params.get("Prefix"))],
    "sqs.SendMessageBatch": lambda params: _queue("SendMessage", params),
    "sqs.DeleteMessageBatch": lambda params: _queue("DeleteMessage", params),
}
"""Calls whose rights do not follow from their name and their table or queue."""


def needs(call: str, params: Params) -> Iterable[Need]:
    """Return the needs of a call. A call that is not known here needs a right that no function has."""
    if known := NEEDS.get(call):
        return known(params)
    service, operation = call.split(".")
    if service == "dynamodb" and "TableName" in params:
        return [_table(operation, params["TableName"], params.get("IndexName"))]
    if service == "sqs" and "QueueUrl" in params:
        return _queue(operation, params)
    return [Need(f"{service}:{operation}", "a resource that tests/rights.py does not know")]


def posting_needs(policy: str) -> Iterator[Need]:
    """Return the needs of the signer of a POST policy. A policy without an exact key needs the right to every key."""
    named: dict[str, str] = {}
    for condition in json.loads(b64decode(policy))["conditions"]:
        match condition:
            case dict():
                named |= condition
            case ["eq", str(name), str(value)]:
                named[name.removeprefix("$")] = value
    yield _object("PutObject", named["bucket"], named.get("key", "*"))


# --- decisions


def allows(right: Right, need: Need) -> bool:
    """Return whether a right covers a need."""
    return (
        right.action == need.action
        and arn_pattern(right.resource).fullmatch(need.arn) is not None
        and all(
            _holds(operator, key, as_list(values), need.keys)
            for operator, asked in json.loads(right.condition).items()
            for key, values in asked.items()
        )
    )


def _holds(operator: str, key: str, values: list[str], keys: Mapping[str, str]) -> bool:
    compare: Callable[[str, str], bool] = {
        "StringEquals": lambda value, said: value == said,
        "StringLike": lambda pattern, said: glob(pattern).fullmatch(said) is not None,
    }[operator.removesuffix("IfExists")]
    if key not in keys:
        return operator.endswith("IfExists")
    return any(compare(value, keys[key]) for value in values)


class Usage:
    """The rights that handlers use, and the calls for which they have none."""

    def __init__(self, rights_of: Callable[[str], Iterable[Right]] = rights) -> None:
        self.rights_of = rights_of
        self.calls = 0
        self.used: set[tuple[str, Right]] = set()
        self.denied: list[str] = []

    def called(self, call: str, params: Params) -> None:
        """Check a call of the running function."""
        if function := _running[-1]:
            self.calls += 1
            self.check(function, needs(call, params))

    def failed(self, call: str, params: Params, code: str) -> None:
        """Check for s3:ListBucket: without it, S3 answers AccessDenied instead of NoSuchKey, and moto does not."""
        if (function := _running[-1]) and (call, code) == ("s3.GetObject", "NoSuchKey"):
            self.check(function, [_listing(params["Bucket"])])

    def check(self, function: str, wanted: Iterable[Need]) -> None:
        """Note which rights cover these needs, and which needs are not covered."""
        for need in wanted:
            enough = {(function, right) for right in self.rights_of(function) if allows(right, need)}
            self.used |= enough
            if not enough:
                self.denied.append(f"{function} may not {need.action} on {need.arn} {dict(need.keys)}")

    def unused(self, function: str) -> set[Right]:
        """Return the rights of a function that no call needed."""
        own = {right for right in self.rights_of(function) if not is_for_the_platform(right)}
        return {right for right in own if (function, right) not in self.used}


_running: list[str | None] = [None]


@contextmanager
def running(function: str | None) -> Iterator[None]:
    """Say which function makes the calls meanwhile, in all threads; None is the test itself."""
    _running.append(function)
    try:
        yield
    finally:
        _running.pop()
