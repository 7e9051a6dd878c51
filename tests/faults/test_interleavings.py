"""Two invocations at once: the second runs whole just before each call to AWS that the first one makes."""

from collections.abc import Callable

import pytest

from profile_media.domain.model import Slot, State, Upload
from tests import cloud, pictures
from tests.builders import ADA
from tests.faults.test_crash_points import BIND, PROCESS
from tests.faults.world import World
from tests.functions.conftest import Answer


def settled_down(world: World) -> None:
    """Everything delivered, nothing wrong, and after a day nothing left but what is bound."""
    world.drain()
    assert world.wrongs(quiet=True) == []
    world.pass_time(hours=25)
    world.drain()
    assert {key.split("/")[1] for key in world.aws.keys(cloud.MEDIA_BUCKET)} == set(world.slots().values())
    assert world.wrongs(quiet=True) == []


@pytest.mark.parametrize("at", range(len(BIND)))
@pytest.mark.parametrize("held", [False, True], ids=["empty slot", "slot in use"])
def test_of_two_binds_the_later_one_stays_and_the_other_is_let_go(
    world: World, picture: bytes, at: int, *, held: bool
) -> None:
    if held:
        world.bind(world.ready(picture, 9))
    one, other = world.ready(picture, 1), world.ready(picture, 2)
    answers: list[Answer | None] = []
    world.injector.interrupt(at, lambda: answers.append(world.bind(other)))
    answers.append(world.bind(one))
    assert [answer.status for answer in answers if answer] == [200, 200]
    assert world.slots() == {"avatar": one.upload_id}
    assert world.rows.uploads.get(ADA, other.upload_id) is None
    settled_down(world)


@pytest.mark.parametrize("at", range(len(BIND)))
def test_binds_of_both_slots_do_not_hinder_each_other(world: World, picture: bytes, at: int) -> None:
    avatar, cover = world.ready(picture, 1), world.ready(picture, 2, Slot.COVER_IMAGE)
    world.injector.interrupt(at, lambda: world.bind(cover))
    answer = world.bind(avatar)
    assert answer
    assert answer.status == 200
    assert world.slots() == {"avatar": avatar.upload_id, "cover_image": cover.upload_id}
    settled_down(world)


@pytest.mark.parametrize("at", range(len(BIND)))
def test_the_same_bind_twice_at_once_is_one(world: World, picture: bytes, at: int) -> None:
    old, new = world.ready(picture, 1), world.ready(picture, 2)
    world.bind(old)
    answers: list[Answer | None] = []
    world.injector.interrupt(at, lambda: answers.append(world.bind(new)))
    answers.append(world.bind(new))
    first, second = answers
    assert first
    assert second
    assert first.status == second.status == 200
    assert first.body == second.body
    settled_down(world)


@pytest.mark.parametrize("at", range(len(BIND)))
def test_expiry_during_a_bind_leaves_it_bound_for_good_or_refused(world: World, picture: bytes, at: int) -> None:
    upload = world.ready(picture, 1)
    world.injector.interrupt(at, lambda: world.pass_time(hours=25))
    answer = world.bind(upload)
    assert answer
    assert answer.status == 400
    assert world.slots() == {}
    settled_down(world)


def same_event(world: World, upload: Upload, _: bytes) -> None:
    world.process(upload)


def another_picture(world: World, upload: Upload, other: bytes) -> None:
    world.receive(upload, other)
    world.process(upload)


def bound(world: World, upload: Upload, _: bytes) -> None:
    world.process(upload)
    world.bind(upload)


def expired_and_purged(world: World, _: Upload, __: bytes) -> None:
    world.pass_time(hours=2)
    world.drain()


def bound_and_replaced(world: World, upload: Upload, other: bytes) -> None:
    bound(world, upload, other)
    world.bind(world.ready(other, 7))
    world.drain()


@pytest.mark.parametrize("happens", [same_event, another_picture, bound, expired_and_purged, bound_and_replaced])
@pytest.mark.parametrize("at", range(len(PROCESS)))
def test_whatever_happens_during_processing_nothing_dangles_and_nothing_stays(
    world: World, picture: bytes, at: int, happens: Callable[[World, Upload, bytes], None]
) -> None:
    upload, other = world.pending(picture, 1), pictures.a_jpeg(48, 64)
    world.injector.interrupt(at, lambda: happens(world, upload, other))
    world.process(upload)
    assert world.wrongs(quiet=False) == []
    row = world.rows.uploads.get(ADA, upload.upload_id)
    assert row is None or row.state in {State.READY, State.BOUND}
    world.process(upload)  # the platform delivers the event once more
    settled_down(world)
