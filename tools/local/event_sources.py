"""Read the event sources of the template's functions: S3 notifications, queues, streams and schedules."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.local.patterns import matches
from tools.template import BUCKET, EVENT_SOURCE_MAPPING, QUEUE, Template, TemplateInvalid

UNIT_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)s?\)")


@dataclass(frozen=True)
class EventSource:
    """An event source mapping: a queue or a stream that feeds a function."""

    function: str
    """Logical id, as is `source`."""
    source: str
    type: str
    """CloudFormation type of the source."""
    properties: Mapping[str, Any]

    @property
    def batch_size(self) -> int:
        """The maximum number of records per invocation."""
        return int(self.properties.get("BatchSize", 10 if self.type == QUEUE else 100))

    @property
    def reports_failures(self) -> bool:
        """Whether the function returns the records that failed."""
        return "ReportBatchItemFailures" in self.properties.get("FunctionResponseTypes", [])

    def admits(self, record: Mapping[str, Any]) -> bool:
        """Return whether the record passes the filters."""
        filters = (self.properties.get("FilterCriteria") or {}).get("Filters") or []
        return not filters or any(matches(json.loads(filter_["Pattern"]), record) for filter_ in filters)


@dataclass(frozen=True)
class Notification:
    """An S3 event that invokes a function."""

    id: str
    function: str
    bucket: str
    configuration: dict[str, Any]
    """In the format of `PutBucketNotificationConfiguration`."""


@dataclass(frozen=True)
class Schedule:
    """A schedule that invokes a function."""

    function: str
    seconds: float


def notifications_of(template: Template) -> Iterator[Notification]:
    """Yield the S3 events of the template's functions."""
    buckets = {template.name(bucket.logical_id): bucket.logical_id for bucket in template.of_type(BUCKET)}
    for function, name, type_, properties in _events(template):
        if type_ == "S3":
            events = properties["Events"]
            configuration: dict[str, Any] = {"Events": events if isinstance(events, list) else [events]}
            if filter_ := properties.get("Filter"):
                configuration["Filter"] = {"Key": {"FilterRules": filter_["S3Key"]["Rules"]}}
            yield Notification(f"{function}-{name}", function, buckets[properties["Bucket"]], configuration)


def sources_of(template: Template) -> Iterator[EventSource]:
    """Yield the queues and streams, whether declared as a function's event or as a mapping."""
    for mapping in template.of_type(EVENT_SOURCE_MAPPING):
        yield _source(template, template.logical_id(mapping.properties["FunctionName"]), mapping.properties)
    for function, _, type_, properties in _events(template):
        if arn := properties.get({"SQS": "Queue", "DynamoDB": "Stream"}.get(type_, "")):
            yield _source(template, function, {**properties, "EventSourceArn": arn})


def schedules_of(template: Template) -> Iterator[Schedule]:
    """Yield the schedules. Raise TemplateInvalid for a schedule that is not a rate."""
    for function, _, type_, properties in _events(template):
        if type_ == "Schedule":
            rate = _RATE.fullmatch(properties["Schedule"])
            if rate is None:
                raise TemplateInvalid(f"the local stack supports only rate(…), not {properties['Schedule']}")
            yield Schedule(function, int(rate[1]) * UNIT_SECONDS[rate[2]])


def _events(template: Template) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield function, event name, type and properties of every event."""
    for function in template.functions.values():
        for name, event in function.events.items():
            yield function.logical_id, name, event["Type"], event["Properties"]


def _source(template: Template, function: str, properties: dict[str, Any]) -> EventSource:
    source = template.logical_id(properties["EventSourceArn"])
    return EventSource(function, source, template.document["Resources"][source]["Type"], properties)
