"""What each step of an avatar's life asks of AWS, to the call and to the unit, however many others there are."""

from dataclasses import dataclass
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from functions.authorize.app import handler as authorize
from tests import cloud, pictures
from tests.builders import an_id
from tests.functions.conftest import an_event
from tests.functions.test_authorize import CONTEXT, Published, deployed, published
from tests.tokens import a_token
from tools.bench.cost import lives
from tools.bench.cost.lives import Life, Step, ours, usual
from tools.bench.cost.recorder import recording

__all__ = ["deployed", "published"]

PICTURE, ANOTHER = pictures.a_jpeg(64, 48), pictures.a_jpeg(48, 64)
DERIVATIVES = 5
"""Of an avatar: four sizes and the master."""


@dataclass(frozen=True)
class Takes:
    """What a step takes: its calls in order, and DynamoDB's units."""

    calls: tuple[str, ...]
    read_units: float = 0
    write_units: float = 0


LIFE = {
    # Two items of less than 1 KB in a transaction: the upload's row and the owner's counts.
    "intent": Takes(("TransactWriteItems",), write_units=4),
    "process": Takes(
        ("GetItem", "GetObject", *["PutObject"] * DERIVATIVES, "UpdateItem", "DeleteObject"),
        read_units=1,
        write_units=1,
    ),
    "poll": Takes(("GetItem",), read_units=1),
    # Both rows at once; then the user's, the new upload's, the old one's and the caller's count.
    "bind": Takes(("TransactGetItems", "TransactWriteItems"), read_units=4, write_units=8),
    "release": Takes(("SendMessageBatch",)),
    # The second is the media bucket's, the third the uploads bucket's: no call deletes from both.
    "purge": Takes(("ListObjectsV2", "DeleteObjects", "DeleteObject")),
}


def takes(step: Step) -> Takes:
    """What it took."""
    return Takes(step.operations, step.read_units, step.write_units)


def items(table: str) -> dict[DynamoType, Any]:
    """What lies in a table, by its hash key."""
    found: dict[DynamoType, Any] = dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables[table].items
    return found


def crowd(others: int) -> None:
    """So many users like Ada, with her uploads each, without asking the API for each."""
    for table in (cloud.USERS_TABLE, cloud.UPLOADS_TABLE):
        hers = items(table)[DynamoType({"S": lives.ADA})]
        items(table).update((DynamoType({"S": f"auth0|{number}"}), hers) for number in range(others))


def test_each_step_of_a_life_takes_just_these_calls_and_units() -> None:
    assert {step.name: takes(step) for step in ours(PICTURE).steps} == LIFE


def test_a_first_avatar_writes_one_row_less() -> None:
    with lives.deployed() as aws:
        life = Life(aws)
        life.look()
        life.avatar(PICTURE)
    assert takes(life.steps[-1]) == Takes(LIFE["bind"].calls, read_units=4, write_units=6)


def test_an_authorizer_that_knows_the_keys_calls_nothing(published: Published) -> None:
    event = {**an_event("authorize"), "authorizationToken": f"Bearer {a_token(exp=4_000_000_000)}"}
    with recording() as calls:
        for _ in range(3):
            authorize(event, CONTEXT)
    assert calls == []
    assert published.fetches == 1


def test_ten_removed_uploads_are_one_call_to_release_and_the_same_each_to_purge() -> None:
    with lives.deployed() as aws:
        life = Life(aws)
        for number in range(10):
            aws.s3.put_object(Bucket=cloud.MEDIA_BUCKET, Key=f"media/{an_id(number)}/full-{'0' * 32}.webp", Body=b"x")
        life.release([an_id(number) for number in range(10)])
        life.purge()
        left = aws.keys(cloud.MEDIA_BUCKET)
    release, purge = life.steps
    assert takes(release) == LIFE["release"]
    assert takes(purge) == Takes(LIFE["purge"].calls * 10)
    assert left == set()


@pytest.mark.parametrize("others", [10, 100_000])
def test_nothing_grows_with_users_or_uploads(others: int) -> None:
    with lives.deployed() as aws:
        life = Life(aws)
        life.look()
        replaced = life.avatar(ANOTHER)
        life.steps.clear()
        crowd(others)
        life.avatar(PICTURE)
        life.release([replaced])
        life.purge()
        assert len(items(cloud.USERS_TABLE)) == others + 1
    assert {step.name: takes(step) for step in life.steps} == LIFE


def test_what_is_scanned_would_be_seen_to_grow() -> None:
    with lives.deployed() as aws:
        Life(aws).look()
        crowd(1000)
        with recording() as calls:
            aws.dynamodb.scan(TableName=cloud.USERS_TABLE, ConsistentRead=True)
    assert calls[0].read_units > 1


def test_the_usual_way_takes_what_its_code_says() -> None:
    assert {step.name: takes(step) for step in usual(PICTURE).steps} == {
        "upload": Takes(
            (*["PutObject"] * DERIVATIVES, "GetItem", "UpdateItem", *["DeleteObject"] * DERIVATIVES),
            read_units=0.5,
            write_units=1,
        ),
        "profile": Takes(("GetItem",), read_units=0.5),
    }
