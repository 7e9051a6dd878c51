"""Binding: who may, what may be, and who wins."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.domain.bind import bind
from profile_media.domain.errors import (
    AttachmentChanged,
    MediaError,
    ReferenceInvalid,
    SlotMismatch,
    UploadNotFound,
    UploadNotReady,
    UploadRejected,
)
from profile_media.domain.model import Reason, Slot, State, Upload
from profile_media.domain.ports import Swap
from profile_media.domain.references import Reference
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload
from tests.fakes import FakeAttachments, FakeClock, FakeTables, attachment_of


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables()


@pytest.fixture
def attachments(tables: FakeTables) -> FakeAttachments:
    return FakeAttachments(tables)


def given(tables: FakeTables, *uploads: Upload) -> None:
    tables.uploads.update({(upload.owner_id, upload.upload_id): upload for upload in uploads})


def bind_(attachments: FakeAttachments, number: int = 1, **changes: object) -> object:
    reference = replace(Reference(ADA, an_id(number)), **changes)  # type: ignore[arg-type]
    return bind(attachments, FakeClock(), ADA, Slot.AVATAR, reference)


def test_binding_twice_gives_the_same_profile(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    assert bind_(attachments) == bind_(attachments)
    assert tables.uploads[ADA, an_id(1)].state is State.BOUND


@pytest.mark.parametrize(
    ("upload", "error"),
    [
        (None, UploadNotFound),
        (a_ready_upload(owner_id=GRACE), UploadNotFound),
        (a_ready_upload(expires_at=NOW), UploadNotFound),
        (an_upload(), UploadNotReady),
        (an_upload(state=State.REJECTED, reason=Reason.CORRUPT), UploadRejected),
        (a_ready_upload(slot=Slot.COVER_IMAGE), SlotMismatch),
    ],
)
def test_what_will_not_do_is_refused_and_nothing_is_written(
    tables: FakeTables, attachments: FakeAttachments, upload: Upload | None, error: type[MediaError]
) -> None:
    given(tables, *([upload] if upload else []))
    before = dict(tables.uploads)
    with pytest.raises(error):
        bind_(attachments)
    assert (tables.uploads, tables.profiles) == (before, {})


def test_another_owners_reference_is_not_even_looked_for() -> None:
    with pytest.raises(UploadNotFound):
        bind(None, FakeClock(), ADA, Slot.AVATAR, Reference(GRACE, an_id(1)))  # type: ignore[arg-type]


def test_a_reference_that_claims_a_binding_must_be_right(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    with pytest.raises(ReferenceInvalid):
        bind_(attachments, bound_slot=Slot.AVATAR)
    with pytest.raises(SlotMismatch):
        bind_(attachments, bound_slot=Slot.COVER_IMAGE)
    bound = bind_(attachments)
    assert bind_(attachments, bound_slot=Slot.AVATAR) == bound


def test_a_lost_race_is_run_again_and_lets_go_of_the_winner(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload(), a_ready_upload(upload_id=an_id(2)))
    attachments.races = [Swap(ADA, Slot.AVATAR, attachment_of(a_ready_upload(upload_id=an_id(2))), None, NOW)]
    bound = bind_(attachments)
    assert bound.superseded == an_id(2)  # type: ignore[attr-defined]
    assert set(tables.uploads) == {(ADA, an_id(1))}
    assert tables.profiles[ADA].bound_to(Slot.AVATAR) == an_id(1)


def test_a_lost_answer_reads_back_as_success(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    attachments.races = [Swap(ADA, Slot.AVATAR, attachment_of(a_ready_upload()), None, NOW)]
    assert bind_(attachments).profile.bound_to(Slot.AVATAR) == an_id(1)  # type: ignore[attr-defined]


def test_who_loses_again_and_again_is_told(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, *(a_ready_upload(upload_id=an_id(number)) for number in range(1, 7)))
    bound: list[str | None] = [None, *(an_id(number) for number in range(2, 6))]
    attachments.races = [
        Swap(ADA, Slot.AVATAR, attachment_of(a_ready_upload(upload_id=an_id(number))), bound[number - 2], NOW)
        for number in range(2, 6)
    ]
    with pytest.raises(AttachmentChanged):
        bind_(attachments)
    assert tables.profiles[ADA].bound_to(Slot.AVATAR) == an_id(5)
    assert tables.uploads[ADA, an_id(1)].state is State.READY


def test_an_upload_that_expires_between_read_and_swap_is_not_bound(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    given(tables, a_ready_upload(expires_at=NOW + timedelta(seconds=1)))
    late = Swap(ADA, Slot.AVATAR, attachment_of(a_ready_upload()), None, NOW + timedelta(seconds=1))
    assert not attachments.swap(late)
