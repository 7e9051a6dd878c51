"""The Attachments and Profiles ports."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from profile_media.domain.framing import Crop, Focus
from profile_media.domain.model import (
    ChangeCount,
    ExternalPicture,
    Identity,
    Placeholder,
    Profile,
    Slot,
    State,
    Upload,
)
from profile_media.domain.ports import Revision, SlotChange
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload, derivatives_for
from tests.contract.conftest import Ports
from tests.fakes import a_slot_change, attachment_of

ELSEWHERE = ExternalPicture("https://example.com/ada.png")
SECOND = timedelta(seconds=1)


def ready(ports: Ports, **changes: object) -> Upload:
    upload = a_ready_upload(**changes)
    pending = an_upload(
        owner_id=upload.owner_id, upload_id=upload.upload_id, slot=upload.slot, content_type=upload.content_type
    )
    ports.uploads.create(pending, None, open_limit=9, recent_limit=9)
    assert ports.uploads.save_result(upload, NOW)
    return upload


def change(
    ports: Ports, upload: Upload, expected: Upload | ExternalPicture | None = None, **changes: object
) -> SlotChange:
    """Return the change that binds the upload to a slot with this content, decided on the present count."""
    content = attachment_of(expected) if isinstance(expected, Upload) else expected
    made = a_slot_change(upload, content)
    present = ports.profiles.get(upload.owner_id).changes
    return replace(replace(made, profile=replace(made.profile, changes=present)), **changes)  # type: ignore[arg-type]


def bind(ports: Ports, upload: Upload, expected: Upload | ExternalPicture | None = None) -> None:
    assert ports.attachments.change_slot(change(ports, upload, expected))


def test_unknown_user_has_empty_profile(ports: Ports) -> None:
    assert ports.profiles.get(ADA) == Profile(ADA)
    assert ports.attachments.read(ADA, an_id(1)) == (Profile(ADA), None)


def test_first_bind_fills_slot_and_marks_upload_bound(ports: Ports) -> None:
    upload = ready(ports)
    first = change(ports, upload)
    assert ports.attachments.change_slot(first)
    profile = ports.profiles.get(ADA)
    assert profile == first.changed
    assert profile.attachments == {Slot.AVATAR: attachment_of(upload)}
    assert profile.created_at == NOW
    bound = replace(upload, state=State.BOUND, expires_at=None)
    assert ports.attachments.read(ADA, upload.upload_id) == (profile, bound)


def test_replacing_bind_deletes_old_row_and_keeps_other_slot(ports: Ports) -> None:
    first, cover = ready(ports), ready(ports, upload_id=an_id(2), slot=Slot.COVER_IMAGE)
    second = ready(ports, upload_id=an_id(3))
    bind(ports, first)
    bind(ports, cover)
    assert ports.attachments.change_slot(change(ports, second, first, now=NOW + SECOND))
    profile = ports.profiles.get(ADA)
    assert profile.bound_upload_id(Slot.AVATAR) == second.upload_id
    assert profile.attachments[Slot.COVER_IMAGE] == attachment_of(cover)
    assert profile.updated_at == NOW + SECOND
    assert ports.uploads.get(ADA, first.upload_id) is None
    assert ports.uploads.get(ADA, cover.upload_id)


@pytest.mark.parametrize("expected", [None, a_ready_upload(upload_id=an_id(9)), ELSEWHERE])
def test_change_slot_fails_if_slot_has_other_content(ports: Ports, expected: Upload | ExternalPicture | None) -> None:
    first, second = ready(ports), ready(ports, upload_id=an_id(2))
    bind(ports, first)
    before = ports.attachments.read(ADA, second.upload_id)
    assert not ports.attachments.change_slot(change(ports, second, expected))
    assert ports.attachments.read(ADA, second.upload_id) == before
    assert ports.uploads.get(ADA, first.upload_id)


def test_change_slot_fails_if_slot_is_empty_but_expected_bound(ports: Ports) -> None:
    upload = ready(ports)
    assert not ports.attachments.change_slot(change(ports, upload, a_ready_upload(upload_id=an_id(9))))
    assert ports.profiles.get(ADA) == Profile(ADA)


def test_change_slot_binds_only_unexpired_ready_upload_of_slot_and_owner(ports: Ports) -> None:
    upload = ready(ports)
    pending = an_upload(upload_id=an_id(2))
    ports.uploads.create(pending, None, open_limit=9, recent_limit=9)
    refused = {
        "pending": change(ports, pending),
        "another slot": change(ports, upload, slot=Slot.COVER_IMAGE),
        "another owner": change(ports, upload, profile=Profile(GRACE)),
        "expired": change(ports, upload, now=upload.expires_at),
        "unknown": change(ports, a_ready_upload(upload_id=an_id(8))),
    }
    results = {reason: ports.attachments.change_slot(each) for reason, each in refused.items()}
    assert results == dict.fromkeys(refused, False)
    assert ports.profiles.get(ADA) == Profile(ADA)
    assert ports.profiles.get(GRACE) == Profile(GRACE)
    assert ports.uploads.get(GRACE, upload.upload_id) is None
    assert ports.uploads.get(ADA, an_id(8)) is None


def test_change_slot_fails_if_repeated(ports: Ports) -> None:
    upload = ready(ports)
    first = change(ports, upload)
    assert ports.attachments.change_slot(first)
    before = ports.attachments.read(ADA, upload.upload_id)
    assert not ports.attachments.change_slot(first)
    assert ports.attachments.read(ADA, upload.upload_id) == before


def test_slot_changes_between_external_picture_and_upload(ports: Ports) -> None:
    upload, other = ready(ports), ExternalPicture("https://example.com/other.png")
    assert ports.attachments.change_slot(change(ports, upload, attachment=ELSEWHERE))
    assert ports.profiles.get(ADA).attachments == {Slot.AVATAR: ELSEWHERE}
    assert not ports.attachments.change_slot(change(ports, upload))
    assert not ports.attachments.change_slot(change(ports, upload, other))
    bind(ports, upload, ELSEWHERE)
    assert ports.profiles.get(ADA).bound_upload_id(Slot.AVATAR) == upload.upload_id


def test_clearing_slot_deletes_row_of_its_upload(ports: Ports) -> None:
    upload = ready(ports)
    assert not ports.attachments.change_slot(change(ports, upload, upload, attachment=None))
    bind(ports, upload)
    assert ports.attachments.change_slot(change(ports, upload, upload, attachment=None))
    profile = ports.profiles.get(ADA)
    assert profile.attachments == {}
    assert profile.created_at == NOW
    assert ports.uploads.get(ADA, upload.upload_id) is None
    assert not ports.attachments.change_slot(change(ports, upload, upload, attachment=None))


@pytest.mark.parametrize(
    "stale", [None, ChangeCount(7, 1), ChangeCount(8, 2)], ids=["no count", "another count", "another minute"]
)
def test_change_slot_fails_if_count_of_changes_is_stale(ports: Ports, stale: ChangeCount | None) -> None:
    upload, counted = ready(ports), ChangeCount(7, 2)
    assert ports.attachments.change_slot(change(ports, upload, attachment=ELSEWHERE, changes=counted))
    again = change(ports, upload, ELSEWHERE, changes=ChangeCount(7, 3))
    assert not ports.attachments.change_slot(replace(again, profile=replace(again.profile, changes=stale)))
    assert ports.profiles.get(ADA).changes == counted
    assert ports.attachments.change_slot(again)
    assert ports.profiles.get(ADA).changes == ChangeCount(7, 3)


def test_change_slot_without_count_ignores_and_keeps_it(ports: Ports) -> None:
    upload = ready(ports)
    bind(ports, upload)
    counted = ports.profiles.get(ADA).changes
    uncounted = replace(a_slot_change(upload, attachment_of(upload)), attachment=None, changes=None)
    assert ports.attachments.change_slot(uncounted)
    assert not ports.attachments.change_slot(uncounted)
    assert ports.attachments.read(ADA, upload.upload_id)[1] is None
    assert ports.profiles.get(ADA).changes == counted


def test_save_identity_replaces_identity_and_keeps_slots(ports: Ports) -> None:
    upload = ready(ports)
    identity = Identity(
        email="ada@example.com",
        email_verified=True,
        first_name="Ada",
        last_name="Lovelace",
        phone_number="+441234567890",
        username="ada",
        picture_url="https://example.com/ada.png",
        role="engineer",
        last_login=NOW,
    )
    assert ports.profiles.save_identity(ADA, None, identity, NOW)
    assert ports.attachments.change_slot(change(ports, upload, now=NOW + SECOND))
    later = replace(identity, last_name=None, email_verified=False)
    assert ports.profiles.save_identity(ADA, None, later, NOW + 2 * SECOND)
    profile = ports.profiles.get(ADA)
    assert profile.identity == later
    assert profile.attachments == {Slot.AVATAR: attachment_of(upload)}
    assert (profile.created_at, profile.updated_at) == (NOW, NOW + SECOND)


def test_save_identity_fails_for_row_of_another_tenant(ports: Ports) -> None:
    ada, other = Identity(first_name="Ada"), Identity(first_name="Eve")
    assert ports.profiles.save_identity(ADA, "acme", ada, NOW)
    assert not ports.profiles.save_identity(ADA, "evil", other, NOW)
    assert not ports.profiles.save_identity(ADA, None, other, NOW)
    assert ports.profiles.save_identity(ADA, "acme", ada, NOW)
    assert ports.profiles.save_identity(GRACE, None, ada, NOW)
    assert not ports.profiles.save_identity(GRACE, "acme", other, NOW)
    assert (ports.profiles.get(ADA).identity, ports.profiles.get(ADA).tenant) == (ada, "acme")
    assert ports.profiles.get(GRACE).identity == ada


def test_change_slot_writes_identity_and_tenant_of_new_user(ports: Ports) -> None:
    upload, ada = ready(ports), Identity(first_name="Ada")
    first = change(ports, upload, identity=ada, tenant="acme")
    assert ports.attachments.change_slot(first)
    profile = ports.profiles.get(ADA)
    assert (profile.identity, profile.tenant) == (ada, "acme")
    assert profile == first.changed
    assert not ports.profiles.save_identity(ADA, "evil", Identity(), NOW)


def test_change_slot_fails_if_user_has_got_a_row_with_a_tenant(ports: Ports) -> None:
    upload = ready(ports)
    assert ports.profiles.save_identity(ADA, "acme", Identity(), NOW)
    assert not ports.attachments.change_slot(change(ports, upload, tenant="evil"))
    assert ports.profiles.get(ADA).tenant == "acme"


def revision(ports: Ports, upload: Upload, **changes: Any) -> Revision:
    """Return a revision of an upload that has another crop, text and derivatives."""
    counted = {"changes": changes.pop("changes", None), "now": changes.pop("now", NOW)}
    shown: dict[str, Any] = {
        "derivatives": derivatives_for(Slot.COVER_IMAGE),
        "framing": Crop(1, 2, 30, 40),
        "alt_text": "Ada at her desk",
        "placeholder": Placeholder("3OcRJYB4d3h/iIeHeEh3eIhw+j3A", "#a0b0c0"),
    }
    return Revision(ports.profiles.get(upload.owner_id), upload, replace(upload, **(shown | changes)), **counted)


def bound(ports: Ports) -> Upload:
    """Return an upload that is bound."""
    upload = ready(ports)
    bind(ports, upload)
    return replace(upload, state=State.BOUND, expires_at=None)


def test_revise_changes_row_of_ready_upload(ports: Ports) -> None:
    upload = ready(ports)
    first = revision(ports, upload)
    assert ports.attachments.revise(first)
    assert ports.uploads.get(ADA, upload.upload_id) == first.revised
    cleared = replace(
        first, upload=first.revised, revised=replace(first.revised, framing=Focus(0.25, 1.0), alt_text=None)
    )
    assert ports.attachments.revise(cleared)
    assert ports.attachments.read(ADA, upload.upload_id) == (Profile(ADA), cleared.revised)


def test_revise_changes_row_slot_and_count_of_bound_upload(ports: Ports) -> None:
    upload, later = bound(ports), NOW + timedelta(minutes=1)
    first = revision(ports, upload, changes=ChangeCount(7, 1), now=later)
    assert ports.attachments.revise(first)
    profile, row = ports.attachments.read(ADA, upload.upload_id)
    assert row == first.revised
    assert profile.attachments[Slot.AVATAR] == first.revised.attachment
    assert (profile.changes, profile.updated_at) == (ChangeCount(7, 1), later)
    uncounted = revision(ports, first.revised, alt_text=None)
    assert ports.attachments.revise(uncounted)
    assert ports.profiles.get(ADA).updated_at == later


def test_revise_fails_if_anything_is_not_as_read(ports: Ports) -> None:
    upload = bound(ports)
    first = revision(ports, upload, changes=ChangeCount(7, 1))
    assert ports.attachments.revise(first)
    before = ports.attachments.read(ADA, upload.upload_id)
    row = first.revised
    for stale in (
        {"derivatives": row.derivatives[:1]},
        {"alt_text": None},
        {"framing": None},
        {"framing": Focus(0.5, 0.5)},
        {"state": State.READY},
        {"upload_id": an_id(9)},
        {"owner_id": GRACE},
    ):
        assert not ports.attachments.revise(revision(ports, replace(row, **stale)))
    again = revision(ports, row, changes=ChangeCount(7, 2), alt_text="again")
    assert not ports.attachments.revise(replace(again, profile=Profile(ADA)))
    assert ports.attachments.read(ADA, upload.upload_id) == before
    assert ports.attachments.revise(again)


def test_revise_fails_if_upload_expired_or_slot_was_changed(ports: Ports) -> None:
    upload = ready(ports)
    assert upload.expires_at
    assert not ports.attachments.revise(revision(ports, upload, now=upload.expires_at))
    bind(ports, upload)
    assert ports.attachments.change_slot(change(ports, upload, upload, attachment=ELSEWHERE))
    assert not ports.attachments.revise(revision(ports, replace(upload, state=State.BOUND, expires_at=None)))
    assert ports.uploads.get(ADA, upload.upload_id) is None


def test_change_slot_fails_if_upload_was_revised(ports: Ports) -> None:
    upload = ready(ports)
    planned = change(ports, upload)
    for changes in ({"derivatives": upload.derivatives}, {"framing": None}, {"alt_text": None, "framing": None}):
        current = ports.uploads.get(ADA, upload.upload_id)
        assert current
        assert ports.attachments.revise(revision(ports, current, **changes))
        assert not ports.attachments.change_slot(planned)
    revised = ports.uploads.get(ADA, upload.upload_id)
    assert revised
    assert ports.attachments.change_slot(change(ports, revised))
    assert ports.profiles.get(ADA).attachments[Slot.AVATAR] == revised.attachment
