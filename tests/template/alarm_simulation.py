"""CloudWatch's alarms in memory: evaluate the template's alarms every minute on metrics that a test makes up.

As CloudWatch documents it: windows slide, missing data is not breaching, and a composite alarm whose suppressor is on
waits before it notifies.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import add, ge, gt, lt, truediv
from statistics import mean
from typing import Any

from tests.template.document import alarms, text

ALARMS = alarms()
METRIC_ALARMS = {name: body for name, body in ALARMS.items() if "AlarmRule" not in body}
COMPOSITES = {name: body for name, body in ALARMS.items() if "AlarmRule" in body}
CAUSES = {name: re.findall(r"\w+Alarm", text(body["AlarmRule"])) for name, body in COMPOSITES.items()}
"""The alarms that each composite alarm names."""

type Key = tuple[str, str]
"""A metric's name and the value of its last dimension."""
type Series = Mapping[Key, Callable[[int], Sequence[float]]]
"""The values that a metric gets in a minute."""

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum, "Average": mean, "Maximum": max, "SampleCount": len,
}  # fmt: skip
_COMPARISONS = {"GreaterThanThreshold": gt, "GreaterThanOrEqualToThreshold": ge, "LessThanThreshold": lt}


def key(metric: Mapping[str, Any]) -> Key:
    """Return the key of an alarm's metric."""
    return metric["MetricName"], text(metric["Dimensions"][-1]["Value"])


def notifications(series: Series, minutes: int) -> list[tuple[str, str]]:
    """Return what the topic gets within these minutes: pairs of composite alarm and state."""
    return [(name, state) for _, name, state in _notifications(series, minutes)]


def _notifications(series: Series, minutes: int) -> Iterator[tuple[int, str, str]]:
    since: dict[str, int] = {}
    notified: set[str] = set()
    quiet_until = 0
    for now in range(minutes):
        states = {name: is_on(alarm, series, now) for name, alarm in METRIC_ALARMS.items()}
        for name, alarm in COMPOSITES.items():
            is_suppressed = "ActionsSuppressor" in alarm
            if not _follows(text(alarm["AlarmRule"]), states):
                if name in notified:
                    yield now, name, "OK"
                since.pop(name, None)
                notified.discard(name)
                continue
            since.setdefault(name, now)
            if not is_suppressed:
                quiet_until = now + COMPOSITES["ApiTicketAlarm"]["ActionsSuppressorExtensionPeriod"] // 60
            waits = is_suppressed and (
                now < quiet_until or now - since[name] < alarm["ActionsSuppressorWaitPeriod"] / 60
            )
            if name not in notified and not waits:
                notified.add(name)
                yield now, name, "ALARM"


def _follows(rule: str, states: Mapping[str, bool]) -> bool:
    """Evaluate a rule that is an OR of alarms and of ANDs of alarms."""
    ways = re.split(r"\s+OR\s+", rule)
    return any(all(states[name] for name in re.findall(r"\w+Alarm", way)) for way in ways)


def is_on(alarm: Mapping[str, Any], series: Series, now: int) -> bool:
    """Evaluate a metric alarm at the end of a minute."""
    periods = alarm["EvaluationPeriods"]
    points = [_point(alarm, series, now, number) for number in range(periods)]
    breaches = _COMPARISONS[alarm["ComparisonOperator"]]
    breaching = sum(point is not None and breaches(point, alarm["Threshold"]) for point in points)
    return bool(breaching >= alarm.get("DatapointsToAlarm", periods))


def _point(alarm: Mapping[str, Any], series: Series, now: int, number: int) -> float | None:
    """Return the value of the period that ended `number` periods ago; None if there is no data."""
    if "Metrics" not in alarm:
        statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        period = alarm["Period"]
        return _statistic(series.get(key(alarm)), statistic, period, now + 1 - number * period // 60)
    values: dict[str, float | None] = {}
    for metric in (each for each in alarm["Metrics"] if "MetricStat" in each):
        stat = metric["MetricStat"]
        end = now + 1 - number * stat["Period"] // 60
        values[metric["Id"]] = _statistic(series.get(key(stat["Metric"])), stat["Stat"], stat["Period"], end)
    if all(value is None for value in values.values()):
        return None
    expressions = [each for each in alarm["Metrics"] if "Expression" in each]
    for expression in reversed(expressions):  # the first one uses the others
        values[expression["Id"]] = _math(ast.parse(expression["Expression"], mode="eval").body, values)
    return values[expressions[0]["Id"]]


def _statistic(
    values_in: Callable[[int], Sequence[float]] | None, statistic: str, period: int, end: int
) -> float | None:
    """Return the statistic of the values in the seconds before a minute; None if there are none."""
    minutes = range(max(0, end - period // 60), end)
    values = [value for minute in minutes for value in values_in(minute)] if values_in else []
    if not values:
        return None
    if statistic.startswith("PR("):
        low, high = (float(bound) for bound in statistic[3:-1].split(":"))
        return 100 * mean(low < value <= high for value in values)
    if statistic.startswith("p"):
        return sorted(values)[min(len(values) - 1, int(len(values) * float(statistic[1:]) / 100))]
    return float(_STATISTICS[statistic](values))


def _math(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    """Evaluate the part of metric math that the template uses. Without data for a name there is no result."""
    match node:
        case ast.Constant(int() as value):
            return value
        case ast.Name(name):
            return values[name]
        case ast.Call(ast.Name("FILL"), [ast.Name(name), ast.Constant(int() as filling)]):
            return filling if values[name] is None else values[name]
        case ast.Call(ast.Name("IF"), [condition, then, otherwise]):
            return _math(then if _math(condition, values) else otherwise, values)
        case ast.BinOp(left, (ast.Add() | ast.Div()) as operator, right):
            return _both(add if isinstance(operator, ast.Add) else truediv, _math(left, values), _math(right, values))
        case ast.Compare(left, [ast.GtE()], [right]):
            return _both(ge, _math(left, values), _math(right, values))
    raise NotImplementedError(ast.dump(node))


def _both(operator: Callable[[Any, Any], float], left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else float(operator(left, right))
