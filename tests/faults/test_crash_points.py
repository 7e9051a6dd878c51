"""Every call to AWS that processing and binding make, hit in every way, then retried, drained, and left to time.

The points are counted from a run that goes well, so that a new call is covered the day it is added.
"""

from contextlib import suppress
from itertools import product

import pytest

from profile_media.domain.model import Slot, State
from tests import cloud
from tests.builders import ADA
from tests.faults.injector import Crash, Fault
from tests.faults.world import World

PROCESS = ["dynamodb.GetItem", "s3.GetObject", *["s3.PutObject"] * 5, "dynamodb.UpdateItem", "s3.DeleteObject"]
BIND = ["dynamodb.TransactGetItems", "dynamodb.TransactWriteItems"]


def points(calls: list[str]) -> list[tuple[int, Fault]]:
    return list(product(range(len(calls)), Fault))


def lower(calls: list[str]) -> list[str]:
    return [f"{service.lower()}.{operation}" for service, operation in (call.split(".") for call in calls)]


def test_the_calls_of_processing_are_these(world: World, picture: bytes) -> None:
    upload = world.pending(picture)
    with world.injector.counting() as calls:
        world.process(upload)
    assert lower(calls) == PROCESS


@pytest.mark.parametrize(("at", "fault"), points(PROCESS))
def test_processing_survives_any_failure(world: World, picture: bytes, at: int, fault: Fault) -> None:
    upload = world.pending(picture)
    world.injector.arm(at, fault)
    world.until_done(lambda: world.process(upload))
    assert world.injector.at is None or fault is Fault.LOST
    world.drain()
    row = world.rows.uploads.get(ADA, upload.upload_id)
    assert row
    assert row.state is State.READY
    assert world.wrongs(quiet=True) == []
    assert len(world.aws.keys(cloud.MEDIA_BUCKET)) == 5
    world.pass_time(hours=25)
    world.drain()
    assert world.aws.keys(cloud.MEDIA_BUCKET) == set()
    assert world.wrongs(quiet=True) == []


@pytest.mark.parametrize(("at", "fault"), points(PROCESS))
def test_processing_that_is_never_retried_leaves_nothing_behind(
    world: World, picture: bytes, at: int, fault: Fault
) -> None:
    upload = world.pending(picture)
    world.injector.arm(at, fault)
    with suppress(Crash, Exception):  # how it failed does not matter, what it left does
        world.process(upload)
    assert world.wrongs(quiet=False) == []
    world.pass_time(hours=25)
    world.drain()
    assert world.aws.keys(cloud.MEDIA_BUCKET) == set()
    assert world.aws.keys(cloud.UPLOADS_BUCKET) == set()


@pytest.mark.parametrize("slot", Slot)
def test_the_calls_of_a_bind_are_these(world: World, picture: bytes, slot: Slot) -> None:
    for number in (1, 2):
        upload = world.ready(picture, number, slot)
        with world.injector.counting() as calls:
            world.bind(upload)
        assert lower(calls) == BIND


@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("retried", [True, False], ids=["client retries", "client gives up"])
@pytest.mark.parametrize(("at", "fault"), points(BIND))
def test_a_bind_survives_any_failure(
    world: World, picture: bytes, at: int, fault: Fault, slot: Slot, *, retried: bool
) -> None:
    old, new = (world.ready(picture, number, slot) for number in (1, 2))
    world.bind(old)
    world.injector.arm(at, fault)
    answer = world.bind(new)
    world.injector.disarm()
    assert answer is None or answer.status == 200
    assert world.wrongs(quiet=False) == []
    if retried:
        answer = world.bind(new)
    world.drain()
    assert world.wrongs(quiet=True) == []
    took_effect = (at, fault) in {(1, Fault.AFTER), (1, Fault.LOST), (0, Fault.LOST)} or retried
    kept, gone = (new, old) if took_effect else (old, new)
    assert world.slots() == {slot.value: kept.upload_id}
    assert answer is None or answer.body == world.bind(kept).body  # type: ignore[union-attr]
    world.pass_time(hours=25)
    world.drain()
    assert {key.split("/")[1] for key in world.aws.keys(cloud.MEDIA_BUCKET)} == {kept.upload_id}
    assert world.rows.uploads.get(ADA, gone.upload_id) is None
    assert world.wrongs(quiet=True) == []


def test_expiry_takes_an_upload_that_was_never_finished(world: World, picture: bytes) -> None:
    upload = world.pending(picture)
    world.pass_time(hours=2)
    world.drain()
    assert world.aws.keys(cloud.UPLOADS_BUCKET) == set()
    world.receive(upload, picture)
    world.process(upload)
    world.drain()
    assert world.aws.keys(cloud.UPLOADS_BUCKET) == world.aws.keys(cloud.MEDIA_BUCKET) == set()
