"""Read a POST policy and compare it with the fields of a form.

    {"expiration": "2026-01-31T12:00:00Z",
     "conditions": [{"bucket": "b"}, ["eq", "$key", "k"], ["starts-with", "$Content-Type", "image/"],
                    ["content-length-range", 1, 9]]}

Field names are compared in any case, values exactly.
"""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import Refusal, against_policy

MAX_OBJECT_BYTES = 5 * 1024**3
_FIELDS_WITHOUT_CONDITION = frozenset({"policy", "x-amz-signature", "file"})
_EXPIRATION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on the value of one field."""

    operation: str
    field: str
    value: str

    def holds(self, values: Mapping[str, str]) -> bool:
        """Return whether the form has the field, with an allowed value."""
        actual = values.get(self.field.lower())
        if actual is None:
            return False
        return actual == self.value if self.operation == "eq" else actual.startswith(self.value)

    def __str__(self) -> str:
        return json.dumps([self.operation, f"${self.field}", self.value], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class SizeRange:
    """The allowed number of bytes of the file, inclusive."""

    smallest: int = 0
    largest: int = MAX_OBJECT_BYTES


@dataclass(frozen=True, slots=True)
class Policy:
    """The conditions that the signer set, and their expiry."""

    expiration: datetime
    matches: tuple[Match, ...]
    size: SizeRange

    def check(self, fields: Fields, bucket: str, now: datetime) -> None:
        """Raise Refusal if the policy has expired, a condition fails, or a field has no condition."""
        if now > self.expiration:
            raise against_policy("Policy expired.")
        # The bucket is the one that the request was sent to, whatever a field called `bucket` says.
        values = {name: field.value for name, field in fields} | {"bucket": bucket}
        for match in self.matches:
            if not match.holds(values):
                raise against_policy(f"Policy Condition failed: {match}")
        covered = {match.field.lower() for match in self.matches} | _FIELDS_WITHOUT_CONDITION
        spelling = {"bucket": "bucket", **{name: field.name for name, field in fields}}
        extra = [spelling[name] for name in values if name not in covered and not name.startswith("x-ignore-")]
        if extra:
            raise against_policy(f"Extra input fields: {', '.join(extra)}")


def parse_policy(encoded: str) -> Policy:
    """Decode a policy field. Raise Refusal (400 InvalidPolicyDocument) for anything but a valid policy."""
    try:
        document = json.loads(b64decode(encoded, validate=True))
        if document.keys() != {"expiration", "conditions"}:
            raise ValueError("a policy has an expiration and conditions")
        conditions = [_condition(source) for source in document["conditions"]]
        sizes = [condition for condition in conditions if isinstance(condition, SizeRange)]
        return Policy(
            _expiration(document["expiration"]),
            tuple(condition for condition in conditions if isinstance(condition, Match)),
            SizeRange(
                max((size.smallest for size in sizes), default=0),
                min((size.largest for size in sizes), default=MAX_OBJECT_BYTES),
            ),
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Refusal(400, "InvalidPolicyDocument", f"Invalid Policy: {error}") from error


def _expiration(text: str) -> datetime:
    """Read a UTC time. S3 refuses other offsets."""
    if not _EXPIRATION.fullmatch(text):
        raise ValueError(f"Invalid 'expiration' value: '{text}'")
    return datetime.fromisoformat(text)


def _condition(source: object) -> Match | SizeRange:
    match source:
        case dict() if len(source) == 1:
            [(name, value)] = source.items()
            return _condition(["eq", f"${name}", value])
        case ["content-length-range", int(smallest), int(largest)] if smallest >= 0 and largest >= 0:
            return SizeRange(smallest, largest)
        case [("eq" | "starts-with") as operation, str(name), str(value)] if name.startswith("$"):
            return Match(operation, name.removeprefix("$"), value)
    raise ValueError(f"Invalid Condition: {json.dumps(source)}")
