"""Processing: every order of events, expiry and concurrent processors; and binding at once."""

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from profile_media.domain.bind import SlotBinder
from profile_media.domain.errors import ErrorCode, Unavailable
from profile_media.domain.keys import incoming_key, media_key
from profile_media.domain.model import AutoBind, Derivative, Identity, Reason, Slot, State, Upload
from profile_media.domain.policy import Lifetimes
from profile_media.domain.ports import PurgeRequest
from profile_media.domain.process import IncomingProcessor, Outcome, UploadProcessor
from tests import fakes
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload

KEY = incoming_key(ADA, an_id(1))


@dataclass
class World:
    """A processor and its ports."""

    def __init__(self) -> None:
        self.tables, self.incoming, self.media = fakes.FakeTables(), fakes.FakeIncoming(), fakes.FakeMedia()
        self.queue, self.clock = fakes.FakePurgeQueue(), fakes.FakeClock()
        processor = UploadProcessor(
            fakes.FakeUploads(self.tables), self.media, fakes.FakeImages(), self.queue, self.clock, Lifetimes()
        )
        self.attachments = fakes.FakeAttachments(self.tables)
        binder = SlotBinder(self.attachments, fakes.FakeProfiles(self.tables), self.clock, per_minute=1)
        self.processor = IncomingProcessor(self.incoming, processor, binder)

    def receive(self, content: bytes = b"picture", **changes: object) -> None:
        upload = an_upload(**changes)
        self.tables.uploads[ADA, upload.upload_id] = upload
        self.incoming.objects[KEY] = content

    def process(self) -> Outcome:
        return self.processor.process(ADA, an_id(1)).outcome

    @property
    def row(self) -> Upload:
        return self.tables.uploads[ADA, an_id(1)]


@pytest.fixture
def world() -> World:
    return World()


def named(row: Upload) -> set[str]:
    return {media_key(row.upload_id, derivative) for derivative in row.derivatives}


def test_picture_becomes_ready_and_its_original_is_deleted(world: World) -> None:
    world.receive()
    assert world.process() is Outcome.READY
    assert world.row.state is State.READY
    assert world.row.expires_at == NOW + timedelta(hours=24)
    assert (world.row.width, world.row.height) == (40, 30)
    assert set(world.media.objects) == named(world.row)
    assert world.incoming.objects == {}
    assert world.queue.messages == []


def test_result_is_saved_after_the_derivatives_and_before_the_original_is_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.receive()
    seen: list[tuple[set[str], set[str]]] = []
    original = fakes.FakeUploads.save_result

    def save_result(uploads: fakes.FakeUploads, upload: Upload, now: datetime) -> bool:
        seen.append((set(world.media.objects), set(world.incoming.objects)))
        return original(uploads, upload, now)

    monkeypatch.setattr(fakes.FakeUploads, "save_result", save_result)
    world.process()
    assert seen == [(named(world.row), {KEY})]


@pytest.mark.parametrize("reason", Reason)
def test_refused_picture_makes_upload_rejected_with_reason(world: World, reason: Reason) -> None:
    world.receive(reason.encode())
    assert world.process() is Outcome.REJECTED
    assert (world.row.state, world.row.reason) == (State.REJECTED, reason)
    assert world.row.expires_at == NOW + timedelta(hours=24)
    assert world.media.objects == {}
    assert world.incoming.objects == {}


def test_more_bytes_than_declared_are_too_large(world: World) -> None:
    world.receive(b"x" * 1001)
    world.process()
    assert world.row.reason is Reason.TOO_LARGE


def test_other_bytes_than_declared_are_a_checksum_mismatch(world: World) -> None:
    world.receive(b"other", checksum_sha256=b64encode(sha256(b"picture").digest()).decode())
    world.process()
    assert world.row.reason is Reason.CHECKSUM_MISMATCH


def test_declared_checksum_matches(world: World) -> None:
    world.receive(checksum_sha256=b64encode(sha256(b"picture").digest()).decode())
    assert world.process() is Outcome.READY


def test_second_event_only_deletes_the_original(world: World) -> None:
    world.receive()
    world.process()
    row, stored = world.row, dict(world.media.objects)
    world.incoming.objects[KEY] = b"another picture sent with the same presigned POST"
    assert world.process() is Outcome.STALE
    assert (world.row, world.media.objects, world.incoming.objects) == (row, stored, {})


@pytest.mark.parametrize("state", [State.READY, State.REJECTED, State.BOUND])
def test_event_of_processed_upload_only_deletes_the_original(world: World, state: State) -> None:
    world.receive(state=state, expires_at=None)
    assert world.process() is Outcome.STALE
    assert world.incoming.objects == {}
    assert world.queue.messages == []


def test_expired_upload_is_not_processed_and_not_purged_while_its_row_exists(world: World) -> None:
    world.receive()
    world.clock.pass_(hours=1)
    assert world.process() is Outcome.STALE
    assert world.row.state is State.PENDING
    assert (world.incoming.objects, world.media.objects, world.queue.messages) == ({}, {}, [])


def test_event_of_removed_upload_requests_another_purge(world: World) -> None:
    world.incoming.objects[KEY] = b"late"
    assert world.process() is Outcome.STALE
    assert world.queue.messages == [PurgeRequest(ADA, an_id(1))]
    assert world.incoming.objects == {}


def test_event_is_retried_when_the_delete_queue_refuses(world: World) -> None:
    world.queue.refuses = {PurgeRequest(ADA, an_id(1))}
    with pytest.raises(Unavailable):
        world.process()


def test_missing_original_leaves_upload_pending(world: World) -> None:
    world.receive()
    world.incoming.objects.clear()
    assert world.process() is Outcome.STALE
    assert world.row.state is State.PENDING


def meanwhile(world: World, monkeypatch: pytest.MonkeyPatch, happens: object) -> None:
    """Do something after the derivatives are stored and before the result is saved."""
    store = fakes.FakeMedia.store

    def stored(media: fakes.FakeMedia, upload_id: str, contents: list[tuple[Derivative, bytes]]) -> None:
        store(media, upload_id, contents)
        monkeypatch.setattr(fakes.FakeMedia, "store", store)
        happens()  # type: ignore[operator]

    monkeypatch.setattr(fakes.FakeMedia, "store", stored)


def test_losing_to_same_picture_deletes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.receive()
    meanwhile(world, monkeypatch, world.process)
    assert world.process() is Outcome.READY  # like its own write whose answer was lost
    assert world.row.state is State.READY
    assert set(world.media.objects) == named(world.row)


def test_losing_to_another_picture_deletes_own_derivatives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def another() -> None:
        world.incoming.objects[KEY] = b"another"
        world.process()

    world.receive()
    meanwhile(world, monkeypatch, another)
    assert world.process() is Outcome.LOST
    assert set(world.media.objects) == named(world.row)
    assert all(content.endswith(b"another") for content in world.media.objects.values())


def test_losing_to_expiry_deletes_derivatives_and_original(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.receive()
    meanwhile(world, monkeypatch, lambda: world.clock.pass_(hours=1))
    assert world.process() is Outcome.LOST
    assert (world.media.objects, world.incoming.objects) == ({}, {})


def test_losing_to_removal_requests_another_purge(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.receive()
    meanwhile(world, monkeypatch, world.tables.uploads.clear)
    assert world.process() is Outcome.LOST
    assert world.queue.messages == [PurgeRequest(ADA, an_id(1))]


def test_losing_to_a_bind_keeps_the_bound_derivatives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def processed_and_bound() -> None:
        world.process()
        world.tables.uploads[ADA, an_id(1)] = replace(world.row, state=State.BOUND, expires_at=None)

    world.receive()
    meanwhile(world, monkeypatch, processed_and_bound)
    assert world.process() is Outcome.LOST
    assert set(world.media.objects) == named(world.row)


AUTO_BIND = AutoBind(GRACE, tenant="acme")


def test_upload_is_bound_at_once_if_the_intent_says_so(world: World) -> None:
    world.receive(auto_bind=AUTO_BIND)
    processed = world.processor.process(ADA, an_id(1))
    assert processed.outcome is Outcome.READY
    assert processed.bound
    assert (processed.bound.actor_id, processed.bound.upload_id) == (GRACE, an_id(1))
    assert (world.row.state, world.row.expires_at) == (State.BOUND, None)
    assert world.tables.profiles[ADA].bound_upload_id(Slot.AVATAR) == an_id(1)
    assert world.tables.profiles[ADA].tenant == "acme"
    assert world.incoming.objects == {}


def test_upload_is_not_bound_unless_the_intent_says_so(world: World) -> None:
    world.receive()
    assert world.processor.process(ADA, an_id(1)).bound is None
    assert world.tables.profiles == {}


@pytest.mark.parametrize("reason", [Reason.CORRUPT])
def test_rejected_upload_is_not_bound(world: World, reason: Reason) -> None:
    world.receive(reason.encode(), auto_bind=AUTO_BIND)
    world.process()
    assert (world.row.state, world.tables.profiles) == (State.REJECTED, {})


def test_repeated_event_binds_upload_that_is_ready(world: World) -> None:
    world.receive(auto_bind=AUTO_BIND)
    world.tables.uploads[ADA, an_id(1)] = a_ready_upload(auto_bind=AUTO_BIND)
    assert world.process() is Outcome.STALE
    assert world.row.state is State.BOUND
    profiles = dict(world.tables.profiles)
    assert world.process() is Outcome.STALE
    assert world.tables.profiles == profiles


def test_upload_of_another_tenants_user_stays_ready(world: World) -> None:
    fakes.FakeProfiles(world.tables).save_identity(ADA, "other", Identity(), NOW)
    world.receive(auto_bind=AUTO_BIND)
    assert world.processor.process(ADA, an_id(1)).bind_error is ErrorCode.USER_NOT_FOUND
    assert (world.row.state, world.incoming.objects) == (State.READY, {})


def test_upload_over_the_limit_of_changes_stays_ready(world: World) -> None:
    world.receive(auto_bind=AUTO_BIND)
    world.process()
    world.tables.uploads[ADA, an_id(2)] = an_upload(upload_id=an_id(2), auto_bind=AUTO_BIND)
    world.incoming.objects[incoming_key(ADA, an_id(2))] = b"second"
    assert world.processor.process(ADA, an_id(2)).bind_error is ErrorCode.LIMIT_EXCEEDED
    assert world.tables.uploads[ADA, an_id(2)].state is State.READY


def test_event_is_retried_while_the_store_is_unavailable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise Unavailable("throttled")

    world.receive(auto_bind=AUTO_BIND)
    with monkeypatch.context() as broken:
        broken.setattr(world.attachments, "change_slot", fail)
        with pytest.raises(Unavailable):
            world.process()
    assert world.row.state is State.READY
    assert world.process() is Outcome.STALE
    assert (world.row.state, world.incoming.objects) == (State.BOUND, {})
