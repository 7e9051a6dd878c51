"""Direct uploads: pictures that are sent through the API."""

import pytest

from profile_media.domain import access
from profile_media.domain.errors import ImageUnacceptable, Limit, LimitExceeded, Unavailable
from profile_media.domain.ingest import DirectUpload, require_ready
from profile_media.domain.intend import PendingUploads
from profile_media.domain.model import Caller, Reason, Slot, State
from profile_media.domain.policy import Lifetimes, Limits
from profile_media.domain.process import Outcome, Processed, UploadProcessor
from tests import fakes
from tests.builders import ADA, NOW, a_ready_upload


class World:
    """A direct upload and its ports."""

    def __init__(self) -> None:
        self.tables, self.media, self.clock = fakes.FakeTables(), fakes.FakeMedia(), fakes.FakeClock()
        uploads, images = fakes.FakeUploads(self.tables), fakes.FakeImages()
        processor = UploadProcessor(uploads, self.media, images, fakes.FakePurgeQueue(), self.clock, Lifetimes())
        self._direct = DirectUpload(PendingUploads(uploads, self.clock, Limits(), Lifetimes()), processor, images)

    def ingest(self, content: bytes = b"picture") -> Processed:
        return self._direct.ingest(access.grant_own(Caller(ADA)), Slot.AVATAR, content)


@pytest.fixture
def world() -> World:
    return World()


def test_ingest_makes_ready_upload_that_expires(world: World) -> None:
    upload = require_ready(world.ingest())
    assert upload.state is State.READY
    assert world.tables.uploads == {(ADA, upload.upload_id): upload}
    assert upload.expires_at
    assert upload.expires_at > NOW
    assert len(world.media.objects) == len(upload.derivatives)


@pytest.mark.parametrize("reason", Reason)
def test_ingest_of_refused_picture_leaves_rejected_row_and_no_objects(world: World, reason: Reason) -> None:
    processed = world.ingest(reason.encode())
    with pytest.raises(ImageUnacceptable) as refused:
        require_ready(processed)
    assert refused.value.reason is reason
    assert [row.state for row in world.tables.uploads.values()] == [State.REJECTED]
    assert world.media.objects == {}


def test_ingest_of_unknown_format_writes_nothing(world: World) -> None:
    with pytest.raises(ImageUnacceptable):
        world.ingest(b"text")
    assert world.tables == fakes.FakeTables()


def test_ingest_counts_against_limits_of_intents(world: World) -> None:
    for _ in range(Limits().intents_per_hour):
        world.ingest()
        world.clock.pass_(seconds=1)
    with pytest.raises(LimitExceeded) as refused:
        world.ingest()
    assert refused.value.limit is Limit.INTENTS_PER_HOUR


def test_require_ready_refuses_upload_that_expired_meanwhile() -> None:
    with pytest.raises(Unavailable):
        require_ready(Processed(Outcome.LOST, a_ready_upload()))
