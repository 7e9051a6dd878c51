"""Reconcile: findings, repairs, and runs that continue from a checkpoint."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from profile_media.domain import keys, merge, orphans, reconcile
from profile_media.domain.errors import ImageUnacceptable, Unavailable
from profile_media.domain.findings import Finding, FindingKind, GracePeriods, RepairAction
from profile_media.domain.formats import ContentType
from profile_media.domain.framing import Framing
from profile_media.domain.keys import MASTERS_PREFIX, MEDIA_PREFIX, incoming_key, media_key, position
from profile_media.domain.merge import Position
from profile_media.domain.model import (
    MASTER,
    Attachment,
    Derivative,
    ExternalPicture,
    Profile,
    Reason,
    Slot,
    State,
    Upload,
)
from profile_media.domain.policy import SIZES
from profile_media.domain.ports import Checkpoint, Page, PurgeRequest, Rendered, UploadKey
from profile_media.domain.reconcile import Reconciler
from profile_media.domain.repair import Repair
from tests import fakes
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload
from tests.fakes import attachment_of


def endless() -> timedelta:
    """Return more time than a pass needs."""
    return timedelta(hours=1)


class Painter(fakes.FakeImages):
    """Makes every size of the slot and a master."""

    def render(self, content: bytes, slot: Slot, framing: Framing = None) -> Rendered:
        rendered = super().render(content, slot)
        made = []
        for name in (*(size.name for size in SIZES[slot]), MASTER):
            data = name.encode() + content
            made.append((Derivative(name, keys.digest(data), ContentType.WEBP, 9, 9, len(data)), data))
        return replace(rendered, derivatives=tuple(made))


@dataclass
class World:
    """A deployment in memory and two reconcilers: one repairs, one only reports."""

    found: list[Finding] = field(default_factory=list)
    finished: list[Checkpoint] = field(default_factory=list)
    decoders: int = 0

    def __post_init__(self) -> None:
        self.tables, self.incoming, self.media = fakes.FakeTables(), fakes.FakeIncoming(), fakes.FakeMedia()
        self.listings, self.scans = fakes.FakeListings(self.incoming, self.media), fakes.FakeScans(self.tables)
        self.index = fakes.FakeUploadIndex(self.tables)
        self.purge_queue, self.redrive_queue = fakes.FakePurgeQueue(), fakes.FakeRedriveQueue()
        self.checkpoints, self.clock = fakes.FakeCheckpoints(), fakes.FakeClock(NOW + timedelta(days=2))
        self.attachments = fakes.FakeAttachments(self.tables)
        uploads, profiles = fakes.FakeUploads(self.tables), fakes.FakeProfiles(self.tables)
        self.repair = Repair(uploads, self.attachments, self.media, self._decoder, self.purge_queue, self.clock)
        self.repairer = Reconciler(
            self.listings,
            self.index,
            self.scans,
            uploads,
            profiles,
            self.attachments,
            self.redrive_queue,
            self.purge_queue,
            self.checkpoints,
            self.clock,
            self.repair,
            self.found.append,
            self.finished.append,
            GracePeriods(),
        )
        self.reporter = replace(self.repairer, repair=None)

    def _decoder(self) -> Painter:
        self.decoders += 1
        return Painter()

    def bound(self, number: int = 1, slot: Slot = Slot.AVATAR, owner_id: str = ADA) -> Upload:
        """Add a bound upload with its slot and all its objects."""
        ready = a_ready_upload(upload_id=an_id(number), slot=slot, owner_id=owner_id)
        upload = replace(ready, state=State.BOUND, expires_at=None)
        self.tables.uploads[owner_id, upload.upload_id] = upload
        profile = self.tables.profiles.get(owner_id, Profile(owner_id))
        self.tables.profiles[owner_id] = profile.with_attachment(slot, attachment_of(upload), NOW)
        self.media.store(upload.upload_id, [(each, each.name.encode()) for each in upload.derivatives])
        return upload

    def orphan(self, number: int) -> str:
        """Add the objects of an upload that has no row. Return its id."""
        self.media.store(an_id(number), [(each, b"left") for each in a_ready_upload().derivatives])
        return an_id(number)

    def original(self, number: int = 1, **changes: object) -> str:
        """Add a pending upload whose original was stored two hours ago. Return its key."""
        upload = an_upload(upload_id=an_id(number), expires_at=self.clock.now() + timedelta(hours=1), **changes)
        self.tables.uploads[ADA, upload.upload_id] = upload
        key = incoming_key(ADA, upload.upload_id)
        self.incoming.objects[key] = b"picture"
        self.listings.times[key] = self.clock.now() - timedelta(hours=2)
        return key

    def lose(self, upload: Upload, *names: str) -> None:
        """Delete some of the upload's objects."""
        self.media.delete([media_key(upload.upload_id, each) for each in upload.derivatives if each.name in names])

    def run(self, who: Reconciler | None = None) -> list[Finding]:
        """Run a pass, including the hour that suspects are given. Return the findings."""
        self.found.clear()
        (who or self.reporter).run(endless)
        self.clock.pass_(hours=1)
        (who or self.reporter).run(endless)
        return list(self.found)

    def kinds(self) -> list[FindingKind]:
        return [each.kind for each in self.run()]


@pytest.fixture
def world() -> World:
    return World()


def test_consistent_deployment_has_no_findings(world: World) -> None:
    for number in range(1, 6):
        world.bound(number, owner_id=f"user{number}")
    world.bound(6, Slot.COVER_IMAGE)
    elsewhere = Profile(GRACE).with_attachment(Slot.AVATAR, ExternalPicture("https://example.com/a.png"), NOW)
    world.tables.profiles[GRACE] = elsewhere
    world.tables.uploads[GRACE, an_id(7)] = an_upload(upload_id=an_id(7), owner_id=GRACE)
    assert world.run(world.repairer) == []
    assert [checkpoint.name for checkpoint in world.finished] == ["events", "pictures", "events"]
    assert (world.purge_queue.messages, world.redrive_queue.keys, world.decoders) == ([], [], 0)


def test_lost_event_is_sent_again(world: World) -> None:
    key = world.original()
    world.reporter.run(endless)
    assert world.found == [Finding(FindingKind.EVENT_LOST, ADA, an_id(1), key, mended=RepairAction.REDRIVEN)]
    assert world.redrive_queue.keys == [key]


@pytest.mark.parametrize(("minutes", "sent"), [(9, []), (10, [FindingKind.EVENT_LOST])])
def test_event_is_lost_after_ten_minutes(world: World, minutes: int, sent: list[FindingKind]) -> None:
    key = world.original()
    world.listings.times[key] = world.clock.now() - timedelta(minutes=minutes)
    world.reporter.run(endless)
    assert [each.kind for each in world.found] == sent


@pytest.mark.parametrize(("minutes", "kinds"), [(59, []), (60, [FindingKind.ORIGINAL_LEFT])])
@pytest.mark.parametrize("state", [State.READY, State.REJECTED, State.BOUND, None])
def test_original_that_was_left_gets_its_event_and_no_purge(
    world: World, state: State | None, minutes: int, kinds: list[FindingKind]
) -> None:
    key = world.original(state=state or State.PENDING)
    if state is None:
        world.tables.uploads.clear()
    world.listings.times[key] = world.clock.now() - timedelta(minutes=minutes)
    world.repairer.run(endless)
    assert [each.kind for each in world.found if each.key] == kinds
    assert world.redrive_queue.keys == [key] * len(kinds)
    assert world.purge_queue.messages == []


def test_original_of_expired_upload_is_reported(world: World) -> None:
    key = world.original()
    world.tables.uploads[ADA, an_id(1)] = an_upload()
    world.reporter.run(endless)
    assert world.found == [
        Finding(FindingKind.ORIGINAL_LEFT, ADA, an_id(1), key, detail="pending", mended=RepairAction.REDRIVEN)
    ]  # fmt: skip


def test_event_that_the_queue_refuses_is_reported_as_not_sent(world: World) -> None:
    world.redrive_queue.refuses = {world.original()}
    world.reporter.run(endless)
    assert [each.mended for each in world.found] == [None]


def test_unknown_keys_are_reported_once_and_not_deleted(world: World) -> None:
    stray = ["media/readme.txt", f"media/{an_id(1)}/a/b", f"media/{an_id(2)}x/a", f"media/{an_id(3)}x/a", "media/z"]
    for number in (1, 2, 3, 4):
        world.bound(number, owner_id=f"user{number}")
    world.incoming.objects["incoming/x"] = b""
    world.media.objects.update(dict.fromkeys(stray, b""))
    world.listings.page = 1
    world.repairer.run(endless)
    assert sorted(each.key or "" for each in world.found) == sorted([*stray, "incoming/x"])
    assert {each.kind for each in world.found} == {FindingKind.KEY_UNKNOWN}
    assert (world.redrive_queue.keys, world.purge_queue.messages) == ([], [])


def test_objects_without_row_are_purged_only_by_the_repairer(world: World) -> None:
    kept, left = world.bound(1), world.orphan(2)
    assert world.run() == [
        Finding(FindingKind.OBJECTS_WITHOUT_ROW, upload_id=left, detail=f"{len(SIZES[Slot.AVATAR]) + 1} objects")
    ]
    assert world.purge_queue.messages == []
    world.clock.pass_(days=1)
    assert [each.mended for each in world.run(world.repairer)] == [RepairAction.QUEUED]
    assert world.purge_queue.messages == [PurgeRequest(None, left)]
    assert kept.upload_id != left


@pytest.mark.parametrize("objects", [1, 3, 7, 1000])
@pytest.mark.parametrize("rows", [1, 2, 1000])
@pytest.mark.parametrize("seconds", [3600, 45])
def test_every_upload_is_checked_once_however_pages_are_cut(
    world: World, objects: int, rows: int, seconds: float
) -> None:
    for number in range(1, 12, 2):
        world.bound(number, owner_id=f"user{number}")
    world.media.objects = {key: b"" for key in world.media.objects if an_id(7) not in key}
    left = [world.orphan(number) for number in range(2, 12, 2)]
    world.media.objects |= dict.fromkeys((f"media/{an_id(5)}/a/b", "media/z", f"masters/{an_id(6)}/a/b"), b"")
    world.listings.page, world.index.page = objects, rows
    for _ in range(20):
        world.repairer.run(hours(*[1] * 3) if seconds == 45 else endless)
        world.clock.pass_(hours=1)
    found = Counter(finding.kind for finding in world.found)
    assert found == {
        FindingKind.OBJECTS_WITHOUT_ROW: len(left),
        FindingKind.ROW_WITHOUT_OBJECTS: 1,
        FindingKind.KEY_UNKNOWN: 3,
    }
    assert sorted(each.upload_id for each in world.purge_queue.messages) == left


def test_suspects_that_the_index_leaves_out_are_never_purged(world: World) -> None:
    kept = [world.bound(number, owner_id=f"user{number}") for number in range(1, 4)]
    world.index.unindexed = {upload.upload_id for upload in kept}
    left, world.scans.page = world.orphan(4), 1
    assert [finding.upload_id for finding in world.run(world.repairer)] == [left]
    assert world.purge_queue.messages == [PurgeRequest(None, left)]


def test_the_table_is_not_scanned_without_suspects(world: World) -> None:
    def fail(*_: object) -> Page[str]:
        raise AssertionError("scanned")

    world.bound()
    world.scans.upload_ids = fail  # type: ignore[assignment, method-assign]
    assert world.run(world.repairer) == []
    assert "pictures" in [checkpoint.name for checkpoint in world.finished]


def test_more_objects_than_one_page_lists_are_listed_to_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "MAX_LISTINGS", 2)
    world.listings.page, world.index.page = 1, 1
    for number in (1, 2):
        world.bound(number, owner_id=f"user{number}")
    left = world.orphan(3)
    assert [finding.upload_id for finding in world.run(world.repairer)] == [left]


def test_objects_without_row_are_a_finding_after_a_day(world: World) -> None:
    left = world.orphan(2)
    world.listings.at = world.clock.now() - timedelta(hours=22)
    assert world.kinds() == []
    world.clock.pass_(days=1)
    assert world.kinds() == [FindingKind.OBJECTS_WITHOUT_ROW]
    newest = max(key for key in world.media.objects if left in key)
    world.listings.times[newest] = world.clock.now()
    world.clock.pass_(hours=23)
    assert world.kinds() == []


def test_objects_that_a_bound_row_does_not_name_are_purged_after_a_day(world: World) -> None:
    upload = world.bound()
    left = f"media/{upload.upload_id}/full-{'0' * 32}.webp"
    world.media.objects[left] = b"an earlier crop"
    world.listings.times[left] = world.clock.now() - timedelta(hours=23)
    assert world.run(world.repairer) == []
    world.clock.pass_(days=2)
    [finding] = world.run(world.repairer)
    assert (finding.kind, finding.detail) == (FindingKind.OBJECTS_REPLACED, "1 objects")
    assert finding.mended is RepairAction.QUEUED
    assert world.purge_queue.messages == [PurgeRequest(ADA, upload.upload_id, (left,))]


@pytest.mark.parametrize("state", State)
def test_objects_with_a_row_are_never_purged(world: World, state: State) -> None:
    named = world.orphan(2)
    world.tables.uploads[ADA, named] = an_upload(upload_id=named, state=state)
    assert FindingKind.OBJECTS_WITHOUT_ROW not in {each.kind for each in world.run(world.repairer)}
    assert world.purge_queue.messages == []


def test_objects_that_are_purged_within_an_hour_are_no_finding(world: World) -> None:
    left = world.orphan(2)
    world.reporter.run(endless)
    world.clock.pass_(minutes=59)
    world.reporter.run(endless)
    world.media.delete_prefix(left)
    world.clock.pass_(minutes=1)
    world.reporter.run(endless)
    assert world.found == []
    assert [checkpoint.name for checkpoint in world.finished if checkpoint.name != "events"] == ["pictures"]


def test_more_suspects_than_a_checkpoint_holds_are_found_in_later_passes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "MAX_SUSPECTS", 3)
    monkeypatch.setattr(orphans, "SUSPECTS_PER_PAGE", 2)
    left = {world.orphan(number) for number in range(1, 6)}
    legacy = {world.bound(number, owner_id=f"user{number}").upload_id for number in range(6, 16)}
    world.index.unindexed, found = legacy, set()
    for _ in range(60):
        found |= {finding.upload_id for finding in world.run(world.repairer)}
        for upload_id in found:
            world.media.delete_prefix(str(upload_id))
        world.clock.pass_(days=1)
    assert found == left


def test_grace_period_of_a_purge_follows_the_delay_of_purges(world: World) -> None:
    grace = GracePeriods.after_purge_delay(timedelta(hours=2))
    assert grace == replace(GracePeriods(), purge=timedelta(hours=3))
    left, reporter = world.orphan(2), replace(world.reporter, grace=grace)
    for hours_later, expected in ((0, []), (2, []), (3, [left])):
        world.clock.present = NOW + timedelta(days=2, hours=hours_later)
        reporter.run(endless)
        assert [finding.upload_id for finding in world.found] == expected


def test_run_fails_when_the_delete_queue_refuses_and_the_next_continues(world: World) -> None:
    left = PurgeRequest(None, world.orphan(2))
    world.repairer.run(endless)
    world.clock.pass_(hours=1)
    world.purge_queue.refuses = {left}
    with pytest.raises(Unavailable):
        world.repairer.run(endless)
    world.purge_queue.refuses = set()
    world.repairer.run(endless)
    assert world.purge_queue.messages == [left]


@pytest.mark.parametrize("names", [("full",), ("thumb", "icon"), ("master",), ("full", "master")])
def test_missing_objects_of_bound_upload_are_named(world: World, names: tuple[str, ...]) -> None:
    upload = world.bound()
    world.lose(upload, *names)
    detail = "missing: " + ", ".join(names)
    assert world.run() == [
        Finding(FindingKind.ROW_WITHOUT_OBJECTS, ADA, upload.upload_id, slot=Slot.AVATAR, detail=detail)
    ]  # fmt: skip
    assert (world.decoders, world.tables.profiles[ADA].bound_upload_id(Slot.AVATAR)) == (0, upload.upload_id)


def test_bound_uploads_without_any_object_are_found(world: World) -> None:
    for number in (1, 3, 5, 9):
        world.bound(number, owner_id=f"user{number}")
    world.media.objects.clear()
    world.bound(5, owner_id="user5")
    assert [each.upload_id for each in world.run()] == [an_id(1), an_id(3), an_id(9)]


def test_objects_stored_after_the_listing_are_not_missing(world: World) -> None:
    upload = world.bound()
    world.lose(upload, "full")
    get_rows = world.index.get_rows

    def restored_meanwhile(keys: Sequence[UploadKey]) -> Sequence[Upload]:
        found = get_rows(keys)
        world.media.store(upload.upload_id, [(each, b"") for each in upload.derivatives])
        return found

    world.index.get_rows = restored_meanwhile  # type: ignore[method-assign]
    assert world.run(world.repairer) == []


def test_objects_of_upload_that_is_replaced_meanwhile_are_not_missing(world: World) -> None:
    upload = world.bound()
    world.lose(upload, "full")
    look = world.listings.derivatives

    def released_meanwhile(upload_id: str) -> frozenset[str]:
        world.tables.uploads.clear()
        world.tables.profiles.clear()
        return look(upload_id)

    world.listings.derivatives = released_meanwhile  # type: ignore[method-assign]
    world.clock.present = NOW  # the remaining objects are no finding either
    assert world.run(world.repairer) == []


def test_missing_derivatives_are_made_from_the_master(world: World) -> None:
    upload = world.bound()
    world.lose(upload, "full", "icon")
    assert [each.mended for each in world.run(world.repairer)] == [RepairAction.REMADE]
    row = world.tables.uploads[ADA, upload.upload_id]
    assert world.tables.profiles[ADA].attachments[Slot.AVATAR] == attachment_of(row)
    assert {media_key(row.upload_id, each) for each in row.derivatives} <= set(world.media.objects)
    changed = {each.name for each in set(row.derivatives) - set(upload.derivatives)}
    assert changed == {"full", "icon"}
    assert [each.name for each in row.derivatives] == [each.name for each in upload.derivatives]
    world.clock.pass_(days=1)
    assert world.run(world.repairer) == []


def test_masters_of_version_0_1_0_are_found_beside_the_other_derivatives(world: World) -> None:
    upload = world.bound()
    [key] = [key for key in world.media.objects if key.startswith(MASTERS_PREFIX)]
    world.media.objects[MEDIA_PREFIX + position(key)] = world.media.objects.pop(key)
    assert world.run(world.repairer) == []
    world.lose(upload, "full")
    world.clock.pass_(days=1)
    assert [each.mended for each in world.run(world.repairer)] == [RepairAction.REMADE]


def test_position_of_a_checkpoint_of_version_0_1_0_is_read() -> None:
    assert Position.parse(f"{an_id(1)} media/{an_id(2)}/") == Position(an_id(1), f"{an_id(2)}/")
    assert Position.parse(str(Position(None, "x"))) == Position(None, "x")


def test_slot_is_cleared_when_its_picture_cannot_be_restored(world: World) -> None:
    upload = world.bound()
    cover = world.bound(2, Slot.COVER_IMAGE)
    world.lose(upload, "thumb", "master")
    assert [each.mended for each in world.run(world.repairer)] == [RepairAction.CLEARED]
    assert world.tables.profiles[ADA].attachments == {Slot.COVER_IMAGE: attachment_of(cover)}
    assert (ADA, upload.upload_id) not in world.tables.uploads
    assert world.tables.profiles[ADA].changes is None  # the service's own change is not counted


def test_missing_master_alone_changes_nothing(world: World) -> None:
    upload = world.bound()
    world.lose(upload, "master")
    assert [each.mended for each in world.run(world.repairer)] == [None]
    assert world.tables.uploads[ADA, upload.upload_id] == upload


def test_master_that_cannot_be_decoded_changes_nothing(world: World) -> None:
    upload = world.bound()
    [master] = [each for each in upload.derivatives if each.name == MASTER]
    world.media.objects[media_key(upload.upload_id, master)] = Reason.CORRUPT.encode()
    world.lose(upload, "full")
    assert [each.mended for each in world.run(world.repairer)] == [None]
    assert world.tables.uploads[ADA, upload.upload_id] == upload


def test_master_without_the_missing_derivative_changes_nothing(world: World) -> None:
    upload = world.bound()
    world.lose(upload, "icon")
    repair = replace(world.repair, images=fakes.FakeImages)
    assert repair.restore(upload, world.listings.derivatives(upload.upload_id)) is None
    assert world.tables.uploads[ADA, upload.upload_id] == upload


def replaced(world: World, _: Upload) -> None:
    world.tables.uploads.clear()
    world.tables.profiles.clear()
    world.bound(2)


def removed(world: World, _: Upload) -> None:
    world.tables.uploads.clear()
    world.tables.profiles.clear()


def mended_by_another(world: World, upload: Upload) -> None:
    world.repair.restore(upload, world.listings.derivatives(upload.upload_id))


@pytest.mark.parametrize("happens", [replaced, removed, mended_by_another])
def test_derivatives_made_too_late_are_purged(world: World, happens: Callable[[World, Upload], None]) -> None:
    upload = world.bound()
    world.lose(upload, "full")
    present = world.listings.derivatives(upload.upload_id)
    store, calls = world.media.store, iter((True,))

    def meanwhile(*arguments: object) -> None:
        store(*arguments)  # type: ignore[arg-type]
        if next(calls, False):
            happens(world, upload)

    world.media.store = meanwhile  # type: ignore[assignment, method-assign]
    before = {key for key in world.tables.uploads if key[1] != upload.upload_id}
    assert world.repair.restore(upload, present) is None
    [request] = world.purge_queue.messages
    current = world.tables.uploads.get((ADA, upload.upload_id))
    if current:
        named = {media_key(upload.upload_id, each) for each in current.derivatives}
        assert set(request.media_keys or ()) == world.listings.derivatives(upload.upload_id) - named
    else:
        assert request == PurgeRequest(ADA, upload.upload_id)
    assert before <= set(world.tables.uploads)


def test_repair_fails_when_the_delete_queue_refuses(world: World) -> None:
    upload = world.bound()
    world.lose(upload, "full")
    present = world.listings.derivatives(upload.upload_id)
    removed(world, upload)
    world.purge_queue.refuses = {PurgeRequest(ADA, upload.upload_id)}
    with pytest.raises(Unavailable):
        world.repair.restore(upload, present)


def test_slot_that_is_changed_meanwhile_is_not_cleared(world: World) -> None:
    upload = world.bound()
    world.media.objects.clear()
    world.bound(2)
    assert world.repair.restore(upload, frozenset()) is None
    assert world.tables.profiles[ADA].bound_upload_id(Slot.AVATAR) == an_id(2)
    slot_held = world.tables.profiles[ADA]
    other = replace(upload, upload_id=an_id(2))
    world.attachments.races = [fakes.a_slot_change(a_ready_upload(upload_id=an_id(3)), attachment_of(other))]
    world.tables.uploads[ADA, an_id(3)] = a_ready_upload(upload_id=an_id(3), expires_at=NOW + timedelta(days=9))
    assert world.repair.restore(other, frozenset()) is None
    assert world.tables.profiles[ADA].bound_upload_id(Slot.AVATAR) == an_id(3)
    assert slot_held.bound_upload_id(Slot.AVATAR) == an_id(2)


def test_bound_upload_in_no_slot_is_reported(world: World) -> None:
    upload = world.bound()
    world.tables.profiles.clear()
    found = [Finding(FindingKind.ROW_WITHOUT_SLOT, ADA, upload.upload_id, slot=Slot.AVATAR)]
    assert world.run(world.repairer) == found
    assert world.tables.uploads[ADA, upload.upload_id] == upload


@pytest.mark.parametrize(
    "changed",
    [
        {"state": State.READY},
        {"expires_at": NOW + timedelta(days=9)},
        {"slot": Slot.COVER_IMAGE},
        {"derivatives": a_ready_upload().derivatives[1:]},
        None,
    ],
)
def test_slot_that_differs_from_its_row_is_reported(world: World, changed: dict[str, object] | None) -> None:
    upload = world.bound()
    if changed is None:
        del world.tables.uploads[ADA, upload.upload_id]
    else:
        world.tables.uploads[ADA, upload.upload_id] = replace(upload, **changed)  # type: ignore[arg-type]
    found = Finding(FindingKind.SLOT_WITHOUT_ROW, ADA, upload.upload_id, slot=Slot.AVATAR)
    profiles = dict(world.tables.profiles)
    assert found in world.run(world.repairer)
    assert world.tables.profiles == profiles


def test_upload_that_is_replaced_between_two_reads_is_no_finding(world: World) -> None:
    world.bound()
    world.tables.profiles.clear()
    read = world.attachments.read

    def released_meanwhile(*arguments: str) -> tuple[Profile, Upload | None]:
        world.tables.uploads.clear()
        return read(*arguments)

    world.attachments.read = released_meanwhile  # type: ignore[assignment, method-assign]
    world.reporter.run(endless)
    assert world.found == []


def test_rows_and_slots_that_change_between_two_reads_are_no_finding(world: World) -> None:
    upload = world.bound()
    profile = world.tables.profiles.pop(ADA)
    read = world.attachments.read

    def bound_meanwhile(*arguments: str) -> tuple[Profile, Upload | None]:
        world.tables.profiles[ADA] = profile
        return read(*arguments)

    world.attachments.read = bound_meanwhile  # type: ignore[assignment, method-assign]
    assert world.run() == []
    del world.tables.uploads[ADA, upload.upload_id]

    def let_go_meanwhile(*arguments: str) -> tuple[Profile, Upload | None]:
        world.tables.profiles[ADA] = Profile(ADA, {Slot.AVATAR: Attachment(an_id(7), ())})
        return read(*arguments)

    world.attachments.read = let_go_meanwhile  # type: ignore[assignment, method-assign]
    world.media.objects.clear()
    world.clock.pass_(days=1)
    assert world.run() == []


def hours(*left: float) -> reconcile.RemainingTime:
    """Return these remaining times in turn, then none."""
    each: Iterator[float] = iter(left)
    return lambda: timedelta(hours=next(each, 0))


def test_run_stops_in_time_and_the_next_continues(world: World) -> None:
    for number in range(1, 8):
        world.bound(number, owner_id=f"user{number}")
    left = world.orphan(9)
    world.listings.page = 5
    steps = []
    for _ in range(40):
        world.reporter.run(hours(1, 1))  # one page of each pass
        checkpoint = world.checkpoints.kept.get("pictures")
        steps.append(checkpoint.step if checkpoint else None)
        world.clock.pass_(minutes=5)
    assert [*dict.fromkeys(steps)] == ["merge", "slots", "confirm", "orphans", None]
    assert [each.upload_id for each in world.found] == [left]
    assert [each.name for each in world.finished].count("pictures") == 1


def test_run_without_time_does_nothing(world: World) -> None:
    world.original()
    world.reporter.run(hours())
    assert (world.found, world.checkpoints.kept) == ([], {})


def test_a_checkpoint_of_another_version_begins_the_pass_again(world: World) -> None:
    world.checkpoints.kept["pictures"] = Checkpoint("pictures", world.clock.now(), "windows", "x", version=7)
    world.bound()
    assert world.run() == []
    assert world.checkpoints.kept["pictures"].step is None
    assert world.checkpoints.kept["pictures"].version > 7


def test_passes_begin_on_schedule(world: World) -> None:
    for _ in range(25):
        world.reporter.run(endless)
        world.clock.pass_(hours=1)
    names = [checkpoint.name for checkpoint in world.finished]
    assert (names.count("events"), names.count("pictures")) == (25, 2)


def test_pass_that_takes_two_days_is_reported(world: World) -> None:
    world.bound()
    world.bound(2, owner_id=GRACE)
    world.scans.page = 1
    world.reporter.run(hours(1, 1, 1))
    world.checkpoints.kept["pictures"] = Checkpoint("pictures", world.clock.now(), "merge")
    world.clock.pass_(days=2, seconds=1)
    world.reporter.run(hours())
    assert [each.kind for each in world.found] == [FindingKind.LATE]


def test_two_concurrent_runs_keep_the_progress_of_one(world: World) -> None:
    for number in range(1, 8):
        world.bound(number, owner_id=f"user{number}")
    keys_after, calls = world.index.keys_after, iter((True,))

    def another_run(upload_id: str | None) -> Page[UploadKey]:
        if next(calls, False):
            world.reporter.run(endless)
        return keys_after(upload_id)

    world.index.keys_after = another_run  # type: ignore[method-assign]
    world.reporter.run(endless)
    assert world.checkpoints.kept["pictures"].step is None
    assert [each.name for each in world.finished].count("pictures") == 1


def test_last_checkpoint_counts_the_findings(world: World) -> None:
    world.orphan(2)
    world.lose(world.bound(), "full")
    world.original(5)
    world.run()
    found = {each.name: dict(each.found) for each in world.finished}
    assert found["pictures"] == {"objects_without_row": 1, "row_without_objects": 1}


def test_repair_raises_errors_other_than_refusals(world: World) -> None:
    upload = world.bound()
    world.lose(upload, "full")

    class Broken(fakes.FakeImages):
        def render(self, content: bytes, slot: Slot, framing: Framing = None) -> Rendered:
            raise RuntimeError("the sandbox could not be set up")

    repair = replace(world.repair, images=Broken)
    with pytest.raises(RuntimeError):
        repair.restore(upload, world.listings.derivatives(upload.upload_id))
    assert issubclass(ImageUnacceptable, Exception)
