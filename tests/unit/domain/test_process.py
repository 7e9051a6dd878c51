"""Processing: every order in which events, time and other processors may come."""

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from profile_media.domain.errors import Unavailable
from profile_media.domain.keys import incoming_key, media_key
from profile_media.domain.model import Derivative, Reason, State, Upload
from profile_media.domain.policy import Lifetimes
from profile_media.domain.ports import PurgeRequest
from profile_media.domain.process import IncomingProcessor, Outcome, UploadProcessor
from tests import fakes
from tests.builders import ADA, NOW, an_id, an_upload

KEY = incoming_key(ADA, an_id(1))


@dataclass
class World:
    """A processor and all it works on."""

    def __init__(self) -> None:
        self.tables, self.incoming, self.media = fakes.FakeTables(), fakes.FakeIncoming(), fakes.FakeMedia()
        self.queue, self.clock = fakes.FakePurgeQueue(), fakes.FakeClock()
        settling = UploadProcessor(
            fakes.FakeUploads(self.tables), self.media, fakes.FakeImages(), self.queue, self.clock, Lifetimes()
        )
        self.processing = IncomingProcessor(self.incoming, settling)

    def receive(self, content: bytes = b"picture", **changes: object) -> None:
        upload = an_upload(**changes)
        self.tables.uploads[ADA, upload.upload_id] = upload
        self.incoming.objects[KEY] = content

    def process(self) -> Outcome:
        return self.processing.process(ADA, an_id(1)).outcome

    @property
    def row(self) -> Upload:
        return self.tables.uploads[ADA, an_id(1)]


@pytest.fixture
def world() -> World:
    return World()


def named(row: Upload) -> set[str]:
    return {media_key(row.upload_id, derivative) for derivative in row.derivatives}


def test_a_picture_becomes_ready_and_its_original_goes(world: World) -> None:
    world.receive()
    assert world.process() is Outcome.READY
    assert world.row.state is State.READY
    assert world.row.expires_at == NOW + timedelta(hours=24)
    assert (world.row.width, world.row.height) == (40, 30)
    assert set(world.media.objects) == named(world.row)
    assert world.incoming.objects == {}
    assert world.queue.messages == []


def test_a_row_is_settled_after_what_it_names_and_before_its_original_goes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.receive()
    seen: list[tuple[set[str], set[str]]] = []
    original = fakes.FakeUploads.settle

    def settle(uploads: fakes.FakeUploads, upload: Upload, now: datetime) -> bool:
        seen.append((set(world.media.objects), set(world.incoming.objects)))
        return original(uploads, upload, now)

    monkeypatch.setattr(fakes.FakeUploads, "settle", settle)
    world.process()
    assert seen == [(named(world.row), {KEY})]


@pytest.mark.parametrize("reason", Reason)
def test_a_refused_picture_is_rejected_with_the_reason(world: World, reason: Reason) -> None:
    world.receive(reason.encode())
    assert world.process() is Outcome.REJECTED
    assert (world.row.state, world.row.reason) == (State.REJECTED, reason)
    assert world.row.expires_at == NOW + timedelta(hours=24)
    assert world.media.objects == {}
    assert world.incoming.objects == {}


def test_more_bytes_than_promised_are_too_large(world: World) -> None:
    world.receive(b"x" * 1001)
    world.process()
    assert world.row.reason is Reason.TOO_LARGE


def test_other_bytes_than_promised_are_a_checksum_mismatch(world: World) -> None:
    world.receive(b"other", checksum_sha256=b64encode(sha256(b"picture").digest()).decode())
    world.process()
    assert world.row.reason is Reason.CHECKSUM_MISMATCH


def test_the_promised_bytes_match(world: World) -> None:
    world.receive(checksum_sha256=b64encode(sha256(b"picture").digest()).decode())
    assert world.process() is Outcome.READY


def test_a_second_event_changes_nothing(world: World) -> None:
    world.receive()
    world.process()
    row, stored = world.row, dict(world.media.objects)
    world.incoming.objects[KEY] = b"another picture posted with the same grant"
    assert world.process() is Outcome.STALE
    assert (world.row, world.media.objects, world.incoming.objects) == (row, stored, {})


@pytest.mark.parametrize("state", [State.READY, State.REJECTED, State.BOUND])
def test_a_settled_upload_only_has_its_original_cleared(world: World, state: State) -> None:
    world.receive(state=state, expires_at=None)
    assert world.process() is Outcome.STALE
    assert world.incoming.objects == {}
    assert world.queue.messages == []


def test_an_expired_upload_is_not_processed_nor_purged_while_its_row_is_there(world: World) -> None:
    world.receive()
    world.clock.pass_(hours=1)
    assert world.process() is Outcome.STALE
    assert world.row.state is State.PENDING
    assert (world.incoming.objects, world.media.objects, world.queue.messages) == ({}, {}, [])


def test_a_row_that_is_gone_has_its_upload_purged_again(world: World) -> None:
    world.incoming.objects[KEY] = b"late"
    assert world.process() is Outcome.STALE
    assert world.queue.messages == [PurgeRequest(ADA, an_id(1))]
    assert world.incoming.objects == {}


def test_a_queue_that_takes_nothing_makes_the_platform_try_again(world: World) -> None:
    world.queue.refuses = {PurgeRequest(ADA, an_id(1))}
    with pytest.raises(Unavailable):
        world.process()


def test_an_original_that_is_gone_leaves_the_upload_pending(world: World) -> None:
    world.receive()
    world.incoming.objects.clear()
    assert world.process() is Outcome.STALE
    assert world.row.state is State.PENDING


def meanwhile(world: World, monkeypatch: pytest.MonkeyPatch, happens: object) -> None:
    """Lets something happen after the derivatives are stored, before the upload is settled."""
    store = fakes.FakeMedia.store

    def stored(media: fakes.FakeMedia, upload_id: str, contents: list[tuple[Derivative, bytes]]) -> None:
        store(media, upload_id, contents)
        monkeypatch.setattr(fakes.FakeMedia, "store", store)
        happens()  # type: ignore[operator]

    monkeypatch.setattr(fakes.FakeMedia, "store", stored)


def test_losing_to_the_same_picture_deletes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.receive()
    meanwhile(world, monkeypatch, world.process)
    assert world.process() is Outcome.READY  # as if it were its own write, with its answer lost
    assert world.row.state is State.READY
    assert set(world.media.objects) == named(world.row)


def test_losing_to_another_picture_takes_back_ones_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def another() -> None:
        world.incoming.objects[KEY] = b"another"
        world.process()

    world.receive()
    meanwhile(world, monkeypatch, another)
    assert world.process() is Outcome.LOST
    assert set(world.media.objects) == named(world.row)
    assert all(content.endswith(b"another") for content in world.media.objects.values())


def test_losing_to_time_takes_everything_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.receive()
    meanwhile(world, monkeypatch, lambda: world.clock.pass_(hours=1))
    assert world.process() is Outcome.LOST
    assert (world.media.objects, world.incoming.objects) == ({}, {})


def test_losing_to_a_removal_has_the_upload_purged_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.receive()
    meanwhile(world, monkeypatch, world.tables.uploads.clear)
    assert world.process() is Outcome.LOST
    assert world.queue.messages == [PurgeRequest(ADA, an_id(1))]


def test_losing_to_a_bind_keeps_what_is_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def settled_and_bound() -> None:
        world.process()
        world.tables.uploads[ADA, an_id(1)] = replace(world.row, state=State.BOUND, expires_at=None)

    world.receive()
    meanwhile(world, monkeypatch, settled_and_bound)
    assert world.process() is Outcome.LOST
    assert set(world.media.objects) == named(world.row)
