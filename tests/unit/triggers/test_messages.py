"""Partial batches of the delete queue."""

from typing import Any

import pytest

from profile_media.triggers.messages import each_message
from tests.conftest import Logs


def a_batch(*bodies: str) -> dict[str, Any]:
    records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
    return {"Records": records}


@pytest.mark.parametrize(
    ("bodies", "failed"), [(("a", "b"), []), (("a", "bad", "b", "bad"), ["m1", "m3"]), (("bad",), ["m0"]), ((), [])]
)
def test_each_message_reports_exactly_the_failed_messages(bodies: tuple[str, ...], failed: list[str]) -> None:
    handled: list[str] = []

    def handle(body: str) -> None:
        if body == "bad":
            raise ValueError
        handled.append(body)

    answer = each_message(a_batch(*bodies), handle)

    assert answer == {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}
    assert handled == [body for body in bodies if body != "bad"]


def test_each_message_logs_failure_with_message_id(logs: Logs) -> None:
    def fail(body: str) -> None:
        raise ZeroDivisionError

    each_message(a_batch("x"), fail)

    [record] = logs()
    assert (record["level"], record["message_id"], record["exception_name"]) == ("ERROR", "m0", "ZeroDivisionError")
