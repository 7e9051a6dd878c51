"""A picture through the API, and a removal: every call hit in every way, then retried, drained, and left to time."""

from contextlib import suppress
from itertools import product

import pytest

from tests import cloud
from tests.builders import ADA, an_id
from tests.faults.injector import Crash, Fault
from tests.faults.test_crash_points import lower
from tests.faults.world import World
from tests.functions.conftest import Answer, an_event

UPLOAD = [
    "dynamodb.GetItem",
    "dynamodb.TransactWriteItems",
    *["s3.PutObject"] * 5,
    "dynamodb.UpdateItem",
    "dynamodb.TransactGetItems",
    "dynamodb.TransactWriteItems",
]
REMOVE = ["dynamodb.GetItem", "dynamodb.GetItem", "dynamodb.TransactWriteItems"]


def send(world: World) -> Answer:
    return world.call("upload_user_image")


def remove(world: World) -> Answer:
    return world.call("delete_profile_image", None, pathParameters={"user_id": ADA})


def media(world: World) -> set[str]:
    """The uploads that there are objects of."""
    return {key.split("/")[1] for key in world.aws.keys(cloud.MEDIA_BUCKET)}


def left_to_time(world: World) -> None:
    world.drain()
    assert world.wrongs(quiet=True) == []
    world.pass_time(hours=25)
    world.drain()
    assert media(world) == set(world.slots().values())
    assert world.wrongs(quiet=True) == []


def test_the_calls_are_these(world: World) -> None:
    assert send(world).status == 200  # which writes who the user is
    with world.injector.counting() as calls:
        assert send(world).status == 200
    assert lower(calls) == UPLOAD
    with world.injector.counting() as calls:
        assert remove(world).status == 200
    assert lower(calls) == REMOVE


@pytest.mark.parametrize(("at", "fault"), [*product(range(len(UPLOAD)), Fault)])
def test_an_upload_that_fails_half_way_leaves_nothing_behind(world: World, at: int, fault: Fault) -> None:
    send(world)
    before = world.slots()
    world.injector.arm(at, fault)
    with suppress(Crash):
        send(world)
    world.injector.disarm()
    assert world.wrongs(quiet=False) == []
    assert set(world.slots()) == set(before)
    left_to_time(world)


@pytest.mark.parametrize(("at", "fault"), [*product(range(len(UPLOAD)), Fault)])
def test_an_upload_that_is_sent_again_is_there_once(world: World, at: int, fault: Fault) -> None:
    world.injector.arm(at, fault)
    with suppress(Crash):
        send(world)
    world.injector.disarm()
    assert send(world).status == 200
    left_to_time(world)
    assert len(world.slots()) == 1


@pytest.mark.parametrize(("at", "fault"), [*product(range(len(REMOVE)), Fault)])
def test_a_removal_that_fails_is_done_or_not_and_can_be_repeated(world: World, at: int, fault: Fault) -> None:
    send(world)
    world.injector.arm(at, fault)
    with suppress(Crash):
        remove(world)
    world.injector.disarm()
    assert world.wrongs(quiet=False) == []
    assert remove(world).status == 200
    assert world.slots() == {}
    left_to_time(world)
    assert media(world) == set()


def test_removing_during_a_bind_leaves_one_or_the_other(world: World) -> None:
    for at in range(2):
        upload = world.rows.ready(upload_id=an_id(50 + at))
        send(world)
        world.injector.interrupt(at, lambda: remove(world))
        answer = world.bind(upload)
        assert answer
        assert answer.status == 200
        assert world.slots() == {"avatar": upload.upload_id}
        world.drain()


def test_the_sample_picture_is_one(world: World) -> None:
    assert an_event("upload_user_image")["isBase64Encoded"] is True
