"""The language of POST policies: read strictly, then held against the form.

    {"expiration": "2026-01-31T12:00:00Z",
     "conditions": [{"bucket": "b"}, ["eq", "$key", "k"], ["starts-with", "$Content-Type", "image/"],
                    ["content-length-range", 1, 9]]}

Names of fields and operations are taken in any case; values, and the two names at the top, only as they are.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import against_policy, malformed_policy

LARGEST_OBJECT = 5 * 1024**3
"""Bytes; what S3 takes in one request."""

_UNCOVERED = frozenset({"policy", "x-amz-signature", "file"})
_IGNORED_PREFIX = "x-ignore-"
_EXPIRATION = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on one field. `name` is None where the policy does not name a field, which nothing can match."""

    name: str | None
    holds: Callable[[str], bool]
    spelling: str


@dataclass(frozen=True, slots=True)
class SizeRange:
    """How many bytes the file may have, both ends included."""

    smallest: int = 0
    largest: int = LARGEST_OBJECT

    def narrowed(self, other: "SizeRange") -> "SizeRange":
        """What both ranges allow."""
        return SizeRange(max(self.smallest, other.smallest), min(self.largest, other.largest))


Condition = Match | SizeRange


@dataclass(frozen=True, slots=True)
class Policy:
    """What a signer allows its bearer to post, and until when."""

    expiration: datetime
    conditions: tuple[Condition, ...]

    def check(self, fields: Fields, bucket: str, now: datetime) -> SizeRange:
        """The size the file may have, if the form keeps to the policy; raises Refusal if it does not."""
        if now > self.expiration:
            raise against_policy("Policy expired.")
        # The bucket is what the request went to, whatever a field of that name claims.
        values = {name: field.value for name, field in fields} | {"bucket": bucket}
        for condition in self.conditions:
            if isinstance(condition, Match) and not _meets(condition, values):
                raise against_policy(f"Policy Condition failed: {condition.spelling}")
        self._check_coverage(fields)
        size = SizeRange()
        for condition in self.conditions:
            if isinstance(condition, SizeRange):
                size = size.narrowed(condition)
        return size

    def _check_coverage(self, fields: Fields) -> None:
        """Every field, and the bucket, needs a condition: what the signer did not think of is not allowed."""
        covered = {condition.name for condition in self.conditions if isinstance(condition, Match)}
        sent = {"bucket": "bucket"} | {name: field.name for name, field in fields}
        extra = [
            spelling
            for name, spelling in sent.items()
            if name not in covered | _UNCOVERED and not name.startswith(_IGNORED_PREFIX)
        ]
        if extra:
            raise against_policy(f"Extra input fields: {', '.join(extra)}")


def parse_policy(encoded: str) -> Policy:
    """Reads a policy field; raises Refusal with 400 for whatever S3 would not read as a policy."""
    document = _load(encoded)
    for name in document:
        if name not in ("expiration", "conditions"):
            raise malformed_policy(f"Unexpected: '{name.lower()}'")
    if "expiration" not in document:
        raise malformed_policy("Policy missing expiration.")
    if "conditions" not in document:
        raise malformed_policy("Policy missing conditions.")
    conditions = document["conditions"]
    if not isinstance(conditions, list):
        raise malformed_policy("Invalid 'conditions' value: must be a List.")
    return Policy(_expiration(document["expiration"]), tuple(map(_condition, conditions)))


def _meets(condition: Match, values: Mapping[str, str]) -> bool:
    value = values.get(condition.name) if condition.name is not None else None
    return value is not None and condition.holds(value)


def _load(encoded: str) -> dict[str, object]:
    """The JSON object behind the base64: no duplicate names, no fractions, no null, as S3 has none of them."""
    try:
        document: object = json.loads(
            b64decode(encoded, validate=True).decode(),
            object_pairs_hook=_unique,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError) as error:
        raise malformed_policy("Invalid JSON.") from error
    if not isinstance(document, dict):
        raise malformed_policy("Invalid JSON.")
    return document


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = {name for name, _ in pairs}
    if len(names) != len(pairs) or any(value is None for _, value in pairs):
        raise ValueError("a name twice, or a null")
    return dict(pairs)


def _refuse(text: str) -> object:
    raise ValueError(f"not in a policy: {text}")


def _expiration(value: object) -> datetime:
    match = _EXPIRATION.fullmatch(value) if isinstance(value, str) else None
    try:
        if match:
            seconds = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
            return seconds.replace(microsecond=int((match[2] or "").ljust(6, "0")[:6]))
    except ValueError:
        pass
    raise malformed_policy(f"Invalid 'expiration' value: '{value}'")


def _condition(source: object) -> Condition:
    match source:
        case dict():
            return _simple(source)
        case []:
            raise malformed_policy("Invalid Condition: missing operation identifier.")
        case [str(operation), *arguments]:
            return _listed(operation, arguments)
        case [_, *_]:
            raise malformed_policy("Invalid JSON.")
    raise malformed_policy("Invalid condition test: must be a List or Object.")


def _simple(source: Mapping[str, object]) -> Condition:
    """`{"acl": "private"}`, which is short for `["eq", "$acl", "private"]`."""
    if len(source) != 1:
        rule = "Simple-Conditions must have exactly one property specified."
        raise malformed_policy(f"Invalid Simple-Condition: {rule}")
    name, value = next(iter(source.items()))
    if not isinstance(value, str):
        raise malformed_policy("Invalid Simple-Condition: value must be a string.")
    return _listed("eq", [f"${name}", value])


def _listed(operation: str, arguments: list[object]) -> Condition:
    read = _OPERATIONS.get(operation.lower())
    if read is None:
        raise malformed_policy(f"Invalid Condition: unknown operation '{operation}'.")
    if len(arguments) != 2:
        raise malformed_policy(f"Invalid {operation.lower()}: wrong number of arguments.")
    return read(arguments[0], arguments[1], json.dumps([operation, *arguments], ensure_ascii=False))


def _equals(name: object, value: object, spelling: str) -> Condition:
    field, expected = _operands(name, value)
    # S3 finds no key equal to one with `$$`, not even the same.
    return Match(field, lambda actual: actual == expected and "$$" not in expected, spelling)


def _starts_with(name: object, value: object, spelling: str) -> Condition:
    field, prefix = _operands(name, value)
    if field == "content-type":
        # A list of types is as good as its worst: "image/png,text/html" is no image.
        return Match(field, lambda actual: all(_begins(item.strip(), prefix) for item in actual.split(",")), spelling)
    return Match(field, lambda actual: _begins(actual, prefix), spelling)


def _begins(text: str, prefix: str) -> bool:
    return text.startswith(prefix)


def _operands(name: object, value: object) -> tuple[str | None, str]:
    if not isinstance(name, str) or not isinstance(value, str):
        raise malformed_policy("Invalid JSON.")
    return (name[1:].lower() if name.startswith("$") else None), value


def _size_range(smallest: object, largest: object, spelling: str) -> Condition:
    bounds = [_bound(smallest), _bound(largest)]
    if any(bound is None for bound in bounds):
        # S3 reads the text of a bound late: what is no number fails like a condition, not like a malformed policy.
        return Match(None, lambda _: False, spelling)
    return SizeRange(bounds[0] or 0, bounds[1] or 0)


def _bound(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise malformed_policy("Invalid content-length-range: a bound must be a number of bytes.")
    return value


_OPERATIONS: Mapping[str, Callable[[object, object, str], Condition]] = MappingProxyType(
    {"eq": _equals, "starts-with": _starts_with, "content-length-range": _size_range}
)
