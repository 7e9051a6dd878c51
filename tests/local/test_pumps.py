"""The pumps deliver events as AWS does: retries, partial batches, filters, failure destinations, expiry."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from tests.local.standins import Scripted, eventually
from tools.local import aws, event_sources, invocations, pumps
from tools.local.event_sources import Schedule, schedules_of
from tools.local.invocations import failed_items
from tools.local.pumps import Pumps
from tools.local.resources import create_all
from tools.local.runner import Function, Outcome, Runner
from tools.template import Template, TemplateInvalid

pytestmark = pytest.mark.enable_socket

ReadTemplate = Callable[..., Template]
Answer = Callable[[Any], Any]

TEMPLATE = """
    Transform: AWS::Serverless-2016-10-31
    Resources:
      Uploads: {Type: AWS::S3::Bucket, Properties: {BucketName: uploads}}
      Rows:
        Type: AWS::DynamoDB::Table
        Properties:
          BillingMode: PAY_PER_REQUEST
          AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
          KeySchema: [{AttributeName: id, KeyType: HASH}]
          StreamSpecification: {StreamViewType: OLD_IMAGE}
          TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
      Jobs:
        Type: AWS::SQS::Queue
        Properties:
          VisibilityTimeout: 1
          RedrivePolicy: {deadLetterTargetArn: !GetAtt JobsDead.Arn, maxReceiveCount: 2}
      JobsDead: {Type: AWS::SQS::Queue}
      Failures: {Type: AWS::SQS::Queue}
      ProcessFunction:
        Type: AWS::Serverless::Function
        Properties:
          Handler: app.handler
          CodeUri: functions/process
          EventInvokeConfig:
            MaximumRetryAttempts: 2
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failures.Arn}}
          Events:
            New:
              Type: S3
              Properties:
                Bucket: !Ref Uploads
                Events: s3:ObjectCreated:*
                Filter: {S3Key: {Rules: [{Name: prefix, Value: incoming/}]}}
      ReleaseFunction:
        Type: AWS::Serverless::Function
        Properties: {Handler: app.handler, CodeUri: functions/release}
      ReleaseSource:
        Type: AWS::Lambda::EventSourceMapping
        Properties:
          FunctionName: !Ref ReleaseFunction
          EventSourceArn: !GetAtt Rows.StreamArn
          BatchSize: 10
          BisectBatchOnFunctionError: true
          FunctionResponseTypes: [ReportBatchItemFailures]
          MaximumRetryAttempts: 2
          DestinationConfig: {OnFailure: {Destination: !GetAtt Failures.Arn}}
          FilterCriteria: {Filters: [{Pattern: '{"eventName": ["REMOVE"]}'}]}
      LookFunction:
        Type: AWS::Serverless::Function
        Properties:
          Handler: app.handler
          CodeUri: functions/look
          Events: {Often: {Type: Schedule, Properties: {Schedule: rate(2 minutes)}}}
      PurgeFunction:
        Type: AWS::Serverless::Function
        Properties: {Handler: app.handler, CodeUri: functions/purge}
      PurgeSource:
        Type: AWS::Lambda::EventSourceMapping
        Properties:
          FunctionName: !GetAtt PurgeFunction.Arn
          EventSourceArn: !GetAtt Jobs.Arn
          FunctionResponseTypes: [ReportBatchItemFailures]
"""


class World:
    """moto with the template's resources, its pumps, and scripted functions."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.functions = Scripted(
            {name: [None] for name in ("ProcessFunction", "ReleaseFunction", "PurgeFunction", "LookFunction")},
            functions={name: Function(name, "app.handler", template.path, {}) for name in template.functions},
        )
        create_all(template)
        self.pumps = Pumps(template, cast(Runner, self.functions))
        self.s3, self.sqs, self.dynamodb = (
            aws.client(service, template.endpoint) for service in ("s3", "sqs", "dynamodb")
        )

    def put_row(self, id_: str, expires_at: int | None = None) -> None:
        """Put a row."""
        expiry = {} if expires_at is None else {"expires_at": {"N": str(expires_at)}}
        self.dynamodb.put_item(TableName="profile-media-local-Rows", Item={"id": {"S": id_}, **expiry})

    def remove_rows(self, *ids: str) -> None:
        """Delete rows, in this order."""
        for id_ in ids:
            self.dynamodb.delete_item(TableName="profile-media-local-Rows", Key={"id": {"S": id_}})

    def change_slot(self, removed: str, added: str, is_allowed: bool = True) -> bool:
        """Delete a row and put another in one transaction. Return whether it succeeded."""
        table = "profile-media-local-Rows"
        condition = f"attribute_{'not_' if is_allowed else ''}exists(id)"
        try:
            self.dynamodb.transact_write_items(
                TransactItems=[
                    {"Delete": {"TableName": table, "Key": {"id": {"S": removed}}}},
                    {"Put": {"TableName": table, "Item": {"id": {"S": added}}, "ConditionExpression": condition}},
                ]
            )
        except self.dynamodb.exceptions.TransactionCanceledException:
            return False
        return True

    def send_job(self, body: str) -> None:
        """Send a message to the queue of the purge function."""
        self.sqs.send_message(QueueUrl=self.template.queue_url("Jobs"), MessageBody=body)

    def received(self, queue: str) -> list[Any]:
        """Receive messages of a queue."""
        answer = self.sqs.receive_message(QueueUrl=self.template.queue_url(queue), MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def wait_for(self, queue: str) -> list[Any]:
        """Wait for messages in a queue."""
        found: list[Any] = []

        def look() -> bool:
            found.extend(self.received(queue))
            return bool(found)

        eventually(look)
        return found

    def batches(self, function: str) -> list[list[str]]:
        """Return the row ids or bodies of each invocation of a function."""
        return [[_subject(record) for record in event["Records"]] for event in self.functions.events_of(function)]


def _subject(record: dict[str, Any]) -> str:
    return str(record["body"] if "body" in record else record["dynamodb"]["Keys"]["id"]["S"])


def _failing(*subjects: str) -> Answer:
    """Return an answer that reports these records as failed."""

    def answer(event: Any) -> Any:
        failed = [record for record in event["Records"] if _subject(record) in subjects]
        names = [record.get("messageId") or record["dynamodb"]["SequenceNumber"] for record in failed]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}

    return answer


@pytest.fixture
def world(read_template: ReadTemplate, empty_aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Pumps that retry at once."""
    monkeypatch.setattr(invocations, "RETRY_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(pumps, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(pumps, "LONG_POLL_SECONDS", 0)
    monkeypatch.setattr(pumps, "EXPIRY_SECONDS", 0.05)
    world = World(read_template(TEMPLATE, endpoint=empty_aws))
    yield world
    world.pumps.stop()
    world.pumps.join()


def test_object_under_the_prefix_becomes_an_s3_event(world: World) -> None:
    world.pumps.start()
    world.s3.put_object(Bucket="uploads", Key="elsewhere/a", Body=b"x")
    world.s3.put_object(Bucket="uploads", Key="incoming/a b/ü+", Body=b"four")
    eventually(lambda: world.functions.events_of("ProcessFunction"))
    ((record,),) = [event["Records"] for event in world.functions.events_of("ProcessFunction")]
    assert (record["eventSource"], record["eventName"], record["awsRegion"]) == (
        "aws:s3",
        "ObjectCreated:Put",
        "us-east-1",
    )
    assert record["s3"]["bucket"]["name"] == "uploads"
    assert record["s3"]["object"]["key"] == "incoming/a+b/%C3%BC%2B"
    assert record["s3"]["object"]["size"] == 4
    assert record["s3"]["object"]["sequencer"]


def test_asynchronous_invocation_that_always_fails_goes_to_the_destination(world: World) -> None:
    world.functions.answers["ProcessFunction"] = [ValueError("no")]
    world.pumps.start()
    world.s3.put_object(Bucket="uploads", Key="incoming/a", Body=b"x")
    failures = world.wait_for("Failures")
    events = world.functions.events_of("ProcessFunction")
    assert len(events) == 3
    assert events[0] == events[1] == events[2]
    (failure,) = failures
    assert failure["requestPayload"] == events[0]
    assert failure["requestContext"]["condition"] == "RetriesExhausted"
    assert failure["requestContext"]["approximateInvokeCount"] == 3
    assert failure["responsePayload"]["errorMessage"] == "no"


def test_asynchronous_invocation_that_succeeds_on_retry_does_not(world: World) -> None:
    world.functions.answers["ProcessFunction"] = [ValueError("no"), ValueError("no"), None]
    world.pumps.start()
    world.s3.put_object(Bucket="uploads", Key="incoming/a", Body=b"x")
    eventually(lambda: len(world.functions.events_of("ProcessFunction")) == 3)
    assert world.received("Failures") == []


def test_stream_delivers_filtered_records_in_order_with_old_images(world: World) -> None:
    for id_ in ("a", "b", "c"):
        world.put_row(id_)
    world.remove_rows("b", "a")
    world.pumps.start()
    eventually(lambda: world.batches("ReleaseFunction"))
    assert world.batches("ReleaseFunction") == [["b", "a"]]
    (record, _) = world.functions.events_of("ReleaseFunction")[0]["Records"]
    assert (record["eventName"], record["eventSource"]) == ("REMOVE", "aws:dynamodb")
    assert record["eventSourceARN"].startswith(
        "arn:aws:dynamodb:us-east-1:123456789012:table/profile-media-local-Rows/"
    )
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], float)
    assert record["dynamodb"]["OldImage"] == {"id": {"S": "b"}}
    assert "NewImage" not in record["dynamodb"]
    world.remove_rows("c")
    eventually(lambda: world.batches("ReleaseFunction") == [["b", "a"], ["c"]])


def test_stream_delivers_each_record_once_while_transactions_are_cancelled(world: World) -> None:
    world.pumps.start()
    rounds, threads = 25, ("one", "two", "three", "four")

    def swap(thread: str) -> None:
        world.put_row(f"{thread}-0")
        for number in range(rounds):
            assert not world.change_slot(f"{thread}-{number}", "phantom", is_allowed=False)
            assert world.change_slot(f"{thread}-{number}", f"{thread}-{number + 1}")

    with ThreadPoolExecutor(len(threads)) as pool:
        list(pool.map(swap, threads))
    removed = [f"{thread}-{number}" for thread in threads for number in range(rounds)]

    def delivered() -> list[str]:
        return [id_ for batch in world.batches("ReleaseFunction") for id_ in batch]

    eventually(lambda: len(delivered()) >= len(removed))
    assert sorted(delivered()) == sorted(removed)


def test_stream_retries_from_the_first_failed_record(world: World) -> None:
    for id_ in "abcd":
        world.put_row(id_)
    world.remove_rows(*"abcd")
    world.functions.answers["ReleaseFunction"] = [_failing("c"), None]
    world.pumps.start()
    eventually(lambda: len(world.batches("ReleaseFunction")) == 2)
    assert world.batches("ReleaseFunction") == [["a", "b", "c", "d"], ["c", "d"]]


def test_stream_bisects_a_failed_batch_and_gives_up_on_one_record(world: World) -> None:
    for id_ in "abcd":
        world.put_row(id_)
    world.remove_rows(*"abcd")

    def poisoned(event: Any) -> Any:
        return ValueError("poison") if "b" in map(_subject, event["Records"]) else None

    world.functions.answers["ReleaseFunction"] = [poisoned]
    world.pumps.start()
    failures = world.wait_for("Failures")
    (failure,) = failures
    assert failure["DDBStreamBatchInfo"]["batchSize"] == 1
    assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"
    eventually(lambda: ["c", "d"] in world.batches("ReleaseFunction"))


def test_queue_retries_failed_messages_and_then_moves_them_to_the_dead_letter_queue(world: World) -> None:
    for body in ('"good"', '"poison"'):
        world.send_job(body)
    world.functions.answers["PurgeFunction"] = [_failing('"poison"')]
    world.pumps.start()
    dead = world.wait_for("JobsDead")
    assert dead == ["poison"]
    seen = [body for batch in world.batches("PurgeFunction") for body in batch]
    assert (seen.count('"good"'), seen.count('"poison"')) == (1, 2)


def test_queue_retries_the_whole_batch_if_the_function_fails(world: World) -> None:
    world.send_job('"one"')
    world.functions.answers["PurgeFunction"] = [ValueError("no"), None]
    world.pumps.start()
    eventually(lambda: len(world.batches("PurgeFunction")) == 2)
    attributes = world.functions.events_of("PurgeFunction")[1]["Records"][0]["attributes"]
    assert attributes["ApproximateReceiveCount"] == "2"


def test_expired_rows_are_deleted_and_appear_in_the_stream(world: World) -> None:
    now = int(time.time())
    world.put_row("expired", now - 1)
    world.put_row("later", now + 3600)
    world.put_row("never")
    world.pumps.start()
    eventually(lambda: world.batches("ReleaseFunction"))
    assert world.batches("ReleaseFunction") == [["expired"]]
    rows = world.dynamodb.scan(TableName="profile-media-local-Rows")["Items"]
    assert sorted(row["id"]["S"] for row in rows) == ["later", "never"]


def test_schedule_invokes_repeatedly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(event_sources.UNIT_SECONDS, "minute", 0.02)
    world.pumps.start()
    eventually(lambda: len(world.functions.events_of("LookFunction")) >= 3)
    event = world.functions.events_of("LookFunction")[0]
    sample = json.loads((Path(__file__).parents[2] / "events" / "reconcile.json").read_text())
    assert event.keys() == sample.keys()
    assert event["detail-type"] == sample["detail-type"]


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 hours)", 7200), ("rate(1 day)", 86400)],
)
def test_schedule_rate_is_parsed(read_template: ReadTemplate, rate: str, seconds: float) -> None:
    template = read_template(TEMPLATE.replace("rate(2 minutes)", rate))
    assert list(schedules_of(template)) == [Schedule("LookFunction", seconds)]


@pytest.mark.parametrize("schedule", ["cron(0 3 * * ? *)", "rate(0 minutes)", "rate(5 weeks)", "rate(5)"])
def test_schedule_that_is_no_rate_is_refused(read_template: ReadTemplate, schedule: str) -> None:
    template = read_template(TEMPLATE.replace("rate(2 minutes)", f"'{schedule}'"))
    with pytest.raises(TemplateInvalid, match="only rate"):
        list(schedules_of(template))


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"wrong": "b"}]}, {"a", "b"}),
        ({"batchItemFailures": "b"}, {"a", "b"}),
        ("done", {"a", "b"}),
    ],
)
def test_failed_items_of_a_malformed_answer_are_all_items(answer: Any, failed: set[str]) -> None:
    assert failed_items(Outcome("r", json.dumps(answer)), ["a", "b"]) == failed


def test_failed_items_of_a_failed_function_are_all_items() -> None:
    assert failed_items(Outcome("r", "{}", failed=True), ["a", "b"]) == {"a", "b"}
