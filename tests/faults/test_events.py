"""Deliver S3's events twice, out of order, not at all, about other objects, and several at once.

An upload has one outcome, of one picture, and nothing is left.
"""

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import pytest

from profile_media.domain.keys import incoming_key
from profile_media.domain.model import State
from tests import cloud
from tests.builders import ADA, an_id, an_upload
from tests.faults.baseline import point, settle
from tests.faults.injector import Crash, Fault
from tests.faults.scenarios import OTHER_PICTURE, PICTURE, all_data, pending, process
from tests.faults.world import World
from tests.functions.conftest import an_event, run

KEY = incoming_key(ADA, an_id(1))


def a_record(key: str = KEY, name: str = "ObjectCreated:Post", **changes: Any) -> dict[str, Any]:
    """Return one record of an event, about an object of the uploads bucket by default."""
    record: dict[str, Any] = an_event("process_upload")["Records"][0]
    record["eventName"] = name
    record["s3"]["object"] |= {"key": key, **changes}
    return record


def deliver(*records: dict[str, Any]) -> None:
    """Deliver one event."""
    run("process_upload", {"Records": list(records)})


def created_first(world: World) -> None:
    world.receive(an_upload(), PICTURE)
    deliver(a_record(sequencer="0055AED6DCD90281E5"))


def created_second(world: World) -> None:
    world.receive(an_upload(), OTHER_PICTURE)
    deliver(a_record(sequencer="0055AED6DCD90281E6"))


def created_again(_: World) -> None:
    deliver(a_record(sequencer="0055AED6DCD90281E5"))


def removed(_: World) -> None:
    deliver(a_record(name="ObjectRemoved:Delete"))


def tried_out(_: World) -> None:
    run("process_upload", {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": cloud.UPLOADS_BUCKET})


EVENTS: tuple[Callable[[World], None], ...] = (created_first, created_second, created_again, removed, tried_out)


def sequences(longest: int) -> Iterator[tuple[Callable[[World], None], ...]]:
    """Yield every order of every selection of the events."""
    for count in range(longest + 1):
        yield from permutations(EVENTS, count)


def digests(world: World) -> set[str]:
    """Return the digests of all derivatives."""
    world.observer.look()
    return set(world.observer.last.media.values())


@pytest.mark.parametrize("longest", [2, pytest.param(len(EVENTS), marks=pytest.mark.assurance)])
def test_upload_has_one_outcome_after_events_in_any_order(world: World, longest: int) -> None:
    pending()(world)
    world.run_lifecycle()  # begin without the original
    saved = world.save()
    made = {}
    for create in (created_first, created_second):
        create(world)
        made[create] = digests(world)
        world.restore(saved)
    assert not made[created_first] & made[created_second]
    for sequence in sequences(longest):
        world.restore(saved)
        with point(" ".join(event.__name__ for event in sequence)):
            for event in sequence:
                event(world)
            came = [event for event in sequence if event in made]
            row = world.rows.uploads.get(ADA, an_id(1))
            assert row
            assert row.state is (State.READY if came else State.PENDING)
            assert digests(world) == (made[came[0]] if came else set())
            assert world.observer.last.incoming == frozenset()
            assert world.broken(quiet=False) == []
            settle(world)
            assert digests(world) == set()


def test_repeated_events_of_replaced_original_change_nothing(world: World) -> None:
    pending(OTHER_PICTURE)(world)
    kept = world.save()
    process(world)
    made = digests(world)
    orders = list(permutations([created_again, created_again, removed, tried_out]))
    for sequence in orders:
        world.restore(kept)
        for event in sequence:
            event(world)
        assert digests(world) == made
        assert world.observer.last.incoming == frozenset()
        assert world.broken(quiet=False) == []


def test_two_records_of_one_event_process_two_uploads(world: World) -> None:
    for number in (1, 2):
        world.pending(PICTURE, number)
    kept = world.save()
    keys = [incoming_key(ADA, an_id(number)) for number in (1, 2)]
    for records in (keys, keys[::-1], [*keys, *keys], [keys[0], keys[0], keys[1]]):
        world.restore(kept)
        deliver(*(a_record(key) for key in records))
        assert {row["state"] for row in all_data(world)[0]} == {"ready"}
        assert world.observer.last.incoming == frozenset()
        assert world.broken(quiet=False) == []


def test_event_that_crashed_at_its_second_record_is_retried(world: World) -> None:
    for number in (1, 2):
        world.pending(PICTURE, number)
    kept = world.save()
    records = [a_record(incoming_key(ADA, an_id(number))) for number in (1, 2)]
    with world.injector.counting() as calls:
        deliver(*records)
        count = len(calls)
    for at in range(count // 2, count):
        world.restore(kept)
        world.injector.arm(at, Fault.BEFORE)
        with pytest.raises(Crash):
            deliver(*records)
        world.injector.disarm()
        deliver(*records)
        assert {row["state"] for row in all_data(world)[0]} == {"ready"}
        assert world.observer.last.incoming == frozenset()
        settle(world)


def in_bucket(name: str) -> dict[str, Any]:
    record = a_record()
    record["s3"]["bucket"]["name"] = name
    return record


FOREIGN: dict[str, dict[str, Any]] = {
    "no records": {},
    "records that are none": {"Records": None},
    "an empty event": {"Records": []},
    "another bucket": {"Records": [in_bucket("another")]},
    "the media bucket": {"Records": [in_bucket(cloud.MEDIA_BUCKET)]},
    "another prefix": {"Records": [a_record(f"outgoing/{KEY.partition('/')[2]}")]},
    "a derivative": {"Records": [a_record(f"media/{an_id(1)}/full-{'0' * 32}.webp")]},
    "below the key": {"Records": [a_record(f"{KEY}/more")]},
    "above the key": {"Records": [a_record(KEY.rpartition("/")[0])]},
    "a plus, which is a space": {"Records": [a_record(KEY.replace("/", "/+", 1))]},
    "an encoded plus": {"Records": [a_record(KEY.replace("/", "/%2B", 1))]},
    "dots": {"Records": [a_record(f"incoming/%2e%2e/{KEY}")]},
    "twice encoded": {"Records": [a_record(KEY.replace("/", "%252F"))]},
    "letters that are none of ours": {"Records": [a_record("incoming/YXV0aDB8YWRh/%C3%A4")]},
    "bytes that are no text": {"Records": [a_record("incoming/YXV0aDB8YWRh/%FF")]},
    "another owner": {"Records": [a_record(incoming_key("auth0|grace", an_id(1)))]},
    "another upload": {"Records": [a_record(incoming_key(ADA, an_id(2)))]},
    "a removal": {"Records": [a_record(name="ObjectRemoved:Delete")]},
    "an expiry": {"Records": [a_record(name="LifecycleExpiration:Delete")]},
    "a restored object": {"Records": [a_record(name="ObjectRestore:Completed")]},
    "S3's try": {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": cloud.UPLOADS_BUCKET},
}


def test_events_about_other_objects_change_nothing(world: World) -> None:
    pending()(world)
    kept = world.save()
    *before, _ = all_data(world)
    for name, event in FOREIGN.items():
        world.restore(kept)
        with point(name):
            run("process_upload", event)
            assert all_data(world)[:-1] == tuple(before)
            settle(world)


def test_empty_original_is_rejected(world: World) -> None:
    pending(b"")(world)
    deliver(a_record(size=0))
    row = world.rows.uploads.get(ADA, an_id(1))
    assert row
    assert row.state is State.REJECTED
    assert world.observer.last.incoming == frozenset()


def test_lost_event_leaves_nothing(world: World) -> None:
    pending()(world)
    world.pass_time(hours=2)
    world.drain()
    assert world.aws.keys(cloud.UPLOADS_BUCKET) == set()
    world.receive(an_upload(), PICTURE)
    process(world)
    world.drain()
    assert world.aws.keys(cloud.UPLOADS_BUCKET) == world.aws.keys(cloud.MEDIA_BUCKET) == set()
