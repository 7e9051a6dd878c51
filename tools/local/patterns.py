"""Filter patterns of Lambda's event source mappings.

A pattern mirrors the record: a map describes nested fields; of a list of values or conditions, one must hold.
See https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

_MISSING = object()
_COMPARISONS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class PatternUnknown(ValueError):
    """The pattern contains a condition that the local stack does not support."""


def matches(pattern: Mapping[str, Any], record: Any) -> bool:
    """Return whether the record matches. Raise PatternUnknown for an unsupported condition."""
    return all(_field_matches(name, wanted, record) for name, wanted in pattern.items())


def _field_matches(name: str, wanted: Any, record: Any) -> bool:
    if name == "$or":
        return any(matches(alternative, record) for alternative in wanted)
    value = record.get(name, _MISSING) if isinstance(record, Mapping) else _MISSING
    if isinstance(wanted, Mapping):
        return matches(wanted, {} if value is _MISSING else value)
    return any(_condition_holds(condition, value) for condition in wanted)


def _condition_holds(condition: Any, value: Any) -> bool:
    if not isinstance(condition, Mapping):
        return type(value) is type(condition) and bool(value == condition)
    ((kind, argument),) = condition.items()
    if kind == "exists":
        return (value is not _MISSING) is argument
    if kind not in _KINDS:
        raise PatternUnknown(f"the local stack does not support the condition {kind}")
    return value is not _MISSING and _KINDS[kind](argument, value)


def _is_other(argument: Any, value: Any) -> bool:
    if isinstance(argument, Mapping):
        return not _condition_holds(argument, value)
    return value not in (argument if isinstance(argument, list) else [argument])


def _is_within(bounds: list[Any], value: Any) -> bool:
    if not isinstance(value, int | float):
        return False
    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    return all(_COMPARISONS[comparison](value, bound) for comparison, bound in pairs)


_KINDS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda prefix, value: isinstance(value, str) and value.startswith(prefix),
    "suffix": lambda suffix, value: isinstance(value, str) and value.endswith(suffix),
    "equals-ignore-case": lambda text, value: isinstance(value, str) and value.lower() == text.lower(),
    "anything-but": _is_other,
    "numeric": _is_within,
}
