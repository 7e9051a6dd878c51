"""Polling an upload."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.domain.errors import UploadNotFound
from profile_media.domain.model import AutoBind, State
from profile_media.domain.watch import watch
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload
from tests.fakes import FakeClock, FakeTables, FakeUploads


class ProcessedAfter(FakeClock):
    """A clock that changes the state of the upload after some seconds."""

    def __init__(self, tables: FakeTables, seconds: float, state: State | None) -> None:
        super().__init__()
        self._tables, self._at, self._state = tables, NOW + timedelta(seconds=seconds), state

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        if self.present >= self._at and (ADA, an_id(1)) in self._tables.uploads:
            upload = self._tables.uploads.pop((ADA, an_id(1)))
            if self._state:
                self._tables.uploads[ADA, an_id(1)] = replace(upload, state=self._state)


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables(uploads={(ADA, an_id(1)): an_upload()})


def test_watch_without_patience_answers_at_once(tables: FakeTables) -> None:
    clock = FakeClock()
    assert watch(FakeUploads(tables), clock, ADA, an_id(1), 0).state is State.PENDING
    assert clock.waits == []


@pytest.mark.parametrize("state", [State.READY, State.REJECTED])
def test_watch_answers_soon_after_upload_is_processed(tables: FakeTables, state: State) -> None:
    clock = ProcessedAfter(tables, 2, state)
    assert watch(FakeUploads(tables), clock, ADA, an_id(1), 20).state is state
    assert clock.present - NOW < timedelta(seconds=3)


def test_watch_gives_up_in_time_with_few_reads(tables: FakeTables) -> None:
    clock = FakeClock()
    assert watch(FakeUploads(tables), clock, ADA, an_id(1), 20).state is State.PENDING
    assert clock.present == NOW + timedelta(seconds=20)
    assert len(clock.waits) <= 25
    assert (clock.waits[0], max(clock.waits)) == (0.25, 1.0)


def test_watch_waits_for_bind_that_the_intent_asks_for() -> None:
    upload = a_ready_upload(auto_bind=AutoBind(ADA, None))
    tables = FakeTables(uploads={(ADA, an_id(1)): upload})
    assert watch(FakeUploads(tables), ProcessedAfter(tables, 1, State.BOUND), ADA, an_id(1), 20).state is State.BOUND
    tables.uploads[ADA, an_id(1)] = upload
    assert watch(FakeUploads(tables), FakeClock(), ADA, an_id(1), 2).state is State.READY


def test_watch_raises_if_upload_is_removed_meanwhile(tables: FakeTables) -> None:
    with pytest.raises(UploadNotFound):
        watch(FakeUploads(tables), ProcessedAfter(tables, 1, None), ADA, an_id(1), 20)


def test_watch_raises_for_expired_upload_and_for_another_owner(tables: FakeTables) -> None:
    for owner, clock in ((GRACE, FakeClock()), (ADA, FakeClock(NOW + timedelta(hours=1)))):
        with pytest.raises(UploadNotFound):
            watch(FakeUploads(tables), clock, owner, an_id(1), 20)
