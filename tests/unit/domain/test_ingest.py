"""Pictures that come through the API itself: the same limits, refusals and life."""

import pytest

from profile_media.domain.errors import ImageUnacceptable, LimitExceeded, Unavailable
from profile_media.domain.ingest import DirectUpload, accepted
from profile_media.domain.intend import PendingUploads
from profile_media.domain.model import Reason, Slot, State
from profile_media.domain.policy import Lifetimes, Limits
from profile_media.domain.process import Outcome, Processed, UploadProcessor
from tests import fakes
from tests.builders import ADA, NOW, a_ready_upload


class World:
    """Everything an ingest works on."""

    def __init__(self) -> None:
        self.tables, self.media, self.clock = fakes.FakeTables(), fakes.FakeMedia(), fakes.FakeClock()
        uploads, images = fakes.FakeUploads(self.tables), fakes.FakeImages()
        settling = UploadProcessor(uploads, self.media, images, fakes.FakePurgeQueue(), self.clock, Lifetimes())
        self._ingest = DirectUpload(PendingUploads(uploads, self.clock, Limits(), Lifetimes()), settling, images)

    def ingest(self, content: bytes = b"picture") -> Processed:
        return self._ingest.ingest(ADA, ADA, Slot.AVATAR, content)


@pytest.fixture
def world() -> World:
    return World()


def test_a_picture_becomes_a_ready_upload_that_expires_unless_it_is_bound(world: World) -> None:
    upload = accepted(world.ingest())
    assert upload.state is State.READY
    assert world.tables.uploads == {(ADA, upload.upload_id): upload}
    assert upload.expires_at
    assert upload.expires_at > NOW
    assert len(world.media.objects) == len(upload.derivatives)


@pytest.mark.parametrize("reason", Reason)
def test_a_refused_picture_leaves_a_row_that_says_why_and_no_objects(world: World, reason: Reason) -> None:
    processed = world.ingest(reason.encode())
    with pytest.raises(ImageUnacceptable) as refused:
        accepted(processed)
    assert refused.value.reason is reason
    assert [row.state for row in world.tables.uploads.values()] == [State.REJECTED]
    assert world.media.objects == {}


def test_bytes_that_are_no_picture_leave_nothing_at_all(world: World) -> None:
    with pytest.raises(ImageUnacceptable):
        world.ingest(b"text")
    assert world.tables == fakes.FakeTables()


def test_the_limits_are_those_of_intents(world: World) -> None:
    for _ in range(30):
        world.ingest()
        world.clock.pass_(seconds=1)
    with pytest.raises(LimitExceeded):
        world.ingest()


def test_an_upload_that_was_lost_on_the_way_is_not_bound() -> None:
    with pytest.raises(Unavailable):
        accepted(Processed(Outcome.LOST, a_ready_upload()))
