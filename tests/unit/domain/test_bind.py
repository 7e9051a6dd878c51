"""Binding: which uploads can be bound, races, and the limit of changes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from profile_media.domain import access
from profile_media.domain.access import Access
from profile_media.domain.bind import BindResult, SlotBinder, count_change
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
from profile_media.domain.model import (
    Attachment,
    Caller,
    ChangeCount,
    ExternalPicture,
    Identity,
    Profile,
    Reason,
    Slot,
    State,
    Upload,
)
from profile_media.domain.references import Reference
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload
from tests.fakes import FakeAttachments, FakeClock, FakeProfiles, FakeTables, a_slot_change, attachment_of


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables()


@pytest.fixture
def attachments(tables: FakeTables) -> FakeAttachments:
    return FakeAttachments(tables)


def given(tables: FakeTables, *uploads: Upload) -> None:
    tables.uploads.update({(upload.owner_id, upload.upload_id): upload for upload in uploads})


def a_binder(attachments: FakeAttachments, clock: FakeClock | None = None) -> SlotBinder:
    return SlotBinder(attachments, FakeProfiles(attachments.tables), clock or FakeClock(), per_minute=5)


def by_admin(**caller: Any) -> Access:
    """Return an administrator's access to Ada's pictures."""
    profiles = FakeProfiles(FakeTables(profiles={ADA: Profile(ADA, created_at=NOW)}))
    return access.grant_for_user(profiles, FakeClock(), Caller(GRACE, is_admin=True, **caller), ADA)


OWN = access.grant_own(Caller(ADA))


def bind(attachments: FakeAttachments, number: int = 1, **changes: Any) -> BindResult:
    reference = replace(Reference(ADA, an_id(number)), **changes)
    return a_binder(attachments).bind(OWN, Slot.AVATAR, reference)


def test_bind_is_idempotent(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    assert bind(attachments) == bind(attachments)
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
def test_bind_refuses_unusable_upload_without_a_write(
    tables: FakeTables, attachments: FakeAttachments, upload: Upload | None, error: type[MediaError]
) -> None:
    given(tables, *([upload] if upload else []))
    before = dict(tables.uploads)
    with pytest.raises(error):
        bind(attachments)
    assert (tables.uploads, tables.profiles) == (before, {})


def test_bind_refuses_reference_of_another_owner_without_a_read() -> None:
    with pytest.raises(UploadNotFound):
        SlotBinder(None, None, FakeClock(), per_minute=5).bind(  # type: ignore[arg-type]
            OWN, Slot.AVATAR, Reference(GRACE, an_id(1))
        )


def test_bind_refuses_reference_to_binding_that_does_not_exist(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    given(tables, a_ready_upload())
    with pytest.raises(ReferenceInvalid):
        bind(attachments, bound_slot=Slot.AVATAR)
    with pytest.raises(SlotMismatch):
        bind(attachments, bound_slot=Slot.COVER_IMAGE)
    bound = bind(attachments)
    assert bind(attachments, bound_slot=Slot.AVATAR) == bound


def test_bind_after_lost_race_replaces_the_winner(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload(), a_ready_upload(upload_id=an_id(2)))
    attachments.races = [a_slot_change(a_ready_upload(upload_id=an_id(2)))]
    bound = bind(attachments)
    assert bound.replaced_upload_id == an_id(2)
    assert set(tables.uploads) == {(ADA, an_id(1))}
    assert tables.profiles[ADA].bound_upload_id(Slot.AVATAR) == an_id(1)


def test_bind_succeeds_when_answer_of_its_write_was_lost(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    attachments.races = [a_slot_change(a_ready_upload())]
    assert bind(attachments).profile.bound_upload_id(Slot.AVATAR) == an_id(1)


def test_bind_names_replaced_upload_when_answer_of_its_write_was_lost(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    given(tables, a_ready_upload(), a_ready_upload(upload_id=an_id(2)))
    bind(attachments, 2)
    attachments.races = [a_slot_change(a_ready_upload(), attachment_of(a_ready_upload(upload_id=an_id(2))))]
    bound = bind(attachments)
    assert (bound.profile.bound_upload_id(Slot.AVATAR), bound.replaced_upload_id) == (an_id(1), an_id(2))


def test_bind_after_two_lost_races_replaces_the_last_winner(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, *(a_ready_upload(upload_id=an_id(number)) for number in (1, 2, 3)))
    second = a_ready_upload(upload_id=an_id(2))
    third = a_ready_upload(upload_id=an_id(3))
    attachments.races = [a_slot_change(second), a_slot_change(third, attachment_of(second))]
    assert bind(attachments).replaced_upload_id == an_id(3)


def test_bind_gives_up_after_losing_every_attempt(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, *(a_ready_upload(upload_id=an_id(number)) for number in range(1, 7)))
    held = [None, *(attachment_of(a_ready_upload(upload_id=an_id(number))) for number in range(2, 6))]
    attachments.races = [
        a_slot_change(a_ready_upload(upload_id=an_id(number)), held[number - 2]) for number in range(2, 6)
    ]
    with pytest.raises(AttachmentChanged):
        bind(attachments)
    assert tables.profiles[ADA].bound_upload_id(Slot.AVATAR) == an_id(5)
    assert tables.uploads[ADA, an_id(1)].state is State.READY


def test_change_slot_refuses_upload_that_has_expired(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload(expires_at=NOW + timedelta(seconds=1)))
    late = a_slot_change(a_ready_upload(), now=NOW + timedelta(seconds=1))
    assert not attachments.change_slot(late)


def test_unbind_deletes_the_row_and_is_idempotent(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    bind(attachments)
    assert a_binder(attachments).unbind(OWN, Slot.AVATAR).replaced_upload_id == an_id(1)
    assert tables.uploads == {}
    again = a_binder(attachments).unbind(OWN, Slot.AVATAR)
    assert again.replaced_upload_id is None
    assert not again.profile.has_picture(Slot.AVATAR)


def test_bind_external_replaces_upload_and_is_replaced_by_one(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload(), a_ready_upload(upload_id=an_id(2)))
    bind(attachments)
    url = "https://example.com/ada.png"
    bound = a_binder(attachments).bind_external(OWN, Slot.AVATAR, url)
    assert bound.replaced_upload_id == an_id(1)
    assert bound.profile.attachments == {Slot.AVATAR: ExternalPicture(url)}
    assert a_binder(attachments).bind_external(OWN, Slot.AVATAR, url).replaced_upload_id is None
    assert bind(attachments, 2).profile.bound_upload_id(Slot.AVATAR) == an_id(2)


def test_bind_refuses_derivative_that_the_upload_does_not_show(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    upload = a_ready_upload()
    given(tables, upload)
    wrong = [f"media/{an_id(1)}/full-{'0' * 32}.webp", media_key(an_id(1), upload.derivatives[-1])]
    for bound in (False, True):
        for key in wrong:
            with pytest.raises(ReferenceInvalid):
                bind(attachments, media_key=key)
        assert bound or bind(attachments, media_key=media_key(an_id(1), upload.derivatives[0]))
    assert isinstance(tables.profiles[ADA].attachments[Slot.AVATAR], Attachment)


def test_limit_counts_only_changes_and_tells_when_to_retry(tables: FakeTables, attachments: FakeAttachments) -> None:
    clock = FakeClock(NOW + timedelta(seconds=20))
    for number in range(5):
        for _ in range(3):
            a_binder(attachments, clock).bind_external(OWN, Slot.AVATAR, f"https://example.com/{number}.png")
    with pytest.raises(LimitExceeded) as refused:
        a_binder(attachments, clock).unbind(OWN, Slot.AVATAR)
    assert refused.value.retry_after == 40
    clock.pass_(seconds=40)
    a_binder(attachments, clock).unbind(OWN, Slot.AVATAR)
    assert tables.profiles[ADA].attachments == {}


def test_own_change_saves_what_is_new_in_the_token(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    FakeProfiles(tables).save_identity(ADA, None, Identity(first_name="Ada", phone_number="+44"), NOW)
    said = Identity(first_name="Augusta", email="ada@example.com", email_verified=True)

    own = access.grant_own(Caller(ADA, identity=said))
    bound = a_binder(attachments).bind(own, Slot.AVATAR, Reference(ADA, an_id(1)))
    assert bound.profile.identity == replace(said, phone_number="+44")
    assert tables.profiles[ADA] == bound.profile

    a_binder(attachments).unbind(by_admin(identity=Identity(first_name="Grace")), Slot.AVATAR)
    assert tables.profiles[ADA].identity.first_name == "Augusta"


def test_result_names_the_actor_for_the_audit_record(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    bound, cleared = bind(attachments), a_binder(attachments).unbind(by_admin(), Slot.AVATAR)
    assert (bound.slot, bound.actor_id, bound.upload_id) == (Slot.AVATAR, ADA, an_id(1))
    assert (cleared.slot, cleared.actor_id, cleared.upload_id) == (Slot.AVATAR, GRACE, None)


def test_changes_by_anybody_count_for_the_owner_of_the_pictures(
    tables: FakeTables, attachments: FakeAttachments
) -> None:
    given(tables, a_ready_upload())
    bind(attachments)
    a_binder(attachments).unbind(by_admin(), Slot.AVATAR)
    assert tables.profiles[ADA].changes == ChangeCount(int(NOW.timestamp()) // 60, 2)
    assert GRACE not in tables.profiles


def test_concurrent_change_of_the_other_slot_is_counted_too(tables: FakeTables, attachments: FakeAttachments) -> None:
    given(tables, a_ready_upload())
    cover = a_ready_upload(upload_id=an_id(2), slot=Slot.COVER_IMAGE).attachment
    given(tables, a_ready_upload(upload_id=an_id(2), slot=Slot.COVER_IMAGE))
    minute = int(NOW.timestamp()) // 60
    other = replace(a_slot_change(a_ready_upload()), slot=Slot.COVER_IMAGE, attachment=cover)
    attachments.races = [replace(other, changes=ChangeCount(minute, 1))]
    bind(attachments)
    assert tables.profiles[ADA].changes == ChangeCount(minute, 2)
    assert set(tables.profiles[ADA].attachments) == set(Slot)


@pytest.mark.parametrize(("ahead", "counted"), [(-1, (0, 1)), (0, (0, 4)), (1, (1, 4)), (2, (0, 1)), (60 * 24, (0, 1))])
def test_count_continues_in_same_and_next_minute_only(ahead: int, counted: tuple[int, int]) -> None:
    minute = int(NOW.timestamp()) // 60
    changes = count_change(ChangeCount(minute + ahead, 3), NOW, 5)
    assert (changes.minute - minute, changes.count) == counted


@pytest.mark.parametrize(("ahead", "retry_after"), [(0, 60), (1, 120)])
def test_limit_tells_when_the_counted_minute_ends(ahead: int, retry_after: int) -> None:
    minute = int(NOW.timestamp()) // 60
    with pytest.raises(LimitExceeded) as refused:
        count_change(ChangeCount(minute + ahead, 5), NOW, 5)
    assert (refused.value.limit, refused.value.retry_after) == ("changes_per_minute", retry_after)


def test_another_tenants_user_is_not_changed(tables: FakeTables, attachments: FakeAttachments) -> None:
    FakeProfiles(tables).save_identity(ADA, "acme", Identity(), NOW)
    before = dict(tables.profiles)
    with pytest.raises(UserNotFound):
        a_binder(attachments).unbind(access.grant_own(Caller(ADA, tenant="evil")), Slot.AVATAR)
    assert tables.profiles == before
