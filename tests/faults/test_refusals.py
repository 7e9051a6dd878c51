"""Let AWS refuse calls.

Transient errors are retried, and then reported as 503 or left to the platform's retry. Other errors change nothing.
Every call gets errors of its service, as often as the SDK outlasts and once more. Every transaction is cancelled at
every item for every reason.
"""

import json
from collections.abc import Iterator
from io import BytesIO
from itertools import cycle, product
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from profile_media.aws.session import ATTEMPTS
from profile_media.domain.errors import Unavailable
from tests import cloud
from tests.builders import ADA, an_id
from tests.faults.baseline import DONE, Baseline, Mode, baseline, check, environment, numbers, point
from tests.faults.injector import READS, DynamoError, Refusal, S3Error, SqsError
from tests.faults.scenarios import CREATE, MANY, SCENARIOS, Scenario, all_data, quick, said
from tests.faults.world import World
from tests.functions.conftest import Answer

__all__ = ["baseline", "environment"]

S3, SQS = ("GetObject", "PutObject", "DeleteObject", "DeleteObjects", "ListObjectsV2"), ("SendMessageBatch",)
TRANSIENT: dict[str, tuple[Refusal, ...]] = {
    "dynamodb": (
        DynamoError("ThrottlingException"),
        DynamoError("ProvisionedThroughputExceededException"),
        DynamoError("RequestLimitExceeded"),
        DynamoError("InternalServerError", status=500),
        DynamoError("ServiceUnavailable", status=503),
        S3Error("", 503, "<html>"),
    ),
    "s3": (
        S3Error("SlowDown", 503),
        S3Error("InternalError", 500),
        S3Error("ServiceUnavailable", 503),
        S3Error("RequestTimeout", 400),
        S3Error("", 503, "<html>"),
    ),
    "sqs": (
        SqsError("ThrottlingException"),
        SqsError("RequestThrottled"),
        SqsError("InternalError", 500),
        SqsError("ServiceUnavailable", 503),
        S3Error("", 503, "<html>"),
    ),
}
"""Errors of each service after which a retry may succeed; the last of each comes from a load balancer."""

NAMED = {scenario.name: scenario for scenario in SCENARIOS}
WAITED_FOR = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")
PERMANENT = ("ItemCollectionSizeLimitExceeded", "ValidationError", "DuplicateItem", "AccessDenied")
REFUSED = ("IdempotentParameterMismatchException", "AccessDeniedException", "ValidationException")
"""Errors of a whole transaction that a retry does not cure."""


def service_of(call: str) -> str:
    return "s3" if call in S3 else "sqs" if call in SQS else "dynamodb"


def outcome(baseline: Baseline) -> Any:
    """Return the answer or the exception."""
    try:
        return baseline.scenario.invoke(baseline.world)
    except Exception as error:
        return error


def is_later(answer: Any) -> bool:
    """Return whether the answer asks the client or the platform to retry."""
    if isinstance(answer, Answer):
        return answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    return isinstance(answer, Unavailable) or (isinstance(answer, dict) and answer["batchItemFailures"] != [])


def is_for_good(answer: Any) -> bool:
    """Return whether the answer is a failure that a retry does not cure."""
    if isinstance(answer, Answer):
        return answer.status == 500 and "Retry-After" not in answer.headers
    return isinstance(answer, Exception) or (isinstance(answer, dict) and answer != DONE)


def refused(baseline: Baseline, at: int, says: Refusal, times: int) -> Any:
    """Run the scenario while one call is refused; return its answer."""
    baseline.begin()
    baseline.world.injector.refuse(at, says, times)
    answer = outcome(baseline)
    baseline.world.injector.disarm()
    return answer


# --- transient errors


@quick("an intent with a key", "a picture", "another avatar", "another picture in a form", "a removed row", "a purge")
def test_function_retries_each_call_then_reports_an_outage(baseline: Baseline) -> None:
    for at, says, times in refusals(baseline.calls):
        with point(f"{says} {times} times at call {at}, {baseline.calls[at]}"):
            answer = refused(baseline, at, says, times)
            if times < ATTEMPTS:
                assert said(answer) == baseline.answer
                continue
            assert is_later(answer)
            if at == first_write(baseline.scenario) or not baseline.scenario.writes:
                assert all_data(baseline.world) == baseline.before
            check(baseline, [], Mode.RETRIED)
    assert baseline.world.broken(quiet=False) == []


def refusals(calls: tuple[str, ...]) -> Iterator[tuple[int, Refusal, int]]:
    """Yield each call with an error that the SDK outlasts, and with one that it does not; the codes take turns."""
    turns = {service: cycle(codes) for service, codes in TRANSIENT.items()}
    for at in numbers(calls):
        yield from ((at, next(turns[service_of(calls[at])]), times) for times in (ATTEMPTS - 1, ATTEMPTS))


def first_write(scenario: Scenario) -> int:
    """Return the number of the first call that changes data; -1 where calls run in parallel."""
    first = next((at for at, call in enumerate(scenario.calls) if not call.startswith(READS)), -1)
    return -1 if scenario.calls[first] == "PutObject" else first


@pytest.mark.parametrize(
    ("scenario", "operation"),
    [
        (NAMED["a picture"], "GetItem"),
        (NAMED["another avatar"], "TransactWriteItems"),
        (NAMED["a picture"], "PutObject"),
        (NAMED["an event after the purge"], "SendMessageBatch"),
        (NAMED["a purge"], "ListObjectsV2"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_every_transient_code_is_retried(baseline: Baseline, operation: str) -> None:
    codes = TRANSIENT[service_of(operation)]
    at = baseline.calls.index(operation)
    for says, times in product(codes, range(1, ATTEMPTS + 2)):
        with point(f"{says} {times} times"):
            answer = refused(baseline, at, says, times)
            assert is_later(answer) if times >= ATTEMPTS else said(answer) == baseline.answer


# --- cancelled transactions


def transactions(baseline: Baseline) -> list[tuple[int, int]]:
    """Return the number and size of each transaction of the scenario."""
    baseline.begin()
    with baseline.world.injector.counting():
        baseline.scenario.invoke(baseline.world)
        return [(at, size) for at, size in enumerate(baseline.world.injector.sizes) if size]


def cancelled(size: int, item: int, reason: str) -> DynamoError:
    """Return a cancelled transaction with a reason at one item."""
    reasons = tuple(reason if number == item else None for number in range(size))
    return DynamoError("TransactionCanceledException", reasons)


@quick("another avatar", among=[each for each in SCENARIOS if any("Transact" in call for call in each.calls)])
def test_function_handles_every_cancellation_of_every_item(baseline: Baseline) -> None:
    for at, size in transactions(baseline):
        for says, times, right in cancellations(baseline, at, size):
            with point(f"{says} {times} times at call {at}, {baseline.calls[at]}"):
                answer = refused(baseline, at, says, times)
                assert right(baseline, answer), answer
    assert baseline.world.broken(quiet=False) == []


def cancellations(baseline: Baseline, at: int, size: int) -> Iterator[tuple[Refusal, int, Any]]:
    """Yield errors of a transaction, how often they occur, and the check of the answer."""
    for item in range(size):
        for reason in WAITED_FOR:
            yield cancelled(size, item, reason), 1, is_retried
            yield cancelled(size, item, reason), 99, is_refused_later
        for reason in PERMANENT:
            yield cancelled(size, item, reason), 1, is_refused_for_good
        if baseline.calls[at] == "TransactWriteItems" and item != new_row(baseline, at, size):
            yield cancelled(size, item, "ConditionalCheckFailed"), 1, is_read_back
    yield DynamoError("TransactionInProgressException"), 1, is_retried
    yield DynamoError("TransactionInProgressException"), 99, is_refused_later
    for code in REFUSED:
        yield DynamoError(code), 1, is_refused_for_good


def new_row(baseline: Baseline, at: int, size: int) -> int | None:
    """Return the number of the item that puts a new upload, whose random id only an earlier attempt can have put."""
    in_a_form = "PutObject" in baseline.calls and at == baseline.calls.index("TransactWriteItems")
    return size - 2 if baseline.scenario.function == CREATE or in_a_form else None


def is_retried(baseline: Baseline, answer: Any) -> bool:
    return bool(said(answer) == baseline.answer)


def is_refused_later(baseline: Baseline, answer: Any) -> bool:
    return is_later(answer) and is_unchanged(baseline)


def is_refused_for_good(baseline: Baseline, answer: Any) -> bool:
    return is_for_good(answer) and is_unchanged(baseline)


def is_unchanged(baseline: Baseline) -> bool:
    """Return whether no data changed; processing may leave data that no user sees, or have had one of two effects."""
    if "PutObject" in baseline.calls:
        seen, passes = said(baseline.scenario.shows(baseline.world)), baseline.scenario.passes
        return bool(seen == baseline.shown_without or (passes and passes in str(seen)))
    return bool(all_data(baseline.world) == baseline.before)


def is_read_back(baseline: Baseline, answer: Any) -> bool:
    """Return whether the function read back and retried. It cannot read back counts: then it answers 429."""
    limited = isinstance(answer, Answer) and answer.status == 429 and is_unchanged(baseline)
    return limited or is_retried(baseline, answer)


@pytest.mark.parametrize("scenario", [NAMED["another avatar"]], ids=lambda scenario: scenario.name)
def test_bind_that_loses_every_race_changes_nothing(baseline: Baseline) -> None:
    for item in range(3):
        answer = refused(baseline, 1, cancelled(4, item, "ConditionalCheckFailed"), 99)
        assert answer.status == 409
        assert is_unchanged(baseline)


# --- S3 and SQS


class CutShort:
    """An object whose connection breaks after its first bytes."""

    def answer(self, url: str) -> AWSResponse:
        headers = {"content-length": "1000", "content-type": "image/jpeg"}
        raw = HTTPResponse(BytesIO(b"\xff\xd8\xff"), headers, 200, preload_content=False)
        return AWSResponse(url, 200, HTTPHeaders.from_dict(headers), raw)


DENIED = [S3Error("AccessDenied", 403), S3Error("PreconditionFailed", 412), S3Error("NoSuchBucket", 404)]
PARTLY = S3Error("", 200, "<DeleteResult><Error><Key>k</Key><Code>InternalError</Code></Error></DeleteResult>")


@quick("a picture that loses against another", among=[each for each in SCENARIOS if set(each.calls) & set(S3)])
def test_denied_call_to_s3_loses_nothing(baseline: Baseline) -> None:
    for at in numbers(baseline.calls):
        if baseline.calls[at] not in S3:
            continue
        for says in [*DENIED, *([PARTLY] if baseline.calls[at] == "DeleteObjects" else [])]:
            with point(f"{says} at call {at}, {baseline.calls[at]}"):
                assert is_for_good(refused(baseline, at, says, 1))
                check(baseline, [], Mode.RETRIED)


@pytest.mark.parametrize("scenario", [NAMED["a picture"]], ids=lambda scenario: scenario.name)
def test_truncated_download_is_retried(baseline: Baseline) -> None:
    at = baseline.calls.index("GetObject")
    assert isinstance(refused(baseline, at, CutShort(), 1), Unavailable)
    assert all_data(baseline.world) == baseline.before
    check(baseline, [], Mode.RETRIED)


@pytest.mark.parametrize("scenario", [NAMED["a picture"]], ids=lambda scenario: scenario.name)
def test_missing_original_leaves_upload_pending(baseline: Baseline) -> None:
    at = baseline.calls.index("GetObject")
    assert refused(baseline, at, S3Error("NoSuchKey", 404), 1) is None
    assert all_data(baseline.world) == baseline.before


@pytest.mark.parametrize("refused_ids", [[0], [3, 9], range(10)], ids=["one", "two", "all"])
def test_only_messages_that_the_queue_refused_are_retried(world: World, refused_ids: list[int]) -> None:
    NAMED["removed rows, many at once"].arrange(world)
    failed = [{"Id": str(10 + number), "Code": "InternalError", "SenderFault": False} for number in refused_ids]
    taken = [{"Id": str(10 + n), "MessageId": "m", "MD5OfMessageBody": "d"} for n in range(10) if n not in refused_ids]
    world.injector.refuse(1, SqsError("", 200, json.dumps({"Successful": taken, "Failed": failed})), 1)
    expected = [world.observer.removed[10 + number] for number in refused_ids]
    answer = world.release()
    assert len(answer["batchItemFailures"]) == len(refused_ids)
    assert world.observer.removed == expected
    world.injector.disarm()
    assert world.release() == DONE
    assert len(world.queued()) == MANY - 10 + len(refused_ids)


def test_purge_that_was_denied_five_times_can_be_redriven(world: World) -> None:
    NAMED["a purge"].arrange(world)
    message = {"owner_id": ADA, "upload_id": an_id(1)}
    for _ in range(5):
        world.injector.refuse(0, S3Error("AccessDenied", 403), 1)
        assert world.purge(message)["batchItemFailures"] != []
    world.injector.disarm()
    assert world.purge(message) == DONE  # an operator redrives it
    assert world.aws.keys(cloud.MEDIA_BUCKET) == set()
