"""The load generator keeps to this machine, and sees what is lost and what is left over."""

from collections.abc import Iterator
from typing import Any

import pytest

from tools.bench.load.area import PATIENT, pictures, throughput
from tools.bench.load.life import MOST_LIVES, MOST_USERS, NotOurs, checked, lives
from tools.bench.load.remains import Remains
from tools.local import aws
from tools.local.launch import launched

HERE = dict.fromkeys(("api", "page", "uploads", "media", "issuer", "aws_endpoint"), "http://127.0.0.1:1")


@pytest.mark.parametrize(
    "far", ["https://127.0.0.1/x", "http://192.0.2.1", "http://127.0.0.1.example.com", "ftp://localhost"]
)
@pytest.mark.parametrize("part", sorted(HERE))
def test_nothing_but_a_stack_on_this_machine_is_put_under_load(part: str, far: str) -> None:
    assert checked(HERE) == HERE
    with pytest.raises(NotOurs):
        checked({**HERE, part: far})


@pytest.mark.parametrize(("users", "each"), [(0, 1), (1, 0), (MOST_USERS + 1, 1), (10, MOST_LIVES // 10 + 1)])
def test_there_is_a_most_to_ask_for(users: int, each: int) -> None:
    with pytest.raises(NotOurs):
        lives(HERE, users, each, (b"", b""))


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, Any]]:
    with launched({**PATIENT, "PurgeDelaySeconds": "0"}) as state:
        yield state


@pytest.mark.e2e
@pytest.mark.enable_socket
def test_users_at_once_leave_what_they_bound_and_nothing_else(
    stack: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = lives(stack, 4, 1, pictures())

    assert not log.errors
    assert Remains(stack).wrong([log]) == []
    assert {user: upload is not None for user, upload in log.bound.items()} == {
        "load|0": False,
        "load|1": True,
        "load|2": False,
        "load|3": True,
    }
    assert "4 lives" in throughput(log)

    monkeypatch.setattr("tools.bench.load.remains.PATIENCE", 0)
    kept, s3 = log.bound["load|1"], aws.client("s3", stack["aws_endpoint"])
    bucket = stack["buckets"]["MediaBucket"]
    (first, *_) = s3.list_objects_v2(Bucket=bucket, Prefix=f"media/{kept}/")["Contents"]
    s3.delete_object(Bucket=bucket, Key=first["Key"])
    s3.put_object(Bucket=bucket, Key="media/nobodys/full-0.webp", Body=b"")
    aws.client("sqs", stack["aws_endpoint"]).send_message(QueueUrl=stack["queues"]["ProcessFailures"], MessageBody="{}")
    log.bound["load|3"] = None
    found = "\n".join(Remains(stack).wrong([log]))

    for wrong in (
        f"{kept} has lost",
        "objects without a row: nobodys",
        "1 messages in ProcessFailures",
        "load|3 shows",
    ):
        assert wrong in found
