"""Deliver events as AWS does, in one thread per event source: S3 notifications, streams, queues, schedules, expiry.

Batches, partial failures, filters and failure destinations work as in Lambda. Times are shorter: retries come within
seconds, and batching windows are ignored.
"""

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from tools.local import aws
from tools.local.event_sources import EventSource, Notification, Schedule, notifications_of, schedules_of, sources_of
from tools.local.invocations import Event, Invocations, failed_items, iso
from tools.local.runner import Outcome, Runner
from tools.template import ACCOUNT, QUEUE, TABLE, Resource, Template

LOG = logging.getLogger(__name__)

NOTIFICATIONS = "profile-media-local-s3-notifications"
"""A queue besides the template's: moto sends S3 events to it."""

MAX_BACKOFF_SECONDS = 5.0
POLL_SECONDS = 0.2
EXPIRY_SECONDS = 1.0
LONG_POLL_SECONDS = 1


@dataclass
class Pumps:
    """All event sources of a template."""

    template: Template
    runner: Runner
    invocations: Invocations = field(init=False)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.invocations = Invocations(self.template, self.runner)

    def start(self) -> None:
        """Start one thread per event source."""
        if notifications := {found.id: found for found in notifications_of(self.template)}:
            self._run("notifications", NotificationPump(self, notifications).step)
        for source in sources_of(self.template):
            pump = QueuePump(self, source) if source.type == QUEUE else StreamPump(self, source)
            self._run(f"{source.source}-{source.function}", pump.step)
        for schedule in schedules_of(self.template):
            self._run(f"{schedule.function}-schedule", SchedulePump(self, schedule).step)
        for table in self.template.of_type(TABLE):
            if expiry := table.properties.get("TimeToLiveSpecification"):
                self._run(f"{table.logical_id}-expiry", ExpiryPump(self, table, expiry["AttributeName"]).step)

    def stop(self) -> None:
        """Ask all threads to end. A thread in a long poll ends after the poll."""
        self.invocations.stop()

    def join(self) -> None:
        """Wait until all threads have ended."""
        for thread in self._threads:
            thread.join()

    def client(self, service: str) -> Any:
        """Return a client of the local AWS."""
        return aws.client(service, self.template.endpoint)

    def pause(self, seconds: float) -> bool:
        """Wait. Return True when it is time to stop."""
        return self.invocations.stopping.wait(seconds)

    def _run(self, name: str, step: Callable[[], None]) -> None:
        stopping = self.invocations.stopping

        def loop() -> None:
            while not stopping.is_set():
                try:
                    step()
                except Exception:
                    if stopping.is_set():
                        return
                    LOG.exception("the pump %s failed and continues", name)
                    self.pause(1)

        thread = threading.Thread(target=loop, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()


class NotificationPump:
    """Invoke functions for new objects, whoever stored them: the S3 edge, a function, or a person with boto3."""

    def __init__(self, pumps: Pumps, notifications: Mapping[str, Notification]) -> None:
        self._invocations = pumps.invocations
        self._notifications = notifications
        self._sqs = pumps.client("sqs")
        self._queue = self._sqs.create_queue(QueueName=NOTIFICATIONS)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        for bucket in {notification.bucket for notification in notifications.values()}:
            configurations = [
                {"Id": found.id, "QueueArn": attributes["QueueArn"], **found.configuration}
                for found in notifications.values()
                if found.bucket == bucket
            ]
            pumps.client("s3").put_bucket_notification_configuration(
                Bucket=pumps.template.name(bucket), NotificationConfiguration={"QueueConfigurations": configurations}
            )

    def step(self) -> None:
        """Receive notifications and invoke their functions."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=LONG_POLL_SECONDS
        ).get("Messages", [])
        for message in messages:
            # S3 sends one record per event, and a message without records when a notification is configured.
            for record in json.loads(message["Body"]).get("Records", []):
                function = self._notifications[record["s3"]["configurationId"]].function
                self._invocations.invoke_later(function, {"Records": [_s3_record(record)]})
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])


class QueuePump:
    """Invoke a function with messages of a queue. Failed messages return after the queue's visibility timeout."""

    def __init__(self, pumps: Pumps, source: EventSource) -> None:
        self._invocations = pumps.invocations
        self._source = source
        self._sqs = pumps.client("sqs")
        self._url = pumps.template.queue_url(source.source)
        self._region = pumps.template.region
        self._arn = f"arn:aws:sqs:{self._region}:{ACCOUNT}:{pumps.template.name(source.source)}"

    def step(self) -> None:
        """Receive and deliver one batch, if there are messages."""
        messages = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(10, self._source.batch_size),
            WaitTimeSeconds=LONG_POLL_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        admitted = [message for message in messages if self._source.admits({"body": _parsed(message["Body"])})]
        failed = self._deliver(admitted) if admitted else set()
        for message in messages:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _deliver(self, messages: list[dict[str, Any]]) -> set[str]:
        """Return the ids of the messages that failed."""
        records = [self._record(message) for message in messages]
        outcome = self._invocations.invoke(self._source.function, {"Records": records})
        ids = [message["MessageId"] for message in messages]
        if self._source.reports_failures or outcome is None or outcome.failed:
            return failed_items(outcome, ids)
        return set()

    def _record(self, message: dict[str, Any]) -> Event:
        attributes = {
            name: {key[0].lower() + key[1:]: value for key, value in attribute.items()}
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
            "awsRegion": self._region,
        }


class StreamPump:
    """Invoke a function with records of a table's stream, in order. Failed records are retried before later ones."""

    def __init__(self, pumps: Pumps, source: EventSource) -> None:
        self._pumps = pumps
        self._invocations = pumps.invocations
        self._source = source
        self._streams = pumps.client("dynamodbstreams")
        table = pumps.client("dynamodb").describe_table(TableName=pumps.template.name(source.source))
        self._arn = table["Table"]["LatestStreamArn"]
        shards = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        self._shard = shards[0]["ShardId"]
        self._last: str | None = None
        """Sequence number of the last record that was delivered or filtered out."""

    def step(self) -> None:
        """Read and deliver one batch, or pause if there are no records."""
        records = self._read()
        if not records:
            self._pumps.pause(POLL_SECONDS)
            return
        admitted = [self._record(record) for record in records if self._source.admits(record)]
        if admitted:
            self._deliver(admitted)
        self._last = records[-1]["dynamodb"]["SequenceNumber"]

    def _read(self) -> list[dict[str, Any]]:
        """Return the next records.

        moto's shard iterators refer to the table object. When moto cancels a transaction it replaces that object, and
        an iterator made before then returns records of the cancelled transaction. A second iterator refers to another
        table object, so only records that both return exist.
        """
        records = self._read_once()
        if not records:
            return []
        confirmed = {record["eventID"] for record in self._read_once()}
        return [record for record in records if record["eventID"] in confirmed]

    def _read_once(self) -> list[dict[str, Any]]:
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._last is not None:
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._last}
        iterator = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=self._shard, **position)
        answer = self._streams.get_records(ShardIterator=iterator["ShardIterator"], Limit=self._source.batch_size)
        records: list[dict[str, Any]] = answer["Records"]
        return records

    def _deliver(self, records: list[Event]) -> None:
        """Invoke the function until it has succeeded with every record, or its retries are used up."""
        retries = int(self._source.properties.get("MaximumRetryAttempts", -1))
        attempts = 0
        while records:
            outcome = self._invocations.invoke(self._source.function, {"Records": records})
            if outcome is None:
                return
            records, is_partial = self._remaining(records, outcome)
            if not records:
                return
            attempts += 1
            if 0 <= retries < attempts:
                self._give_up(records, outcome, attempts)
                return
            if self._pumps.pause(min(MAX_BACKOFF_SECONDS, POLL_SECONDS * 2**attempts)):
                return
            if not is_partial and len(records) > 1 and self._source.properties.get("BisectBatchOnFunctionError"):
                middle = len(records) // 2
                self._deliver(records[:middle])
                records = records[middle:]

    def _remaining(self, records: list[Event], outcome: Outcome) -> tuple[list[Event], bool]:
        """Return the batch from its first failed record on, and whether the function reported that record."""
        if outcome.failed or not self._source.reports_failures:
            return (records if outcome.failed else []), False
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        failed = failed_items(outcome, numbers)
        first = next((index for index, number in enumerate(numbers) if number in failed), len(records))
        return records[first:], len(failed) < len(records)

    def _give_up(self, records: list[Event], outcome: Outcome, attempts: int) -> None:
        LOG.error("%s failed on every attempt: %s", self._source.function, outcome.payload)
        on_failure = (self._source.properties.get("DestinationConfig") or {}).get("OnFailure") or {}
        if arn := on_failure.get("Destination"):
            self._invocations.send(arn, self._failed_batch(records, outcome, attempts))

    def _failed_batch(self, records: list[Event], outcome: Outcome, attempts: int) -> Event:
        """Return Lambda's failure message, which has the batch's position in the stream, not its records."""
        arrivals = [record["dynamodb"]["ApproximateCreationDateTime"] for record in records]
        return {
            **self._invocations.failure(self._source.function, outcome, "RetryAttemptsExhausted", attempts),
            "DDBStreamBatchInfo": {
                "shardId": self._shard,
                "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
                "approximateArrivalOfFirstRecord": iso(arrivals[0]),
                "approximateArrivalOfLastRecord": iso(arrivals[-1]),
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
    """Invoke a function at a rate, the first time after one interval, as EventBridge does."""

    def __init__(self, pumps: Pumps, schedule: Schedule) -> None:
        self._pumps = pumps
        self._schedule = schedule

    def step(self) -> None:
        """Wait for one interval and invoke."""
        if not self._pumps.pause(self._schedule.seconds):
            event = _scheduled_event(self._pumps.template)
            self._pumps.invocations.invoke_later(self._schedule.function, event)


class ExpiryPump:
    """Delete expired rows, as DynamoDB's time to live does, but within a second."""

    def __init__(self, pumps: Pumps, table: Resource, attribute: str) -> None:
        self._pumps = pumps
        self._dynamodb = pumps.client("dynamodb")
        self._keys = [key["AttributeName"] for key in table.properties["KeySchema"]]
        self._request = {
            "TableName": pumps.template.name(table.logical_id),
            "ExpressionAttributeNames": {"#expiry": attribute},
        }

    def step(self) -> None:
        """Delete the rows that have expired."""
        now = {":now": {"N": str(int(time.time()))}}
        pages = self._dynamodb.get_paginator("scan").paginate(
            **self._request, FilterExpression="#expiry <= :now", ExpressionAttributeValues=now
        )
        for page in pages:
            for row in page["Items"]:
                self._delete({name: row[name] for name in self._keys}, now)
        self._pumps.pause(EXPIRY_SECONDS)

    def _delete(self, key: dict[str, Any], now: dict[str, Any]) -> None:
        try:
            self._dynamodb.delete_item(
                **self._request, Key=key, ConditionExpression="#expiry <= :now", ExpressionAttributeValues=now
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            LOG.info("a row was extended before it could be deleted")


def _s3_record(record: dict[str, Any]) -> Event:
    """Return an S3 event record in AWS's format: moto omits some fields, and encodes slashes in keys."""
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


def _scheduled_event(template: Template) -> Event:
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


def _parsed(body: str) -> Any:
    """Return a message's body as filters see it: parsed if it is JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return body
