"""What AWS does between services, each kind in a thread: S3's notifications, streams, queues, schedules, and expiry.

Semantics are Lambda's: asynchronous invocations with retries and a destination for failures, batches with partial
answers, filters. Only time is shortened: retries come within seconds, and batching windows are left out.
"""

import json
import logging
import re
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from tools.local import aws
from tools.local.patterns import matches
from tools.local.runner import Outcome, PayloadTooLarge, Runner, Throttled
from tools.template import (
    ACCOUNT,
    BUCKET,
    EVENT_SOURCE_MAPPING,
    QUEUE,
    TABLE,
    Resource,
    Template,
    TemplateInvalid,
)

LOG = logging.getLogger(__name__)

NOTIFICATIONS = "profile-media-local-s3-notifications"
"""A queue the template knows nothing of: moto tells it of new objects."""

RETRY_SECONDS = (0.5, 1.0)
"""Before an asynchronous invocation's first and second retry; AWS waits a minute and two."""

LONGEST_BACKOFF = 5.0
UNIT_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
"""What a schedule's rate is said in."""

_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)s?\)")

POLL_SECONDS = 0.2
REAP_SECONDS = 1.0
LONG_POLL_SECONDS = 1

type Event = dict[str, Any]


@dataclass(frozen=True)
class EventSource:
    """An event source mapping, wherever the template has it."""

    function: str
    """Its logical id, as is the next."""
    source: str
    type: str
    properties: Mapping[str, Any]

    @property
    def batch_size(self) -> int:
        """Most records of one invocation."""
        return int(self.properties.get("BatchSize", 10 if self.type == QUEUE else 100))

    @property
    def takes_partial_answers(self) -> bool:
        """Whether the function says which records failed."""
        return "ReportBatchItemFailures" in self.properties.get("FunctionResponseTypes", [])

    def admits(self, record: Mapping[str, Any]) -> bool:
        """Whether the function is to see the record."""
        filters = (self.properties.get("FilterCriteria") or {}).get("Filters") or []
        return not filters or any(matches(json.loads(filter_["Pattern"]), record) for filter_ in filters)


@dataclass(frozen=True)
class Notification:
    """A bucket's wish to have a function told of its new objects."""

    id: str
    function: str
    bucket: str
    configuration: dict[str, Any]


@dataclass(frozen=True)
class Schedule:
    """A function's wish to be called every so often."""

    function: str
    seconds: float


@dataclass
class Pumps:
    """All of a template's pumps; safe to stop at any time."""

    template: Template
    runner: Runner
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _invocations: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(32, "async"))

    def start(self) -> None:
        """Starts one thread for each source of events in the template."""
        if notifications := {found.id: found for found in notifications_of(self.template)}:
            self._run("notifications", NotificationPump(self, notifications).step)
        for source in sources_of(self.template):
            pump = QueuePump(self, source) if source.type == QUEUE else StreamPump(self, source)
            self._run(f"{source.source}-{source.function}", pump.step)
        for schedule in schedules_of(self.template):
            self._run(f"{schedule.function}-schedule", SchedulePump(self, schedule).step)
        for table in self.template.of_type(TABLE):
            if expiry := table.properties.get("TimeToLiveSpecification"):
                self._run(f"{table.logical_id}-expiry", Reaper(self, table, expiry["AttributeName"]).step)

    def stop(self) -> None:
        """Asks everything to end; what waits in a long poll ends after that."""
        self._stopping.set()
        self._invocations.shutdown(wait=False, cancel_futures=True)

    def join(self) -> None:
        """Waits until everything has ended."""
        for thread in self._threads:
            thread.join()

    def client(self, service: str) -> Any:
        """A client of the local AWS."""
        return aws.client(service, self.template.endpoint)

    def pause(self, seconds: float) -> bool:
        """Waits; True when it is time to stop."""
        return self._stopping.wait(seconds)

    def invoke_later(self, function: str, event: Event) -> None:
        """Invokes as `InvocationType=Event` does: returns at once, retries, and hands over what failed for good."""
        self._invocations.submit(self._invoke_asynchronously, function, event)

    def invoke(self, function: str, event: Event) -> Outcome | None:
        """Invokes and waits, also for a free worker; None when stopping."""
        text = json.dumps(event, default=_plain)
        while not self._stopping.is_set():
            try:
                return self.runner.invoke(function, text)
            except Throttled:
                self.pause(POLL_SECONDS)
            except PayloadTooLarge:
                return Outcome(str(uuid.uuid4()), json.dumps({"errorMessage": "payload too large"}), failed=True)
        return None

    def hand_over(self, destination_arn: str, body: Event) -> None:
        """Sends what failed for good to the queue the template names for it."""
        url = self.template.queue_url(self.template.logical_id(destination_arn))
        self.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body, default=_plain))

    def _invoke_asynchronously(self, function: str, event: Event) -> None:
        settings = self.template.functions[function].properties.get("EventInvokeConfig") or {}
        attempts = 1 + int(settings.get("MaximumRetryAttempts", len(RETRY_SECONDS)))
        for attempt in range(attempts):
            outcome = self.invoke(function, event)
            if outcome is None or not outcome.failed:
                return
            if attempt + 1 == attempts:
                self._give_up(function, event, outcome, attempts)
            elif self.pause(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]):
                return

    def _give_up(self, function: str, event: Event, outcome: Outcome, attempts: int) -> None:
        LOG.error("%s failed for good: %s", function, outcome.payload)
        properties = self.template.functions[function].properties
        destinations = (properties.get("EventInvokeConfig") or {}).get("DestinationConfig") or {}
        if arn := (destinations.get("OnFailure") or {}).get("Destination"):
            self.hand_over(arn, _failed_invocation(self.runner, function, event, outcome, attempts))
        if arn := (properties.get("DeadLetterQueue") or {}).get("TargetArn"):
            self.hand_over(arn, event)

    def _run(self, name: str, step: Callable[[], None]) -> None:
        def loop() -> None:
            while not self._stopping.is_set():
                try:
                    step()
                except Exception:
                    if self._stopping.is_set():
                        return
                    LOG.exception("the pump %s failed, and goes on", name)
                    self.pause(1)

        thread = threading.Thread(target=loop, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()


class NotificationPump:
    """Tells functions of new objects, whoever put them there: the edge, a function, or somebody with boto3."""

    def __init__(self, pumps: Pumps, notifications: Mapping[str, Notification]) -> None:
        self._pumps = pumps
        self._notifications = notifications
        self._sqs = pumps.client("sqs")
        self._queue = self._sqs.create_queue(QueueName=NOTIFICATIONS)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        for bucket in {notification.bucket for notification in notifications.values()}:
            wanted = [
                {"Id": found.id, "QueueArn": attributes["QueueArn"], **found.configuration}
                for found in notifications.values()
                if found.bucket == bucket
            ]
            pumps.client("s3").put_bucket_notification_configuration(
                Bucket=pumps.template.name(bucket), NotificationConfiguration={"QueueConfigurations": wanted}
            )

    def step(self) -> None:
        """Passes on what has come in."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=LONG_POLL_SECONDS
        ).get("Messages", [])
        for message in messages:
            # S3 sends each event by itself, and one without records when a notification is set up.
            for record in json.loads(message["Body"]).get("Records", []):
                function = self._notifications[record["s3"]["configurationId"]].function
                self._pumps.invoke_later(function, {"Records": [_s3_record(record)]})
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])


class QueuePump:
    """Feeds a function from a queue; what it does not take comes back after the queue's visibility timeout."""

    def __init__(self, pumps: Pumps, source: EventSource) -> None:
        self._pumps = pumps
        self._source = source
        self._sqs = pumps.client("sqs")
        self._url = pumps.template.queue_url(source.source)
        self._arn = f"arn:aws:sqs:{pumps.template.region}:{self._url.split('/')[-2]}:{self._url.split('/')[-1]}"

    def step(self) -> None:
        """One batch, or a long poll in vain."""
        messages = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(10, self._source.batch_size),
            WaitTimeSeconds=LONG_POLL_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        wanted = [message for message in messages if self._source.admits({"body": _parsed(message["Body"])})]
        done = {message["MessageId"] for message in messages} - {message["MessageId"] for message in wanted}
        if wanted:
            done |= self._deliver(wanted)
        for message in messages:
            if message["MessageId"] in done:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _deliver(self, messages: list[dict[str, Any]]) -> set[str]:
        """The ids of the messages that were dealt with."""
        records = [self._record(message) for message in messages]
        outcome = self._pumps.invoke(self._source.function, {"Records": records})
        ids = [message["MessageId"] for message in messages]
        failed = failed_items(outcome, ids) if self._source.takes_partial_answers else all_or_none(outcome, ids)
        return set(ids) - failed

    def _record(self, message: dict[str, Any]) -> Event:
        attributes = {
            name: {name_[0].lower() + name_[1:]: value for name_, value in attribute.items()}
            for name, attribute in message.get("MessageAttributes", {}).items()
        }
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": attributes,
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": self._pumps.template.region,
        }


class StreamPump:
    """Feeds a function from a table's stream, in order: what fails is tried again before anything after it."""

    def __init__(self, pumps: Pumps, source: EventSource) -> None:
        self._pumps = pumps
        self._source = source
        self._streams = pumps.client("dynamodbstreams")
        table = pumps.client("dynamodb").describe_table(TableName=pumps.template.name(source.source))
        self._arn = table["Table"]["LatestStreamArn"]
        shards = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        self._shard = shards[0]["ShardId"]
        self._last: str | None = None

    def step(self) -> None:
        """One batch, or a short wait."""
        # A number names the place also after a failure; only the second call reads, and it sees whole transactions.
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._last is not None:
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._last}
        iterator = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=self._shard, **position)
        records = self._streams.get_records(ShardIterator=iterator["ShardIterator"], Limit=self._source.batch_size)[
            "Records"
        ]
        if not records:
            self._pumps.pause(POLL_SECONDS)
            return
        wanted = [self._record(record) for record in records if self._source.admits(record)]
        if wanted:
            self._deliver(wanted)
        self._last = records[-1]["dynamodb"]["SequenceNumber"]

    def _deliver(self, records: list[Event]) -> None:
        """Gives the batch to the function until it is done with all of it, or its retries are used up."""
        retries = int(self._source.properties.get("MaximumRetryAttempts", -1))
        attempts = 0
        while records:
            outcome = self._pumps.invoke(self._source.function, {"Records": records})
            if outcome is None:
                return
            records, was_partial = self._left_of(records, outcome)
            if not records:
                return
            attempts += 1
            if 0 <= retries < attempts:
                self._give_up(records, outcome, attempts)
                return
            if self._pumps.pause(min(LONGEST_BACKOFF, POLL_SECONDS * 2**attempts)):
                return
            if not was_partial and len(records) > 1 and self._source.properties.get("BisectBatchOnFunctionError"):
                middle = len(records) // 2
                self._deliver(records[:middle])
                records = records[middle:]

    def _left_of(self, records: list[Event], outcome: Outcome) -> tuple[list[Event], bool]:
        """The batch from its first failed record on, and whether the function named it."""
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        if outcome.failed or not self._source.takes_partial_answers:
            return (records if outcome.failed else []), False
        failed = failed_items(outcome, numbers)
        first = next((index for index, number in enumerate(numbers) if number in failed), len(records))
        return records[first:], len(failed) < len(records)

    def _give_up(self, records: list[Event], outcome: Outcome, attempts: int) -> None:
        LOG.error("%s failed for good: %s", self._source.function, outcome.payload)
        on_failure = (self._source.properties.get("DestinationConfig") or {}).get("OnFailure") or {}
        if arn := on_failure.get("Destination"):
            self._pumps.hand_over(arn, self._failed_batch(records, outcome, attempts))

    def _failed_batch(self, records: list[Event], outcome: Outcome, attempts: int) -> Event:
        """What AWS hands over of a batch: where it lies in the stream, not what is in it."""
        arrivals = [record["dynamodb"]["ApproximateCreationDateTime"] for record in records]
        return {
            **_failure(self._pumps.runner, self._source.function, outcome, "RetryAttemptsExhausted", attempts),
            "DDBStreamBatchInfo": {
                "shardId": self._shard,
                "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _iso(arrivals[0]),
                "approximateArrivalOfLastRecord": _iso(arrivals[-1]),
                "batchSize": len(records),
                "streamArn": self._arn,
            },
        }

    def _record(self, record: dict[str, Any]) -> Event:
        created = record["dynamodb"]["ApproximateCreationDateTime"]
        return {
            **record,
            "awsRegion": self._pumps.template.region,
            "dynamodb": {**record["dynamodb"], "ApproximateCreationDateTime": created.timestamp()},
            "eventSourceARN": self._arn,
        }


class SchedulePump:
    """Calls a function every so often, and the first time after as long, as a rule of EventBridge does."""

    def __init__(self, pumps: Pumps, schedule: Schedule) -> None:
        self._pumps = pumps
        self._schedule = schedule

    def step(self) -> None:
        """Waits, and calls."""
        if not self._pumps.pause(self._schedule.seconds):
            self._pumps.invoke_later(self._schedule.function, _scheduled_event(self._pumps.template))


class Reaper:
    """Removes expired rows, as DynamoDB does, only sooner."""

    def __init__(self, pumps: Pumps, table: Resource, attribute: str) -> None:
        self._pumps = pumps
        self._dynamodb = pumps.client("dynamodb")
        self._keys = [key["AttributeName"] for key in table.properties["KeySchema"]]
        self._request = {
            "TableName": pumps.template.name(table.logical_id),
            "ExpressionAttributeNames": {"#expiry": attribute},
        }

    def step(self) -> None:
        """Removes what has expired, unless it was given more time meanwhile."""
        now = {":now": {"N": str(int(time.time()))}}
        pages = self._dynamodb.get_paginator("scan").paginate(
            **self._request, FilterExpression="#expiry <= :now", ExpressionAttributeValues=now
        )
        for page in pages:
            for row in page["Items"]:
                self._remove({name: row[name] for name in self._keys}, now)
        self._pumps.pause(REAP_SECONDS)

    def _remove(self, key: dict[str, Any], now: dict[str, Any]) -> None:
        try:
            self._dynamodb.delete_item(
                **self._request, Key=key, ConditionExpression="#expiry <= :now", ExpressionAttributeValues=now
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            LOG.info("a row was kept just before it went")


def all_or_none(outcome: Outcome | None, items: list[str]) -> set[str]:
    """Which items failed, of a function that succeeds or fails as a whole."""
    return set(items) if outcome is None or outcome.failed else set()


def failed_items(outcome: Outcome | None, items: list[str]) -> set[str]:
    """Which items failed, of a function that answers `batchItemFailures`; all of them where the answer is malformed."""
    if outcome is None or outcome.failed:
        return set(items)
    answer = json.loads(outcome.payload)
    named = (answer or {}).get("batchItemFailures") or [] if isinstance(answer, dict | None) else None
    if not isinstance(named, list) or not all(isinstance(item, dict) for item in named):
        return set(items)
    failed = {item.get("itemIdentifier") for item in named}
    return failed if failed <= set(items) else set(items)


def notifications_of(template: Template) -> Iterator[Notification]:
    """The S3 events of the template's functions."""
    for function in template.functions.values():
        for name, event in (function.properties.get("Events") or {}).items():
            if event["Type"] != "S3":
                continue
            events = event["Properties"]["Events"]
            configuration: dict[str, Any] = {"Events": events if isinstance(events, list) else [events]}
            if filter_ := event["Properties"].get("Filter"):
                configuration["Filter"] = {"Key": {"FilterRules": filter_["S3Key"]["Rules"]}}
            yield Notification(
                id=f"{function.logical_id}-{name}",
                function=function.logical_id,
                bucket=_bucket_called(template, event["Properties"]["Bucket"]),
                configuration=configuration,
            )


def sources_of(template: Template) -> Iterator[EventSource]:
    """The queues and streams that feed functions, be they events of a function or mappings of their own."""
    for mapping in template.of_type(EVENT_SOURCE_MAPPING):
        yield _source(template, template.logical_id(mapping.properties["FunctionName"]), mapping.properties)
    for function in template.functions.values():
        for event in (function.properties.get("Events") or {}).values():
            if arn := event["Properties"].get({"SQS": "Queue", "DynamoDB": "Stream"}.get(event["Type"], "")):
                yield _source(template, function.logical_id, {**event["Properties"], "EventSourceArn": arn})


def schedules_of(template: Template) -> Iterator[Schedule]:
    """The schedules of the template's functions; raises TemplateInvalid for one that is no rate."""
    for function in template.functions.values():
        for event in (function.properties.get("Events") or {}).values():
            if event["Type"] != "Schedule":
                continue
            schedule = event["Properties"]["Schedule"]
            rate = _RATE.fullmatch(schedule)
            if rate is None:
                raise TemplateInvalid(f"the local stack knows rates only, not {schedule}")
            yield Schedule(function.logical_id, int(rate[1]) * UNIT_SECONDS[rate[2]])


def _scheduled_event(template: Template) -> Event:
    """EventBridge's own."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": now,
        "region": template.region,
        "resources": [],
        "detail": {},
    }


def _source(template: Template, function: str, properties: dict[str, Any]) -> EventSource:
    source = template.logical_id(properties["EventSourceArn"])
    return EventSource(function, source, template.document["Resources"][source]["Type"], properties)


def _bucket_called(template: Template, name: str) -> str:
    return next(bucket.logical_id for bucket in template.of_type(BUCKET) if template.name(bucket.logical_id) == name)


def _s3_record(record: dict[str, Any]) -> Event:
    """The record in AWS's shape; moto leaves out a few fields, and encodes slashes, which S3 does not."""
    stored = record["s3"]["object"]
    key = quote_plus(unquote_plus(stored["key"]), safe="/")
    return {
        **record,
        "userIdentity": {"principalId": "AWS:LOCAL"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": uuid.uuid4().hex[:16].upper(), "x-amz-id-2": "local"},
        "s3": {
            **record["s3"],
            "bucket": {**record["s3"]["bucket"], "ownerIdentity": {"principalId": "LOCAL"}},
            "object": {**stored, "key": key, "sequencer": f"{time.time_ns():018X}"},
        },
    }


def _failed_invocation(runner: Runner, function: str, event: Event, outcome: Outcome, attempts: int) -> Event:
    return {
        **_failure(runner, function, outcome, "RetriesExhausted", attempts),
        "requestPayload": event,
        "responsePayload": json.loads(outcome.payload),
    }


def _failure(runner: Runner, function: str, outcome: Outcome, condition: str, attempts: int) -> Event:
    """What every hand-over says of the invocation."""
    return {
        "version": "1.0",
        "timestamp": _iso(time.time()),
        "requestContext": {
            "requestId": outcome.request_id,
            "functionArn": f"{runner.functions[function].arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    }


def _iso(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parsed(body: str) -> Any:
    """A message's body as filters see it: JSON where it is JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return body


def _plain(value: object) -> str:
    """Bytes as events have them."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"not JSON: {type(value).__name__}")
