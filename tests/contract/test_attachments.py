"""The Attachments and Profiles ports."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.domain.model import Profile, Slot, State, Upload
from profile_media.domain.ports import Swap
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload
from tests.contract.conftest import Ports
from tests.fakes import attachment_of


def ready(ports: Ports, **changes: object) -> Upload:
    upload = a_ready_upload(**changes)
    pending = an_upload(
        owner_id=upload.owner_id, upload_id=upload.upload_id, slot=upload.slot, content_type=upload.content_type
    )
    ports.uploads.create(pending, None, open_limit=9, recent_limit=9)
    assert ports.uploads.settle(upload, NOW)
    return upload


def swap(upload: Upload, superseded: str | None = None, **changes: object) -> Swap:
    change = Swap(upload.owner_id, upload.slot, attachment_of(upload), superseded, NOW)
    return replace(change, **changes)  # type: ignore[arg-type]


def test_a_stranger_has_an_empty_profile(ports: Ports) -> None:
    assert ports.profiles.get(ADA) == Profile(ADA)
    assert ports.attachments.read(ADA, an_id(1)) == (Profile(ADA), None)


def test_a_first_bind_points_the_slot_and_keeps_the_upload(ports: Ports) -> None:
    upload = ready(ports)
    assert ports.attachments.swap(swap(upload))
    profile = ports.profiles.get(ADA)
    assert profile == Profile(ADA).with_attachment(Slot.AVATAR, attachment_of(upload), NOW)
    assert ports.attachments.read(ADA, upload.upload_id) == (
        profile,
        replace(upload, state=State.BOUND, expires_at=None),
    )


def test_a_replacing_bind_deletes_the_superseded_row_and_leaves_the_other_slot(ports: Ports) -> None:
    first, cover = ready(ports), ready(ports, upload_id=an_id(2), slot=Slot.COVER_IMAGE)
    second = ready(ports, upload_id=an_id(3))
    assert ports.attachments.swap(swap(first))
    assert ports.attachments.swap(swap(cover))
    assert ports.attachments.swap(swap(second, first.upload_id, now=NOW + timedelta(seconds=1)))
    profile = ports.profiles.get(ADA)
    assert profile.bound_to(Slot.AVATAR) == second.upload_id
    assert profile.attachments[Slot.COVER_IMAGE] == attachment_of(cover)
    assert profile.updated_at == NOW + timedelta(seconds=1)
    assert ports.uploads.get(ADA, first.upload_id) is None
    assert ports.uploads.get(ADA, cover.upload_id)


@pytest.mark.parametrize("relied_on", [None, an_id(9)], ids=["empty", "another"])
def test_a_slot_that_is_not_as_relied_on_is_left_alone(ports: Ports, relied_on: str | None) -> None:
    first, second = ready(ports), ready(ports, upload_id=an_id(2))
    assert ports.attachments.swap(swap(first))
    before = ports.attachments.read(ADA, second.upload_id)
    assert not ports.attachments.swap(swap(second, relied_on))
    assert ports.attachments.read(ADA, second.upload_id) == before
    assert ports.uploads.get(ADA, first.upload_id)


def test_an_empty_slot_is_not_taken_for_a_bound_one(ports: Ports) -> None:
    assert not ports.attachments.swap(swap(ready(ports), superseded=an_id(9)))
    assert ports.profiles.get(ADA) == Profile(ADA)


def test_only_a_ready_upload_of_that_slot_and_owner_that_has_not_expired_is_bound(ports: Ports) -> None:
    upload = ready(ports)
    pending = an_upload(upload_id=an_id(2))
    ports.uploads.create(pending, None, open_limit=9, recent_limit=9)
    refused = {
        "pending": swap(pending),
        "another slot": swap(upload, slot=Slot.COVER_IMAGE),
        "another owner": swap(upload, user_id=GRACE),
        "expired": swap(upload, now=upload.expires_at),
        "unknown": swap(a_ready_upload(upload_id=an_id(8))),
    }
    assert {why: ports.attachments.swap(change) for why, change in refused.items()} == dict.fromkeys(refused, False)
    assert ports.profiles.get(ADA) == Profile(ADA)
    assert ports.profiles.get(GRACE) == Profile(GRACE)
    assert ports.uploads.get(GRACE, upload.upload_id) is None
    assert ports.uploads.get(ADA, an_id(8)) is None


def test_the_same_swap_again_changes_nothing(ports: Ports) -> None:
    upload = ready(ports)
    assert ports.attachments.swap(swap(upload))
    before = ports.attachments.read(ADA, upload.upload_id)
    assert not ports.attachments.swap(swap(upload))
    assert ports.attachments.read(ADA, upload.upload_id) == before
