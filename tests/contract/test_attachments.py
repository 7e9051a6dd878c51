"""The Attachments and Profiles ports."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.domain.model import ExternalPicture, Identity, Profile, Slot, State, Upload
from profile_media.domain.ports import SlotChange, SlotChangeResult, WriteLimit
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload
from tests.contract.conftest import Ports
from tests.fakes import a_swap, attachment_of


def ready(ports: Ports, **changes: object) -> Upload:
    upload = a_ready_upload(**changes)
    pending = an_upload(
        owner_id=upload.owner_id, upload_id=upload.upload_id, slot=upload.slot, content_type=upload.content_type
    )
    ports.uploads.create(pending, None, open_limit=9, recent_limit=9)
    assert ports.uploads.settle(upload, NOW)
    return upload


def swap(upload: Upload, held: Upload | ExternalPicture | None = None, **changes: object) -> SlotChange:
    picture = attachment_of(held) if isinstance(held, Upload) else held
    return replace(a_swap(upload, picture), **changes)  # type: ignore[arg-type]


def test_a_stranger_has_an_empty_profile(ports: Ports) -> None:
    assert ports.profiles.get(ADA) == Profile(ADA)
    assert ports.attachments.read(ADA, an_id(1)) == (Profile(ADA), None)


def test_a_first_bind_points_the_slot_and_keeps_the_upload(ports: Ports) -> None:
    upload = ready(ports)
    assert ports.attachments.change_slot(swap(upload)) is SlotChangeResult.DONE
    profile = ports.profiles.get(ADA)
    assert profile == Profile(ADA).with_attachment(Slot.AVATAR, attachment_of(upload), NOW)
    assert profile.created_at == NOW
    assert ports.attachments.read(ADA, upload.upload_id) == (
        profile,
        replace(upload, state=State.BOUND, expires_at=None),
    )


def test_a_replacing_bind_deletes_the_superseded_row_and_leaves_the_other_slot(ports: Ports) -> None:
    first, cover = ready(ports), ready(ports, upload_id=an_id(2), slot=Slot.COVER_IMAGE)
    second = ready(ports, upload_id=an_id(3))
    assert ports.attachments.change_slot(swap(first)) is SlotChangeResult.DONE
    assert ports.attachments.change_slot(swap(cover)) is SlotChangeResult.DONE
    assert ports.attachments.change_slot(swap(second, first, now=NOW + timedelta(seconds=1))) is SlotChangeResult.DONE
    profile = ports.profiles.get(ADA)
    assert profile.bound_upload_id(Slot.AVATAR) == second.upload_id
    assert profile.attachments[Slot.COVER_IMAGE] == attachment_of(cover)
    assert profile.updated_at == NOW + timedelta(seconds=1)
    assert ports.uploads.get(ADA, first.upload_id) is None
    assert ports.uploads.get(ADA, cover.upload_id)


@pytest.mark.parametrize("expected", [None, a_ready_upload(upload_id=an_id(9))], ids=["empty", "another"])
def test_a_slot_that_is_not_as_relied_on_is_left_alone(ports: Ports, expected: Upload | None) -> None:
    first, second = ready(ports), ready(ports, upload_id=an_id(2))
    assert ports.attachments.change_slot(swap(first)) is SlotChangeResult.DONE
    before = ports.attachments.read(ADA, second.upload_id)
    assert ports.attachments.change_slot(swap(second, expected)) is SlotChangeResult.CHANGED
    assert ports.attachments.read(ADA, second.upload_id) == before
    assert ports.uploads.get(ADA, first.upload_id)


def test_an_empty_slot_is_not_taken_for_a_bound_one(ports: Ports) -> None:
    assert (
        ports.attachments.change_slot(swap(ready(ports), a_ready_upload(upload_id=an_id(9))))
        is SlotChangeResult.CHANGED
    )
    assert ports.profiles.get(ADA) == Profile(ADA)


def test_only_a_ready_upload_of_that_slot_and_owner_that_has_not_expired_is_bound(ports: Ports) -> None:
    upload = ready(ports)
    pending = an_upload(upload_id=an_id(2))
    ports.uploads.create(pending, None, open_limit=9, recent_limit=9)
    refused = {
        "pending": swap(pending),
        "another slot": swap(upload, slot=Slot.COVER_IMAGE),
        "another owner": swap(upload, profile=Profile(GRACE)),
        "expired": swap(upload, now=upload.expires_at),
        "unknown": swap(a_ready_upload(upload_id=an_id(8))),
    }
    assert {why: ports.attachments.change_slot(change) for why, change in refused.items()} == dict.fromkeys(
        refused, SlotChangeResult.CHANGED
    )
    assert ports.profiles.get(ADA) == Profile(ADA)
    assert ports.profiles.get(GRACE) == Profile(GRACE)
    assert ports.uploads.get(GRACE, upload.upload_id) is None
    assert ports.uploads.get(ADA, an_id(8)) is None


def test_the_same_swap_again_changes_nothing(ports: Ports) -> None:
    upload = ready(ports)
    assert ports.attachments.change_slot(swap(upload)) is SlotChangeResult.DONE
    before = ports.attachments.read(ADA, upload.upload_id)
    assert ports.attachments.change_slot(swap(upload)) is SlotChangeResult.CHANGED
    assert ports.attachments.read(ADA, upload.upload_id) == before


def test_a_slot_can_point_elsewhere_and_back(ports: Ports) -> None:
    upload, elsewhere = ready(ports), ExternalPicture("https://example.com/ada.png")
    assert ports.attachments.change_slot(swap(upload, attachment=elsewhere)) is SlotChangeResult.DONE
    assert ports.profiles.get(ADA).attachments == {Slot.AVATAR: elsewhere}
    assert ports.attachments.change_slot(swap(upload)) is SlotChangeResult.CHANGED
    other = ExternalPicture("https://example.com/other.png")
    assert ports.attachments.change_slot(swap(upload, attachment=other)) is SlotChangeResult.CHANGED
    assert ports.attachments.change_slot(swap(upload, elsewhere)) is SlotChangeResult.DONE
    assert ports.profiles.get(ADA).bound_upload_id(Slot.AVATAR) == upload.upload_id


def test_a_slot_can_be_cleared_and_its_upload_goes_with_it(ports: Ports) -> None:
    upload = ready(ports)
    cleared = swap(upload, upload, attachment=None)
    assert ports.attachments.change_slot(cleared) is SlotChangeResult.CHANGED
    assert ports.attachments.change_slot(swap(upload)) is SlotChangeResult.DONE
    assert ports.attachments.change_slot(cleared) is SlotChangeResult.DONE
    profile = ports.profiles.get(ADA)
    assert profile.attachments == {}
    assert profile.created_at == NOW
    assert ports.uploads.get(ADA, upload.upload_id) is None
    assert ports.attachments.change_slot(cleared) is SlotChangeResult.CHANGED


def test_a_caller_may_make_so_many_changes_a_minute_and_no_more(ports: Ports) -> None:
    pictures = [ExternalPicture(f"https://example.com/{number}.png") for number in range(4)]
    limit = WriteLimit("auth0|admin", 2)

    def point(number: int, user_id: str = ADA, seconds: int = 0, actor: str = "auth0|admin") -> SlotChangeResult:
        now = NOW + timedelta(seconds=seconds)
        caller = replace(limit, actor_id=actor)
        change = SlotChange(ports.profiles.get(user_id), Slot.AVATAR, pictures[number], caller, now)
        return ports.attachments.change_slot(change)

    assert [point(0), point(1, GRACE), point(2)] == [
        SlotChangeResult.DONE,
        SlotChangeResult.DONE,
        SlotChangeResult.LIMITED,
    ]
    assert ports.profiles.get(ADA).attachments[Slot.AVATAR] == pictures[0]
    assert point(2, actor=ADA) is SlotChangeResult.DONE
    assert point(3, seconds=59) is SlotChangeResult.LIMITED
    assert point(3, seconds=60) is SlotChangeResult.DONE


def test_who_a_user_is_is_kept_beside_the_slots(ports: Ports) -> None:
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
    assert ports.profiles.identify(ADA, None, identity, NOW)
    assert ports.attachments.change_slot(swap(upload, now=NOW + timedelta(seconds=1))) is SlotChangeResult.DONE
    later = replace(identity, last_name=None, email_verified=False)
    assert ports.profiles.identify(ADA, None, later, NOW + timedelta(seconds=2))
    profile = ports.profiles.get(ADA)
    assert profile.identity == later
    assert profile.attachments == {Slot.AVATAR: attachment_of(upload)}
    assert (profile.created_at, profile.updated_at) == (NOW, NOW + timedelta(seconds=1))


def test_tenants_are_kept_apart(ports: Ports) -> None:
    ada, other = Identity(first_name="Ada"), Identity(first_name="Eve")
    assert ports.profiles.identify(ADA, "acme", ada, NOW)
    assert not ports.profiles.identify(ADA, "evil", other, NOW)
    assert not ports.profiles.identify(ADA, None, other, NOW)
    assert ports.profiles.identify(ADA, "acme", ada, NOW)
    assert ports.profiles.identify(GRACE, None, ada, NOW)
    assert not ports.profiles.identify(GRACE, "acme", other, NOW)
    assert (ports.profiles.get(ADA).identity, ports.profiles.get(ADA).tenant) == (ada, "acme")
    assert ports.profiles.get(GRACE).identity == ada


def test_a_change_brings_along_who_the_user_is(ports: Ports) -> None:
    upload, ada = ready(ports), Identity(first_name="Ada")
    assert ports.attachments.change_slot(swap(upload, identity=ada, tenant="acme")) is SlotChangeResult.DONE
    profile = ports.profiles.get(ADA)
    assert (profile.identity, profile.tenant) == (ada, "acme")
    assert profile == swap(upload, identity=ada, tenant="acme").changed
    assert not ports.profiles.identify(ADA, "evil", Identity(), NOW)


def test_a_user_who_is_known_by_now_is_not_given_a_tenant(ports: Ports) -> None:
    upload = ready(ports)
    assert ports.profiles.identify(ADA, "acme", Identity(), NOW)
    assert ports.attachments.change_slot(swap(upload, tenant="evil")) is SlotChangeResult.CHANGED
    assert ports.profiles.get(ADA).tenant == "acme"
