"""The RedriveQueue, Listings, Scans and Checkpoints ports, and what only reconciling asks of the others."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.domain.keys import incoming_key, media_end, media_key
from profile_media.domain.model import ExternalPicture, Profile, Slot, State, Upload
from profile_media.domain.ports import Checkpoint, PurgeRequest, SlotChangeResult, UploadIdRange
from tests.builders import ADA, GRACE, NOW, a_derivative, a_ready_upload, an_id, an_upload, derivatives_for
from tests.contract.conftest import Ports
from tests.fakes import a_swap, attachment_of

LATER = NOW + timedelta(days=30)


def bound(ports: Ports, number: int = 1, owner_id: str = ADA) -> Upload:
    pending = an_upload(upload_id=an_id(number), owner_id=owner_id)
    ports.uploads.create(pending, None, open_limit=9, recent_limit=9)
    ready = a_ready_upload(upload_id=an_id(number), owner_id=owner_id)
    assert ports.uploads.settle(ready, NOW)
    assert ports.attachments.change_slot(a_swap(ready)) is SlotChangeResult.DONE
    return replace(ready, state=State.BOUND, expires_at=None)


def scanned(ports: Ports, ids: UploadIdRange) -> set[str]:
    found: set[str] = set()
    page = ports.scans.uploads(None, ids)
    while True:
        found.update(upload.upload_id for upload in page.items)
        if page.next is None:
            return found
        page = ports.scans.uploads(page.next, ids)


def test_what_is_redriven_arrives_as_events_of_the_same_keys(ports: Ports) -> None:
    keys = [*(incoming_key(ADA, an_id(number)) for number in range(12)), "incoming/one +%41/\u00e9"]
    assert ports.redrive_queue.redrive(keys) == []
    assert sorted(ports.redriven()) == sorted(keys)


def test_originals_are_listed_in_order_and_from_a_key_on(ports: Ports) -> None:
    keys = sorted(incoming_key(owner, an_id(number)) for owner in (ADA, GRACE) for number in (1, 2))
    for number in (1, 2):
        ports.receive(ADA, an_id(number), b"picture")
        ports.receive(GRACE, an_id(number), b"picture")
    page = ports.listings.incoming(None)
    assert [stored.key for stored in page.items] == keys
    assert page.next is None
    assert [stored.key for stored in ports.listings.incoming(keys[1]).items] == keys[2:]
    assert ports.listings.incoming(keys[-1]).items == []


def test_derivatives_are_listed_by_upload_and_from_an_uploads_end_on(ports: Ports) -> None:
    contents = [(a_derivative(), b"webp"), (a_derivative(name="thumb"), b"webp")]
    for number in (1, 2):
        ports.media.store(an_id(number), contents)
    of_one = frozenset(media_key(an_id(1), derivative) for derivative, _ in contents)
    of_other = frozenset(media_key(an_id(2), derivative) for derivative, _ in contents)
    assert ports.listings.derivatives(an_id(1)) == of_one
    assert ports.listings.derivatives(an_id(3)) == frozenset()
    assert {stored.key for stored in ports.listings.media(None).items} == of_one | of_other
    assert {stored.key for stored in ports.listings.media(media_end(an_id(1))).items} == of_other


def test_a_derivative_is_fetched_whole(ports: Ports) -> None:
    ports.media.store(an_id(1), [(a_derivative(), b"webp")])
    assert ports.media.fetch(an_id(1), a_derivative()) == b"webp"
    assert ports.media.fetch(an_id(1), a_derivative(name="thumb")) is None


def test_scans_give_uploads_within_a_stretch_of_ids_and_nothing_else_of_the_table(ports: Ports) -> None:
    for number in (1, 2, 3):
        upload = an_upload(upload_id=an_id(number))
        ports.uploads.create(upload, None, open_limit=9, recent_limit=9)
    ports.checkpoints.save(Checkpoint("pictures", NOW, "objects"), LATER)
    assert scanned(ports, UploadIdRange()) == {an_id(1), an_id(2), an_id(3)}
    assert scanned(ports, UploadIdRange(an_id(1), an_id(2))) == {an_id(2)}
    assert scanned(ports, UploadIdRange(None, an_id(2))) == {an_id(1), an_id(2)}
    assert scanned(ports, UploadIdRange(an_id(2))) == {an_id(3)}


def test_scans_give_rows_as_reads_do(ports: Ports) -> None:
    upload = bound(ports)
    assert ports.scans.uploads(None).items == [upload]
    assert ports.scans.profiles(None).items == [ports.profiles.get(ADA)]


def test_a_checkpoint_is_kept_as_it_is(ports: Ports) -> None:
    assert ports.checkpoints.load("pictures") is None
    bare = Checkpoint("events", NOW, None)
    full = Checkpoint("pictures", NOW, "rows", '{"a": 1}', (an_id(1), an_id(2)), NOW, {"key_unknown": 2})
    for checkpoint in (bare, full):
        assert ports.checkpoints.save(checkpoint, LATER)
        assert ports.checkpoints.load(checkpoint.name) == checkpoint


def test_a_checkpoint_takes_the_place_of_its_predecessor_only(ports: Ports) -> None:
    first = Checkpoint("pictures", NOW, "objects", version=7)
    assert ports.checkpoints.save(first, LATER)  # whatever was there has expired
    second = replace(first, position=an_id(1), version=8)
    assert ports.checkpoints.save(second, LATER)
    assert not ports.checkpoints.save(replace(second, position=an_id(2)), LATER)
    assert not ports.checkpoints.save(replace(second, version=1), LATER)
    assert not ports.checkpoints.save(replace(second, version=10), LATER)
    assert ports.checkpoints.load("pictures") == second


def test_a_bound_upload_gets_other_derivatives_in_its_row_and_in_its_slot(ports: Ports) -> None:
    upload = bound(ports)
    others = derivatives_for(Slot.COVER_IMAGE)
    assert ports.attachments.rename(upload, others)
    renamed = replace(upload, derivatives=others)
    profile, row = ports.attachments.read(ADA, upload.upload_id)
    assert row == renamed
    assert profile.attachments[Slot.AVATAR] == attachment_of(renamed)


def test_derivatives_that_are_not_what_was_read_are_not_renamed(ports: Ports) -> None:
    upload = bound(ports)
    others = derivatives_for(Slot.COVER_IMAGE)
    before = ports.attachments.read(ADA, upload.upload_id)
    assert not ports.attachments.rename(replace(upload, derivatives=upload.derivatives[:2]), others)
    assert not ports.attachments.rename(replace(upload, upload_id=an_id(9)), others)
    assert not ports.attachments.rename(replace(upload, owner_id=GRACE), others)
    assert ports.attachments.read(ADA, upload.upload_id) == before


def test_an_upload_whose_slot_was_changed_meanwhile_is_not_renamed(ports: Ports) -> None:
    upload = bound(ports)
    held = ports.profiles.get(ADA)
    elsewhere = replace(a_swap(upload), profile=held, attachment=ExternalPicture("https://example.com/a.png"))
    assert ports.attachments.change_slot(elsewhere) is SlotChangeResult.DONE
    assert not ports.attachments.rename(upload, derivatives_for(Slot.COVER_IMAGE))
    assert ports.uploads.get(ADA, upload.upload_id) is None


def test_a_change_that_is_the_services_own_is_not_counted(ports: Ports) -> None:
    upload = bound(ports)
    swap = replace(a_swap(upload), profile=ports.profiles.get(ADA), attachment=None, limit=None)
    assert ports.attachments.change_slot(swap) is SlotChangeResult.DONE
    assert ports.attachments.change_slot(swap) is SlotChangeResult.CHANGED
    assert ports.attachments.read(ADA, upload.upload_id)[1] is None
    assert not ports.profiles.get(ADA).has_picture(Slot.AVATAR)
    last = replace(a_swap(upload), profile=Profile(ADA), attachment=None)
    limited = replace(last, limit=replace(last.limit, per_minute=2))  # type: ignore[type-var]
    assert ports.attachments.change_slot(limited) is SlotChangeResult.DONE


@pytest.mark.parametrize("owner_id", [ADA, None])
def test_an_upload_of_nobody_known_can_be_queued(ports: Ports, owner_id: str | None) -> None:
    assert ports.purge_queue.enqueue([PurgeRequest(owner_id, an_id(1))]) == []
    assert ports.queued() == [{"owner_id": owner_id, "upload_id": an_id(1)}]
