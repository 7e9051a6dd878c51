"""Binding: who may, what may be, and who wins."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.domain.bind import BindResult, SlotBinder
from profile_media.domain.errors import (
    AttachmentChanged,
    LimitExceeded,
    MediaError,
    ReferenceInvalid,
    SlotMismatch,
    UploadNotFound,
    UploadNotReady,
    UploadRejected,
    UserNotFound,
)
from profile_media.domain.keys import media_key
from profile_media.domain.model import Attachment, Caller, ExternalPicture, Identity, Reason, Slot, State, Upload
from profile_media.domain.ports import SlotChangeResult
from profile_media.domain.references import Reference
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload
from tests.fakes import FakeAttachments, FakeClock, FakeProfiles, FakeTables, a_swap, attachment_of


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables()


@pytest.fixture
def attachments(tables: FakeTables) -> FakeAttachments:
    return FakeAttachments(tables)


def given(tables: FakeTables, *uploads: Upload) -> None:
    tables.uploads.update({(upload.owner_id, upload.upload_id): upload for upload in uploads})


def binding(attachments: FakeAttachments, clock: FakeClock | None = None) -> SlotBinder:
    return SlotBinder(attachments, FakeProfiles(attachments.tables), clock or FakeClock(), Caller(ADA), per_minute=5)


def bind_(attachments: FakeAttachments, number: int = 1, **changes: object) -> BindResult:
    reference = replace(Reference(ADA, an_id(number)), **changes)  # type: ignore[arg-type]
    return binding(attachments).bind(ADA, Slot.AVATAR, reference)


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
        SlotBinder(None, None, FakeClock(), Caller(ADA), per_minute=5).bind(  # type: ignore[arg-type]
            ADA, Slot.AVATAR, Reference(GRACE, an_id(1))
        )


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
    attachments.races = [a_swap(a_ready_upload(upload_id=an_id(2)))]
    bound = bind_(attachments)
    assert bound.replaced_upload_id == an_id(2)
    assert set(tables.uploads) == {(ADA, an_id(1))}
    assert tables.profiles[ADA].bound_upload_id(Slot.AVATAR) == an_id(1)


def test_a_lost_answer_reads_back_as_success(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    attachments.races = [a_swap(a_ready_upload())]
    assert bind_(attachments).profile.bound_upload_id(Slot.AVATAR) == an_id(1)


def test_a_lost_answer_still_tells_what_was_let_go_of(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload(), a_ready_upload(upload_id=an_id(2)))
    bind_(attachments, 2)
    attachments.races = [a_swap(a_ready_upload(), attachment_of(a_ready_upload(upload_id=an_id(2))))]
    bound = bind_(attachments)
    assert (bound.profile.bound_upload_id(Slot.AVATAR), bound.replaced_upload_id) == (an_id(1), an_id(2))


def test_who_races_twice_lets_go_of_the_last_winner(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, *(a_ready_upload(upload_id=an_id(number)) for number in (1, 2, 3)))
    second = a_ready_upload(upload_id=an_id(2))
    third = a_ready_upload(upload_id=an_id(3))
    attachments.races = [a_swap(second), a_swap(third, attachment_of(second))]
    assert bind_(attachments).replaced_upload_id == an_id(3)


def test_who_loses_again_and_again_is_told(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, *(a_ready_upload(upload_id=an_id(number)) for number in range(1, 7)))
    held = [None, *(attachment_of(a_ready_upload(upload_id=an_id(number))) for number in range(2, 6))]
    attachments.races = [a_swap(a_ready_upload(upload_id=an_id(number)), held[number - 2]) for number in range(2, 6)]
    with pytest.raises(AttachmentChanged):
        bind_(attachments)
    assert tables.profiles[ADA].bound_upload_id(Slot.AVATAR) == an_id(5)
    assert tables.uploads[ADA, an_id(1)].state is State.READY


def test_an_upload_that_expires_between_read_and_swap_is_not_bound(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    given(tables, a_ready_upload(expires_at=NOW + timedelta(seconds=1)))
    late = a_swap(a_ready_upload(), now=NOW + timedelta(seconds=1))
    assert attachments.change_slot(late) is SlotChangeResult.CHANGED


def test_a_slot_is_cleared_once_and_its_upload_let_go(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    bind_(attachments)
    assert binding(attachments).unbind(ADA, Slot.AVATAR).replaced_upload_id == an_id(1)
    assert tables.uploads == {}
    again = binding(attachments).unbind(ADA, Slot.AVATAR)
    assert again.replaced_upload_id is None
    assert not again.profile.has_picture(Slot.AVATAR)


def test_a_picture_elsewhere_replaces_an_upload_and_is_itself_replaced(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    given(tables, a_ready_upload(), a_ready_upload(upload_id=an_id(2)))
    bind_(attachments)
    url = "https://example.com/ada.png"
    bound = binding(attachments).bind_external(ADA, Slot.AVATAR, url)
    assert bound.replaced_upload_id == an_id(1)
    assert bound.profile.attachments == {Slot.AVATAR: ExternalPicture(url)}
    assert binding(attachments).bind_external(ADA, Slot.AVATAR, url).replaced_upload_id is None
    assert bind_(attachments, 2).profile.bound_upload_id(Slot.AVATAR) == an_id(2)


def test_a_derivative_that_the_upload_does_not_have_is_no_reference(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    upload = a_ready_upload()
    given(tables, upload)
    wrong = [f"media/{an_id(1)}/full-{'0' * 32}.webp", media_key(an_id(1), upload.derivatives[-1])]
    for bound in (False, True):
        for key in wrong:
            with pytest.raises(ReferenceInvalid):
                bind_(attachments, media_key=key)
        assert bound or bind_(attachments, media_key=media_key(an_id(1), upload.derivatives[0]))
    assert isinstance(tables.profiles[ADA].attachments[Slot.AVATAR], Attachment)


def test_only_changes_count_against_the_limit_and_it_says_when_to_come_back(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    clock = FakeClock(NOW + timedelta(seconds=20))
    for number in range(5):
        for _ in range(3):
            binding(attachments, clock).bind_external(ADA, Slot.AVATAR, f"https://example.com/{number}.png")
    with pytest.raises(LimitExceeded) as refused:
        binding(attachments, clock).unbind(ADA, Slot.AVATAR)
    assert refused.value.retry_after == 40
    clock.pass_(seconds=40)
    binding(attachments, clock).unbind(ADA, Slot.AVATAR)
    assert tables.profiles[ADA].attachments == {}


def test_a_callers_own_change_brings_the_row_up_to_date_with_its_token(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    given(tables, a_ready_upload())
    known = FakeProfiles(tables)
    known.identify(ADA, None, Identity(first_name="Ada", phone_number="+44"), NOW)
    said = Identity(first_name="Augusta", email="ada@example.com", email_verified=True)
    own = replace(binding(attachments), caller=Caller(ADA, identity=said))
    bound = own.bind(ADA, Slot.AVATAR, Reference(ADA, an_id(1)))
    assert bound.profile.identity == replace(said, phone_number="+44")
    assert tables.profiles[ADA] == bound.profile
    others = replace(binding(attachments), caller=Caller(GRACE, is_admin=True, identity=Identity(first_name="Grace")))
    others.unbind(ADA, Slot.AVATAR)
    assert tables.profiles[ADA].identity.first_name == "Augusta"


def test_a_change_counts_against_who_makes_it(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    bind_(attachments)
    replace(binding(attachments), caller=Caller(GRACE, is_admin=True)).unbind(ADA, Slot.AVATAR)
    assert {actor: count for (actor, _), count in tables.changes.items()} == {ADA: 1, GRACE: 1}


def test_another_tenants_user_is_not_changed(tables: FakeTables, attachments: FakeAttachments) -> None:
    FakeProfiles(tables).identify(ADA, "acme", Identity(), NOW)
    before = dict(tables.profiles)
    with pytest.raises(UserNotFound):
        replace(binding(attachments), caller=Caller(ADA, tenant="evil")).unbind(ADA, Slot.AVATAR)
    assert tables.profiles == before
