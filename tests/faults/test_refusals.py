"""AWS refuses: what passes is waited for, then handed on as a 503 or to the platform; what stays changes nothing.

Every call is refused with every code of its service that goes away by itself, as often as the SDK puts up with and more
often; every transaction is cancelled at every item for every reason; S3 and SQS refuse all, or parts.
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
from tests.assurance import Note
from tests.builders import ADA, an_id
from tests.faults.injector import READS, DynamoSays, S3Says, Says, SqsSays
from tests.faults.rehearsal import DONE, Mode, Rehearsed, check, numbers, rehearsed, told
from tests.faults.scenarios import CREATE, MANY, SCENARIOS, Scenario, everything, said
from tests.faults.world import World
from tests.functions.conftest import Answer

__all__ = ["rehearsed"]

pytestmark = pytest.mark.campaign("F-3")

S3, SQS = ("GetObject", "PutObject", "DeleteObject", "DeleteObjects", "ListObjectsV2"), ("SendMessageBatch",)
PASSING: dict[str, tuple[Says, ...]] = {
    "dynamodb": (
        DynamoSays("ThrottlingException"),
        DynamoSays("ProvisionedThroughputExceededException"),
        DynamoSays("RequestLimitExceeded"),
        DynamoSays("InternalServerError", status=500),
        DynamoSays("ServiceUnavailable", status=503),
        S3Says("", 503, "<html>"),
    ),
    "s3": (
        S3Says("SlowDown", 503),
        S3Says("InternalError", 500),
        S3Says("ServiceUnavailable", 503),
        S3Says("RequestTimeout", 400),
        S3Says("", 503, "<html>"),
    ),
    "sqs": (
        SqsSays("ThrottlingException"),
        SqsSays("RequestThrottled"),
        SqsSays("InternalError", 500),
        SqsSays("ServiceUnavailable", 503),
        S3Says("", 503, "<html>"),
    ),
}
"""What each service says that goes away by itself; the last of each is a load balancer's."""

NAMED = {scenario.name: scenario for scenario in SCENARIOS}
CANCELLED = (
    "an intent",
    "an intent with a key",
    "a replayed key",
    "a full quota",
    "a first avatar",
    "another avatar",
    "a first cover image",
    "an avatar for a picture elsewhere",
    "a picture elsewhere",
    "an avatar off",
    "somebody's avatar by its id",
    "another picture in a form",
    "an avatar deleted",
)
"""Scenarios that between them have every kind of transaction; at length, all that have any."""

WAITED_FOR = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")
PERMANENT = ("ItemCollectionSizeLimitExceeded", "ValidationError", "DuplicateItem", "AccessDenied")
REFUSED = ("IdempotentParameterMismatchException", "AccessDeniedException", "ValidationException")
"""The whole transaction, for good."""


def service_of(call: str) -> str:
    return "s3" if call in S3 else "sqs" if call in SQS else "dynamodb"


def outcome(rehearsed: Rehearsed) -> Any:
    """The answer, or what was raised."""
    try:
        return rehearsed.scenario.invoke(rehearsed.world)
    except Exception as error:
        return error


def is_later(answer: Any) -> bool:
    """Whether the caller was told, or the platform made, to try again."""
    if isinstance(answer, Answer):
        return answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    return isinstance(answer, Unavailable) or (isinstance(answer, dict) and answer["batchItemFailures"] != [])


def is_for_good(answer: Any) -> bool:
    """Whether it failed for a reason that trying again does not remove; the platform tries again even so."""
    if isinstance(answer, Answer):
        return answer.status == 500 and "Retry-After" not in answer.headers
    return isinstance(answer, Exception) or (isinstance(answer, dict) and answer != DONE)


def refused(rehearsed: Rehearsed, at: int, says: Says, times: int) -> Any:
    """What comes of the scenario when that call is refused that often."""
    rehearsed.begin()
    rehearsed.world.injector.refuse(at, says, times)
    answer = outcome(rehearsed)
    rehearsed.world.injector.disarm()
    return answer


# --- later


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_any_call_may_be_put_off(rehearsed: Rehearsed, note: Note, at_length: bool) -> None:
    points = list(put_off(rehearsed.calls, at_length=at_length))
    for at, says, times in points:
        with told(f"{says} {times} times at call {at}, {rehearsed.calls[at]}"):
            answer = refused(rehearsed, at, says, times)
            if times < ATTEMPTS:
                assert said(answer) == rehearsed.answer
                continue
            assert is_later(answer)
            if at == first_write(rehearsed.scenario) or not rehearsed.scenario.writes:
                assert everything(rehearsed.world) == rehearsed.before
            if times == ATTEMPTS:
                check(rehearsed, [], Mode.AGAIN)
    assert rehearsed.world.wrongs(quiet=False) == []
    note.add("refusals that pass", len(points))


def put_off(calls: tuple[str, ...], *, at_length: bool) -> Iterator[tuple[int, Says, int]]:
    """Each call with each code, up to one time more than the SDK asks; unless at length, codes and calls take turns."""
    if at_length:
        for at, call in enumerate(calls):
            yield from ((at, *each) for each in product(PASSING[service_of(call)], range(1, ATTEMPTS + 2)))
        return
    turns = {service: cycle(codes) for service, codes in PASSING.items()}
    for at in numbers(calls, at_length=False):
        yield from ((at, next(turns[service_of(calls[at])]), times) for times in (ATTEMPTS - 1, ATTEMPTS))


def first_write(scenario: Scenario) -> int:
    """The number of its first call that changes something, unless others are under way at the same time."""
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
def test_every_code_that_passes_is_known_to_pass(rehearsed: Rehearsed, operation: str, note: Note) -> None:
    codes = PASSING[service_of(operation)]
    at = rehearsed.calls.index(operation)
    for says, times in product(codes, range(1, ATTEMPTS + 2)):
        with told(f"{says} {times} times"):
            answer = refused(rehearsed, at, says, times)
            assert is_later(answer) if times >= ATTEMPTS else said(answer) == rehearsed.answer
    note.add("refusals that pass", len(codes) * (ATTEMPTS + 1))


# --- transactions, cancelled


def transactions(rehearsed: Rehearsed) -> list[tuple[int, int]]:
    """Number and size of each transaction of the undisturbed run."""
    rehearsed.begin()
    with rehearsed.world.injector.counting():
        rehearsed.scenario.invoke(rehearsed.world)
        return [(at, size) for at, size in enumerate(rehearsed.world.injector.sizes) if size]


def cancelled(size: int, item: int, reason: str) -> DynamoSays:
    """That reason at that item, and none at the others."""
    reasons = tuple(reason if number == item else None for number in range(size))
    return DynamoSays("TransactionCanceledException", reasons)


def with_transactions(config: pytest.Config) -> list[Scenario]:
    every = [scenario for scenario in SCENARIOS if any("Transact" in call for call in scenario.calls)]
    return every if config.getoption("--long") else [NAMED[name] for name in CANCELLED]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.function is test_any_transaction_may_be_cancelled_at_any_item_for_any_reason:
        metafunc.parametrize("scenario", with_transactions(metafunc.config), ids=lambda scenario: scenario.name)


def test_any_transaction_may_be_cancelled_at_any_item_for_any_reason(rehearsed: Rehearsed, note: Note) -> None:
    hit = transactions(rehearsed)
    points = 0
    for at, size in hit:
        for says, times, right in cancellations(rehearsed, at, size):
            with told(f"{says} {times} times at call {at}, {rehearsed.calls[at]}"):
                answer = refused(rehearsed, at, says, times)
                assert right(rehearsed, answer), answer
                points += 1
    assert rehearsed.world.wrongs(quiet=False) == []
    note.add("transactions cancelled", points)


def cancellations(rehearsed: Rehearsed, at: int, size: int) -> Iterator[tuple[Says, int, Any]]:
    """What is said instead of the transaction, how often, and what is the right answer."""
    for item in range(size):
        for reason in WAITED_FOR:
            yield cancelled(size, item, reason), 1, is_undisturbed
            yield cancelled(size, item, reason), 99, is_put_off
        for reason in PERMANENT:
            yield cancelled(size, item, reason), 1, is_broken
        if rehearsed.calls[at] == "TransactWriteItems" and item != new_row(rehearsed, at, size):
            yield cancelled(size, item, "ConditionalCheckFailed"), 1, is_read_back
    yield DynamoSays("TransactionInProgressException"), 1, is_undisturbed
    yield DynamoSays("TransactionInProgressException"), 99, is_put_off
    for code in REFUSED:
        yield DynamoSays(code), 1, is_broken


def new_row(rehearsed: Rehearsed, at: int, size: int) -> int | None:
    """Which item is a new upload's. Its id is random: that it is there already says that an earlier attempt put it."""
    in_a_form = "PutObject" in rehearsed.calls and at == rehearsed.calls.index("TransactWriteItems")
    return size - 2 if rehearsed.scenario.function == CREATE or in_a_form else None


def is_undisturbed(rehearsed: Rehearsed, answer: Any) -> bool:
    return bool(said(answer) == rehearsed.answer)


def is_put_off(rehearsed: Rehearsed, answer: Any) -> bool:
    return is_later(answer) and is_unchanged(rehearsed)


def is_broken(rehearsed: Rehearsed, answer: Any) -> bool:
    return is_for_good(answer) and is_unchanged(rehearsed)


def is_unchanged(rehearsed: Rehearsed) -> bool:
    """Nothing was written; of a picture in a form nothing that anybody is shown."""
    if "PutObject" in rehearsed.calls:
        return bool(said(rehearsed.scenario.shows(rehearsed.world)) == rehearsed.shown_without)
    return bool(everything(rehearsed.world) == rehearsed.before)


def is_read_back(rehearsed: Rehearsed, answer: Any) -> bool:
    """The condition held after all, so reading back finds nothing in the way; a count cannot be read back: 429."""
    limited = isinstance(answer, Answer) and answer.status == 429 and is_unchanged(rehearsed)
    return limited or is_undisturbed(rehearsed, answer)


@pytest.mark.parametrize("scenario", [NAMED["another avatar"]], ids=lambda scenario: scenario.name)
def test_a_race_lost_for_ever_ends_without_change(rehearsed: Rehearsed, note: Note) -> None:
    for item in range(3):
        answer = refused(rehearsed, 1, cancelled(4, item, "ConditionalCheckFailed"), 99)
        assert answer.status == 409
        assert is_unchanged(rehearsed)
    note.add("transactions cancelled", 3)


# --- S3 and SQS


class CutShort:
    """An object of which the connection brings only the beginning."""

    def answer(self, url: str) -> AWSResponse:
        headers = {"content-length": "1000", "content-type": "image/jpeg"}
        raw = HTTPResponse(BytesIO(b"\xff\xd8\xff"), headers, 200, preload_content=False)
        return AWSResponse(url, 200, HTTPHeaders.from_dict(headers), raw)


DENIED = [S3Says("AccessDenied", 403), S3Says("PreconditionFailed", 412), S3Says("NoSuchBucket", 404)]
PARTLY = S3Says("", 200, "<DeleteResult><Error><Key>k</Key><Code>InternalError</Code></Error></DeleteResult>")


@pytest.mark.parametrize(
    "scenario",
    [
        NAMED["a picture"],
        NAMED["another picture in a form"],
        NAMED["a purge"],
        NAMED["a picture that loses against another"],
    ],
    ids=lambda scenario: scenario.name,
)
def test_s3_may_refuse_for_good_and_nothing_is_lost(rehearsed: Rehearsed, note: Note, at_length: bool) -> None:
    for at in numbers(rehearsed.calls, at_length=at_length):
        if rehearsed.calls[at] not in S3:
            continue
        for says in [*DENIED, *([PARTLY] if rehearsed.calls[at] == "DeleteObjects" else [])]:
            with told(f"{says} at call {at}, {rehearsed.calls[at]}"):
                assert is_for_good(refused(rehearsed, at, says, 1))
                check(rehearsed, [], Mode.AGAIN)
                note.add("refusals for good")


@pytest.mark.parametrize("scenario", [NAMED["a picture"]], ids=lambda scenario: scenario.name)
def test_a_picture_that_is_cut_short_on_its_way_is_read_again(rehearsed: Rehearsed, note: Note) -> None:
    at = rehearsed.calls.index("GetObject")
    assert isinstance(refused(rehearsed, at, CutShort(), 1), Unavailable)
    assert everything(rehearsed.world) == rehearsed.before
    check(rehearsed, [], Mode.AGAIN)
    note.add("refusals that pass")


@pytest.mark.parametrize("scenario", [NAMED["a picture"]], ids=lambda scenario: scenario.name)
def test_an_object_that_is_gone_settles_nothing(rehearsed: Rehearsed) -> None:
    at = rehearsed.calls.index("GetObject")
    assert refused(rehearsed, at, S3Says("NoSuchKey", 404), 1) is None
    assert everything(rehearsed.world) == rehearsed.before


@pytest.mark.parametrize("refused_ids", [[0], [3, 9], range(10)], ids=["one", "two", "all"])
def test_of_a_batch_only_what_the_queue_did_not_take_comes_again(
    world: World, refused_ids: list[int], note: Note
) -> None:
    NAMED["removed rows, many at once"].arrange(world)
    failed = [{"Id": str(number), "Code": "InternalError", "SenderFault": False} for number in refused_ids]
    taken = [{"Id": str(n), "MessageId": "m", "MD5OfMessageBody": "d"} for n in range(10) if n not in refused_ids]
    world.injector.refuse(1, SqsSays("", 200, json.dumps({"Successful": taken, "Failed": failed})), 1)
    expected = [world.observer.removed[10 + number] for number in refused_ids]
    answer = world.release()
    assert len(answer["batchItemFailures"]) == len(refused_ids)
    assert world.observer.removed == expected
    world.injector.disarm()
    assert world.release() == DONE
    assert len(world.queued()) == MANY - 10 + len(refused_ids)
    note.add("refusals of parts", len(failed))


def test_a_purge_that_is_refused_for_good_is_in_the_queue_of_last_resort_once(world: World, note: Note) -> None:
    NAMED["a purge"].arrange(world)
    message = {"owner_id": ADA, "upload_id": an_id(1)}
    for _ in range(5):
        world.injector.refuse(0, S3Says("AccessDenied", 403), 1)
        assert world.purge(message)["batchItemFailures"] != []
    world.injector.disarm()
    assert world.purge(message) == DONE  # a person sends it back
    assert world.aws.keys(cloud.MEDIA_BUCKET) == set()
    note.add("refusals for good", 5)
