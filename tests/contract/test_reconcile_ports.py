"""The ports that only reconcile uses: ObjectListings, UploadIndex, TableScans and Checkpoints."""

from dataclasses import replace
from datetime import timedelta

from profile_media.domain.keys import end_position, incoming_key, media_key
from profile_media.domain.model import Slot, State, Upload
from profile_media.domain.ports import MAX_ROWS, Checkpoint, UploadKey
from tests.builders import ADA, GRACE, NOW, a_derivative, a_ready_upload, an_id, an_upload
from tests.contract.conftest import Ports
from tests.fakes import a_slot_change

LATER = NOW + timedelta(days=30)


def create(ports: Ports, upload_id: str, owner_id: str = ADA) -> Upload:
    upload = an_upload(upload_id=upload_id, owner_id=owner_id)
    ports.uploads.create(upload, None, open_limit=999, recent_limit=999)
    return upload


def test_incoming_listing_is_sorted_and_starts_after_a_key(ports: Ports) -> None:
    keys = sorted(incoming_key(owner, an_id(number)) for owner in (ADA, GRACE) for number in (1, 2))
    for number in (1, 2):
        ports.receive(ADA, an_id(number), b"picture")
        ports.receive(GRACE, an_id(number), b"picture")
    page = ports.listings.incoming(None)
    assert [stored.key for stored in page.items] == keys
    assert page.next is None
    assert [stored.key for stored in ports.listings.incoming(keys[1]).items] == keys[2:]
    assert ports.listings.incoming(keys[-1]).items == []


def test_media_listings_are_by_upload_and_start_after_an_upload(ports: Ports) -> None:
    contents = [(a_derivative(name=name), b"webp") for name in ("full", "master", "thumb")]
    for number in (1, 2):
        ports.media.store(an_id(number), contents)
    first, second = (frozenset(media_key(an_id(n), derivative) for derivative, _ in contents) for n in (1, 2))
    assert ports.listings.derivatives(an_id(1)) == first
    assert ports.listings.derivatives(an_id(3)) == frozenset()
    listed = [stored.key for stored in ports.listings.media(None).items]
    assert (frozenset(listed[:3]), frozenset(listed[3:])) == (first, second)
    assert {stored.key for stored in ports.listings.media(end_position(an_id(1))).items} == second


def test_index_returns_keys_of_uploads_in_order_of_ids(ports: Ports) -> None:
    ids = [an_id(number) for number in (1, 0x0FFFFFFF, 0x10000000, 0xFFFFFFFF)]
    for upload_id in reversed(ids):
        create(ports, upload_id, owner_id=ADA if upload_id != ids[1] else GRACE)
    ports.checkpoints.save(Checkpoint("pictures", NOW, "objects"), LATER)
    keys = [UploadKey(GRACE if upload_id == ids[1] else ADA, upload_id) for upload_id in ids]
    assert ports.index.keys_after(None).items == keys
    assert [list(ports.index.keys_after(upload_id).items) for upload_id in ids] == [keys[n:] for n in (1, 2, 3, 4)]
    assert ports.index.keys_after(None).next is None


def test_index_returns_rows_and_leaves_out_missing_ones(ports: Ports) -> None:
    uploads = [create(ports, an_id(number)) for number in range(MAX_ROWS - 1)]
    keys = [UploadKey(ADA, upload.upload_id) for upload in uploads]
    rows = ports.index.get_rows([*keys, UploadKey(GRACE, an_id(1))])
    assert sorted(rows, key=lambda row: row.upload_id) == uploads
    assert list(ports.index.get_rows([])) == []


def test_scans_return_ids_of_upload_rows_only(ports: Ports) -> None:
    for number in (1, 2, 3):
        create(ports, an_id(number))
    ports.checkpoints.save(Checkpoint("pictures", NOW, "objects"), LATER)
    assert sorted(ports.scans.upload_ids(None).items) == [an_id(1), an_id(2), an_id(3)]


def test_scans_return_profiles_as_reads_do(ports: Ports) -> None:
    create(ports, an_id(1))
    ready = a_ready_upload()
    assert ports.uploads.save_result(ready, NOW)
    assert ports.attachments.change_slot(a_slot_change(ready))
    assert ports.scans.profiles(None).items == [ports.profiles.get(ADA)]
    assert ports.index.get_rows([UploadKey(ADA, an_id(1))]) == [replace(ready, state=State.BOUND, expires_at=None)]
    assert ports.profiles.get(ADA).bound_upload_id(Slot.AVATAR) == an_id(1)


def test_checkpoint_is_loaded_as_saved(ports: Ports) -> None:
    assert ports.checkpoints.load("pictures") is None
    bare = Checkpoint("events", NOW, None)
    full = Checkpoint("pictures", NOW, "rows", '{"a": 1}', (an_id(1), an_id(2)), NOW, {"key_unknown": 2})
    for checkpoint in (bare, full):
        assert ports.checkpoints.save(checkpoint, LATER)
        assert ports.checkpoints.load(checkpoint.name) == checkpoint


def test_checkpoint_replaces_only_its_predecessor(ports: Ports) -> None:
    first = Checkpoint("pictures", NOW, "objects", version=7)
    assert ports.checkpoints.save(first, LATER)  # the checkpoint before it has expired
    second = replace(first, position=an_id(1), version=8)
    assert ports.checkpoints.save(second, LATER)
    for version in (8, 1, 10):
        assert not ports.checkpoints.save(replace(second, position=an_id(2), version=version), LATER)
    assert ports.checkpoints.load("pictures") == second
