"""Holds every call that a handler makes to its function's rights in the template, as IAM would.

A call without the right is answered with AccessDenied, and fails the test that ran it, whatever the handler made of
it. The rights in use are noted, so that the run's last test can tell which are spare. What happens outside handlers,
and what `tests/cloud.py` looks at behind the scenes, is free.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from threading import Thread, current_thread
from types import MappingProxyType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import pytest
from botocore.auth import S3SigV4PostAuth
from botocore.exceptions import ClientError

from profile_media.aws import session
from tests import cloud
from tests.template.document import ROOT, as_list, logical_id, of_type, text, translated, written

LAST = ("test_no_right_is_spare", "test_no_operation_is_spare")
"""The tests that run when all others have."""

# --- what functions may do


class Right(NamedTuple):
    """What a function may do, as the template spells it."""

    action: str
    resource: str
    condition: str = "{}"


PLATFORM = {
    "dynamodb:DescribeStream": "Lambda reads the stream for the function",
    "dynamodb:GetRecords": "Lambda reads the stream for the function",
    "dynamodb:GetShardIterator": "Lambda reads the stream for the function",
    "dynamodb:ListStreams": "Lambda reads the stream for the function",
    "sqs:ReceiveMessage": "Lambda takes messages off the queue for the function",
    "sqs:DeleteMessage": "Lambda takes messages off the queue for the function",
    "sqs:GetQueueAttributes": "Lambda takes messages off the queue for the function",
}
"""Actions that no handler needs: the platform uses them in the function's name. The reason is the sentence."""


def role(folder: str) -> dict[str, Any]:
    """The role of a function, after SAM's transform."""
    found: dict[str, Any] = translated()[f"{logical_id(folder)}Role"]["Properties"]
    return found


def statements(folder: str) -> list[dict[str, Any]]:
    """What its policies say, those of AWS left out."""
    policies = role(folder).get("Policies", [])
    return [statement for policy in policies for statement in as_list(policy["PolicyDocument"]["Statement"])]


@cache
def rights(folder: str) -> frozenset[Right]:
    """What they allow: one action on one resource each."""
    return frozenset(
        Right(action, text(resource), json.dumps(statement.get("Condition", {})))
        for statement in statements(folder)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    )


def is_for_the_platform(right: Right) -> bool:
    """Whether no handler is meant to use it: Lambda does, to bring events and to hand over those that failed."""
    return right.action in PLATFORM or (right.action == "sqs:SendMessage" and right.resource in _failure_destinations())


@cache
def _failure_destinations() -> frozenset[str]:
    configurations = [
        body["Properties"].get("DestinationConfig", {})
        for body in translated().values()
        if body["Type"] in {"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"}
    ]
    return frozenset(text(each["OnFailure"]["Destination"]) for each in configurations if "OnFailure" in each)


# --- what the tests call what the template names

_AT = f"{cloud.REGION}:{cloud.ACCOUNT}"
_ARNS = MappingProxyType(
    {
        "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_AT}:table/",
        "AWS::S3::Bucket": "arn:aws:s3:::",
        "AWS::SQS::Queue": f"arn:aws:sqs:{_AT}:",
    }
)
"""What the ARNs of each type of resource start with."""


@cache
def arns() -> Mapping[str, str]:
    """ARNs in the tests' deployment. Functions' environments say which resource is which; what they do not name no
    test deploys, and so no call can be about it."""
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
    """The ARNs in the tests' deployment that a resource of the template stands for."""
    known = {"AWS::Partition": "aws", **arns()}
    for bucket in of_type("AWS::S3::Bucket").values():
        if "BucketName" in bucket:  # spelt out where a function cannot refer to it
            resource = resource.replace(text(bucket["BucketName"]), cloud.UPLOADS_BUCKET)
    if not re.search(r"\$\{|^arn:|^\*$", resource):
        resource = f"${{{resource}}}"
    return glob(re.sub(r"\$\{([^}]+)\}", lambda found: known.get(found[1], found[0]), resource))


@cache
def glob(pattern: str) -> re.Pattern[str]:
    """IAM's wildcards."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


# --- what calls need


class Need(NamedTuple):
    """What a call needs a right for, and what conditions may ask about it."""

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
"""Calls that need another right than the one of their own name on their table or queue."""


def needs(call: str, params: Params) -> Iterable[Need]:
    """What a call needs. One that is not known here needs what nobody has, so that it cannot pass unnoticed."""
    if known := NEEDS.get(call):
        return known(params)
    service, operation = call.split(".")
    if service == "dynamodb" and "TableName" in params:
        return [_table(operation, params["TableName"], params.get("IndexName"))]
    if service == "sqs" and "QueueUrl" in params:
        return _queue(operation, params)
    return [Need(f"{service}:{operation}", "a resource that tests/rights.py does not know")]


def posting_needs(policy: str) -> Iterator[Need]:
    """What the signer of a POST policy needs; a key that is not pinned is any key."""
    named: dict[str, str] = {}
    for condition in json.loads(b64decode(policy))["conditions"]:
        match condition:
            case dict():
                named |= condition
            case ["eq", str(name), str(value)]:
                named[name.removeprefix("$")] = value
    yield _object("PutObject", named["bucket"], named.get("key", "*"))


# --- IAM's decision


def allows(right: Right, need: Need) -> bool:
    """Whether a right is enough for a call."""
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


class Watch:
    """Decides on calls as IAM would, and remembers what it decided."""

    def __init__(self, rights_of: Callable[[str], Iterable[Right]] = rights) -> None:
        self.rights_of = rights_of
        self.calls = 0
        self.used: set[tuple[str, Right]] = set()
        self.operations: set[str] = set()
        self.denied: list[str] = []

    def permits(self, function: str, wanted: Iterable[Need]) -> bool:
        """Whether a function has all these rights."""
        self.calls += 1
        missing = [need for need in wanted if not self._permits(function, need)]
        return not missing

    def _permits(self, function: str, need: Need) -> bool:
        enough = {(function, right) for right in self.rights_of(function) if allows(right, need)}
        self.used |= enough
        if not enough:
            self.denied.append(f"{function} may not {need.action} on {need.arn} {dict(need.keys)}")
        return bool(enough)

    def spare(self, function: str) -> set[Right]:
        """The rights of a function that no call has needed."""
        own = {right for right in self.rights_of(function) if not is_for_the_platform(right)}
        return {right for right in own if (function, right) not in self.used}


# --- between the handlers and moto

WATCH = Watch()
DESCRIBED: Mapping[str, list[str]] = json.loads((ROOT / "layers/dependencies/operations.json").read_text())
"""The operations that botocore knows in Lambda: the layer's build takes out the others."""
_callers: WeakKeyDictionary[Thread, str | None] = WeakKeyDictionary()


@contextmanager
def calling(function: str | None) -> Iterator[None]:
    """Says whose calls these are, in this thread and in those that are started meanwhile; None is the test's own."""
    thread = current_thread()
    before = _callers.get(thread)
    _callers[thread] = function
    try:
        yield
    finally:
        _callers[thread] = before


def _check_call(*, model: Any, params: Params, context: dict[str, Any], **_: Any) -> None:
    """Also presigned URLs come by here: what they are for, their signer must be allowed."""
    if function := _callers.get(current_thread()):
        service = model.service_model.service_name
        context["rights"] = function, params
        WATCH.operations.add(f"{service}.{model.name}")
        if not WATCH.permits(function, needs(f"{service}.{model.name}", params)):
            raise _refusal(service, model.name)
        if model.name not in DESCRIBED.get(service, ()):
            WATCH.denied.append(f"{function} calls {service}.{model.name}: not in layers/dependencies/operations.json")


def _check_missing(*, model: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """S3 tells only those that something is missing who may list what there is."""
    if parsed.get("Error", {}).get("Code") in {"NoSuchKey", "404"} and "rights" in context:
        function, params = context["rights"]
        if not WATCH.permits(function, [_listing(params["Bucket"])]):
            raise _refusal("s3", model.name)


def _refusal(service: str, operation: str) -> ClientError:
    code = "AccessDeniedException" if service == "dynamodb" else "AccessDenied"
    return ClientError({"Error": {"Code": code, "Message": "no identity-based policy allows the action"}}, operation)


def _check_signature(original: Callable[..., str]) -> Callable[..., str]:
    @wraps(original)
    def signature(signer: S3SigV4PostAuth, string_to_sign: str, request: Any) -> str:
        function = _callers.get(current_thread())
        if function:  # whoever signs learns nothing: it is the form that S3 would refuse
            WATCH.permits(function, posting_needs(string_to_sign))
        return original(signer, string_to_sign, request)

    return signature


def _hand_down(original: Callable[[Thread], None]) -> Callable[[Thread], None]:
    @wraps(original)
    def start(thread: Thread) -> None:
        if function := _callers.get(current_thread()):
            _callers[thread] = function
        original(thread)

    return start


# --- pytest


class Selection:
    """Whether the run is of all tests; those on the running stack, whose handlers are elsewhere, may be left out."""

    def __init__(self, config: pytest.Config) -> None:
        here = config.invocation_params.dir
        paths = {Path(here, argument).resolve() for argument in config.args}
        self.is_whole = bool(paths & {ROOT, ROOT / "tests"}) and not any(
            config.getoption(option, None) for option in ("ignore", "ignore_glob", "lf")
        )

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Learns that some tests were sorted out."""
        if any(item.get_closest_marker("e2e") is None for item in items):
            self.is_whole = False


SELECTION = pytest.StashKey[Selection]()


def pytest_configure(config: pytest.Config) -> None:
    """Stands between before any client is made."""
    events: Any = session.session().get_component("event_emitter")
    events.register("before-parameter-build", _check_call)
    events.register("after-call.s3", _check_missing)
    patch = pytest.MonkeyPatch()
    patch.setattr(S3SigV4PostAuth, "signature", _check_signature(S3SigV4PostAuth.signature))
    patch.setattr(Thread, "start", _hand_down(Thread.start))
    config.add_cleanup(patch.undo)
    config.stash[SELECTION] = Selection(config)
    config.pluginmanager.register(config.stash[SELECTION])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the test to the end that asks what all others have used."""
    items.sort(key=lambda item: item.name.startswith(LAST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """Calls of handlers that fixtures run count as well."""
    yield from _failing_when_denied()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Fails the test whose handlers went beyond their rights."""
    yield from _failing_when_denied()


def _failing_when_denied() -> Generator[None]:
    watch = WATCH  # a test may put another in its place meanwhile
    watch.denied.clear()
    yield
    if watch.denied:
        pytest.fail("\n".join(dict.fromkeys(watch.denied)), pytrace=False)
