"""Changing how a processed upload is shown."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from profile_media.domain import access
from profile_media.domain.errors import (
    AttachmentChanged,
    CropUnavailable,
    ImageUnacceptable,
    LimitExceeded,
    Unavailable,
    UploadNotFound,
    UploadNotReady,
    UploadRejected,
    UserNotFound,
)
from profile_media.domain.framing import Crop, Focus, Framing
from profile_media.domain.keys import media_key
from profile_media.domain.model import MASTER, Attachment, Caller, Profile, Reason, Slot, State, Upload
from profile_media.domain.ports import PurgeRequest, Rendered, Revision
from profile_media.domain.update import UploadChange, UploadUpdater
from tests import fakes
from tests.builders import ADA, NOW, a_bound_upload, a_ready_upload, an_id, an_upload
from tests.fakes import FakeAttachments

CROP = Crop(400, 300, 2000, 2000)


class Racing(FakeAttachments):
    """Attachments that do something just before or after a write."""

    before: Callable[[Revision], object] | None = None
    lose_answer = False

    def revise(self, revision: Revision) -> bool:
        happens, self.before = self.before, None
        if happens:
            happens(revision)
        written = super().revise(revision)
        return written and not self.lose_answer


class World:
    """One upload of Ada's with its objects."""

    def __init__(self, upload: Upload) -> None:
        self.tables, self.media, self.queue = fakes.FakeTables(), fakes.FakeMedia(), fakes.FakePurgeQueue()
        self.tables.uploads[ADA, upload.upload_id] = self.upload = upload
        if upload.state is State.BOUND:
            profile = Profile(ADA, {upload.slot: upload.attachment}, created_at=NOW)
            self.tables.profiles[ADA] = profile
        self.media.store(upload.upload_id, [(each, each.name.encode()) for each in upload.derivatives])
        self.attachments, self.images = Racing(self.tables), Recorded()
        self.updater = UploadUpdater(
            fakes.FakeUploads(self.tables),
            self.attachments,
            self.media,
            lambda: self.images,
            self.queue,
            fakes.FakeClock(),
            per_minute=3,
        )

    def update(self, **change: object) -> Upload:
        wanted = UploadChange(**change)  # type: ignore[arg-type]
        return self.updater.update(access.grant_own(Caller(ADA)), self.upload.upload_id, wanted)

    @property
    def row(self) -> Upload:
        return self.tables.uploads[ADA, self.upload.upload_id]

    def named(self) -> set[str]:
        return keys(self.row)

    def queued(self) -> set[str]:
        return {key for message in self.queue.messages for key in message.media_keys or ()}


class Recorded(fakes.FakeImages):
    """Images that remember what they were asked for. The picture is as large as the master."""

    def __init__(self) -> None:
        self.framings: list[Framing] = []

    def render(self, *arguments: object) -> Rendered:
        content, slot, framing = arguments
        self.framings.append(framing)  # type: ignore[arg-type]
        return super().render(content, slot)  # type: ignore[arg-type]


def keys(upload: Upload) -> set[str]:
    return {media_key(upload.upload_id, each) for each in upload.derivatives}


@pytest.fixture(params=[a_ready_upload(), a_bound_upload()], ids=["ready", "bound"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def test_new_crop_is_made_from_master_and_replaces_derivatives(world: World) -> None:
    updated = world.update(framing=CROP)

    assert world.row == updated
    assert (updated.framing, updated.state, updated.expires_at) == (CROP, world.upload.state, world.upload.expires_at)
    assert world.images.framings == [Crop(204.8, 153.6, 1024, 1024)]  # of 4000 x 3000, in a master of 2048 x 1536
    assert world.named() <= set(world.media.objects)
    assert world.queued() == keys(world.upload) - world.named()
    assert updated.derivatives[-1] == world.upload.derivatives[-1]
    assert updated.derivatives[-1].name == MASTER
    assert updated.placeholder
    if world.upload.state is State.BOUND:
        profile = world.tables.profiles[ADA]
        assert profile.attachments[Slot.AVATAR] == updated.attachment
        assert profile.changes
        assert profile.changes.count == 1


def test_repeated_update_changes_nothing(world: World) -> None:
    first = world.update(framing=CROP, alt_text="Ada")
    again = world.update(framing=CROP, alt_text="Ada")
    assert again == first
    assert len(world.images.framings) == len(world.queue.messages) == 1


def test_default_crop_and_no_text_are_values_and_unchanged_is_not(world: World) -> None:
    world.update(framing=Focus(0.5, 0.1), alt_text="Ada")
    assert world.update(framing=None).alt_text == "Ada"
    assert world.update(alt_text=None).framing is None
    assert (world.row.framing, world.row.alt_text) == (None, None)
    assert world.images.framings == [Focus(0.5, 0.1), None]


def test_text_is_changed_without_rendering_and_without_a_master(world: World) -> None:
    world.tables.uploads[ADA, an_id(1)] = world.upload = replace(
        world.upload, derivatives=world.upload.derivatives[:-1]
    )
    if world.upload.state is State.BOUND:
        world.tables.profiles[ADA] = replace(
            world.tables.profiles[ADA], attachments={Slot.AVATAR: world.upload.attachment}
        )
    assert world.update(alt_text="Ada").derivatives == world.upload.derivatives
    assert world.images.framings == []
    assert world.queue.messages == []
    with pytest.raises(CropUnavailable):
        world.update(framing=CROP)


def test_earlier_crop_gets_new_keys(world: World) -> None:
    made: set[str] = set()
    for framing in (CROP, None, CROP):
        shown = world.update(framing=framing).shown
        new = {media_key(an_id(1), each) for each in shown}
        assert not made & new
        made |= new
    assert not world.named() & world.queued()


@pytest.mark.parametrize("lost", ["the object", "the picture"])
def test_crop_without_a_readable_master_is_unavailable(world: World, lost: str) -> None:
    master = media_key(an_id(1), world.upload.derivatives[-1])
    if lost == "the object":
        del world.media.objects[master]
    else:
        world.media.objects[master] = Reason.CORRUPT.encode()
    with pytest.raises(CropUnavailable):
        world.update(framing=CROP)
    assert world.row == world.upload


@pytest.mark.parametrize("crop", [Crop(3999, 0, 2, 1), Crop(0, 0, 4000, 3001), Crop(5000, 0, 1, 1)])
def test_crop_outside_of_original_is_refused(world: World, crop: Crop) -> None:
    with pytest.raises(ImageUnacceptable) as refused:
        world.update(framing=crop)
    assert refused.value.reason is Reason.CROP_OUTSIDE
    assert world.row == world.upload


@pytest.mark.parametrize(
    ("upload", "error"),
    [
        (an_upload(), UploadNotReady),
        (an_upload(state=State.REJECTED, reason=Reason.CORRUPT), UploadRejected),
        (a_ready_upload(expires_at=NOW), UploadNotFound),
        (a_ready_upload(upload_id=an_id(2)), UploadNotFound),
    ],
)
def test_update_refuses_uploads_without_derivatives(upload: Upload, error: type[Exception]) -> None:
    world = World(upload)
    world.upload = an_upload()
    with pytest.raises(error):
        world.update(alt_text="Ada")


def test_update_refuses_users_of_another_tenant() -> None:
    world = World(a_bound_upload())
    world.tables.profiles[ADA] = replace(world.tables.profiles[ADA], tenant="acme")
    with pytest.raises(UserNotFound):
        world.update(alt_text="Ada")


def test_changes_of_bound_uploads_are_limited(world: World) -> None:
    for number in range(3):
        world.update(alt_text=f"Ada {number}")
    if world.upload.state is State.READY:
        world.update(alt_text="Ada")
        return
    with pytest.raises(LimitExceeded):
        world.update(framing=CROP)
    assert world.images.framings == []


def test_lost_race_is_decided_again_and_leaves_nothing(world: World) -> None:
    other = replace(world.upload, alt_text="of another request")

    def happens(_: Revision) -> None:
        world.tables.uploads[ADA, an_id(1)] = other
        if other.state is State.BOUND:
            profile = world.tables.profiles[ADA]
            world.tables.profiles[ADA] = replace(profile, attachments={Slot.AVATAR: other.attachment})

    world.attachments.before = happens
    updated = world.update(framing=CROP)
    assert (updated.framing, updated.alt_text) == (CROP, "of another request")
    assert world.queued() == set(world.media.objects) - world.named()


def test_lost_answer_is_not_a_lost_race(world: World) -> None:
    world.attachments.lose_answer = True
    updated = world.update(framing=CROP)
    assert world.row == updated
    assert world.named() <= set(world.media.objects) - world.queued()
    assert world.queued() == keys(world.upload) - world.named()


def test_update_of_removed_upload_leaves_nothing(world: World) -> None:
    world.attachments.before = lambda _: world.tables.uploads.clear()
    with pytest.raises(UploadNotFound):
        world.update(framing=CROP)
    assert set(world.media.objects) - keys(world.upload) == world.queued()


def test_update_gives_up_after_repeated_races(world: World) -> None:
    original, numbers = world.attachments.revise, iter(range(99))

    def never(revision: Revision) -> bool:
        world.tables.uploads[ADA, an_id(1)] = replace(world.row, alt_text=str(next(numbers)))
        return original(revision)

    world.attachments.revise = never  # type: ignore[method-assign]
    with pytest.raises(AttachmentChanged):
        world.update(alt_text="Ada")


def test_update_fails_if_queue_refuses_though_it_is_written(world: World) -> None:
    refused = PurgeRequest(ADA, an_id(1), tuple(media_key(an_id(1), each) for each in world.upload.shown))
    world.queue.refuses = {refused}
    with pytest.raises(Unavailable):
        world.update(framing=CROP)
    assert world.update(framing=CROP) == world.row
    assert isinstance(world.row.attachment, Attachment)
