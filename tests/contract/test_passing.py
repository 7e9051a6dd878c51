"""What AWS says will pass, passes: it is told from what will not, and waited for where nobody else does."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from profile_media.aws import dynamodb, session
from profile_media.domain.errors import Unavailable

LATER = [
    "InternalError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottlingException",
    "TransactionConflictException",
]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "TransactWriteItems")


def cancelled(*reasons: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(answer, "TransactWriteItems")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(dynamodb.time, "sleep", waited.append)  # type: ignore[attr-defined]
    return waited


@pytest.mark.parametrize("code", LATER)
def test_later_is_unavailable(code: str) -> None:
    with pytest.raises(Unavailable, match=code), session.available():
        raise refusal(code)


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationException", "NoSuchBucket"])
def test_never_stays_what_it_is(code: str) -> None:
    with pytest.raises(ClientError, match=code), session.available():
        raise refusal(code)


def test_no_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="EndpointConnectionError"), session.available():
        raise EndpointConnectionError(endpoint_url="https://dynamodb.example.com")


def test_a_transaction_waits_for_those_in_its_way(pauses: list[float]) -> None:
    answers: Iterator[object] = iter([cancelled("None", "TransactionConflict"), cancelled("ThrottlingError"), "done"])

    def attempt() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert dynamodb.unhindered(attempt) == "done"
    assert len(pauses) == 2
    assert all(0 <= pause < 0.1 for pause in pauses)


@pytest.mark.parametrize("reasons", [("ConditionalCheckFailed", "TransactionConflict"), ("ValidationError",)])
def test_a_transaction_that_cannot_succeed_is_not_tried_again(pauses: list[float], reasons: tuple[str, ...]) -> None:
    def attempt() -> None:
        raise cancelled(*reasons)

    with pytest.raises(ClientError, match="Canceled"):
        dynamodb.unhindered(attempt)
    assert pauses == []


def test_a_transaction_gives_up_after_five_attempts(pauses: list[float]) -> None:
    attempts: list[int] = []

    def attempt() -> None:
        attempts.append(1)
        raise cancelled("TransactionConflict")

    with pytest.raises(Unavailable):
        dynamodb.unhindered(attempt)
    assert len(attempts) == len(pauses) == 5
