"""Hold buckets and tables against each other, and find what no event will come for any more.

Two passes, page by page. Each page is followed by a checkpoint, so the next run goes on where this one ended.

events    originals that have lain under `incoming/` for too long get their event again         every run
pictures  objects against rows and rows against objects, rows against slots, slots against rows   once a day

**Nothing that a row names is ever queued for deletion.** Upload ids are random and never used twice, and a row is
always written before any object of its upload. So an id that has no row *after* an object of it was seen will never
have one again. The objects are listed first, a window at a time; then one strongly consistent scan of the uploads
table strikes every id that a row names. What is left has no row, and stays so, however long it takes to act on it.

Most of it is on its way to the purge already, so it is looked at again an hour later, and only then is it a finding.
What a scan finds missing, or pointing nowhere, is read again too, strongly, and after the objects were listed: a row
that is still there then has kept its objects from the purge all the while. So what is reported is wrong, not just late.

Two runs at once do no harm, since every page can be done twice: deleting, sending and reporting again change nothing.
They do not undo each other's progress, either, because a checkpoint is saved only over the one it follows.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from profile_media.domain.errors import Unavailable
from profile_media.domain.keys import media_end, media_key, parse_incoming_key, parse_media_key
from profile_media.domain.lifecycle import is_open
from profile_media.domain.model import Attachment, Slot, State, Upload
from profile_media.domain.ports import (
    Attachments,
    Checkpoint,
    Checkpoints,
    Clock,
    ObjectListings,
    Profiles,
    PurgeQueue,
    PurgeRequest,
    RedriveQueue,
    StoredObject,
    TableScans,
    UploadIdRange,
    Uploads,
)
from profile_media.domain.repair import Repair, RepairAction

WINDOW = 50_000
"""Upload ids held at a time: some 50 MiB with the keys of their objects. Each window costs a scan of the table."""

MOST_SUSPECTS = 1_000
"""Kept in a checkpoint, which is one item of at most 400 KB. The others are found by the next pass."""

SUSPECTS_A_PAGE = 100
"""Listed between two checkpoints: a call each."""

RESERVE = timedelta(seconds=45)
"""A page is not begun with less time than this left. They take a few seconds, or a picture's deadline or two."""

CHECKPOINT_KEPT = timedelta(days=30)
"""A deployment that no longer reconciles is to forget that it did."""


class FindingKind(StrEnum):
    """What can be wrong."""

    EVENT_LOST = "event_lost"
    """A pending upload whose picture came in, and nobody was told."""
    ORIGINAL_LEFT = "original_left"
    """An original that nobody waits for: its upload is settled, or gone."""
    KEY_UNKNOWN = "key_unknown"
    """An object that this service would not have stored."""
    OBJECTS_WITHOUT_ROW = "objects_without_row"
    """Derivatives that no row names, and that no purge took."""
    ROW_WITHOUT_OBJECTS = "row_without_objects"
    """A bound upload some of whose derivatives are missing."""
    ROW_WITHOUT_SLOT = "row_without_slot"
    """A bound upload that its slot does not hold."""
    SLOT_WITHOUT_ROW = "slot_without_row"
    """A slot whose upload is not bound, or names other derivatives."""
    LATE = "late"
    """A pass that takes longer than twice the time between two."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and what was done about it."""

    kind: FindingKind
    owner_id: str | None = None
    upload_id: str | None = None
    key: str | None = None
    slot: Slot | None = None
    detail: str = ""
    mended: RepairAction | None = None


@dataclass(frozen=True, slots=True)
class GracePeriods:
    """How long something may be as it is before it is a finding."""

    event: timedelta = timedelta(minutes=10)
    """Lambda itself tries an event again after one and after two minutes."""
    original: timedelta = timedelta(hours=1)
    """An original is deleted right after its upload is settled."""
    objects: timedelta = timedelta(days=1)
    purge: timedelta = timedelta(hours=1)
    """From a row's removal to that of its objects: a quarter of an hour's delay at the most, and some attempts."""


class Step(StrEnum):
    """What a pass does in turn."""

    ORIGINALS = "originals"
    OBJECTS = "objects"
    ROWS = "rows"
    SLOTS = "slots"
    SUSPECTS = "suspects"


@dataclass(frozen=True, slots=True)
class Pass:
    """Steps that are done together, and how often."""

    every: timedelta
    steps: tuple[Step, ...]


PASSES: Mapping[str, Pass] = MappingProxyType(
    {
        "events": Pass(timedelta(), (Step.ORIGINALS,)),
        "pictures": Pass(timedelta(days=1), (Step.OBJECTS, Step.ROWS, Step.SLOTS, Step.SUSPECTS)),
    }
)

type RemainingTime = Callable[[], timedelta]


@dataclass(frozen=True, slots=True)
class PageResult:
    """What a page came to."""

    findings: Sequence[Finding]
    """All of them told already: each right after it was mended."""
    position: str | None
    """Where the step's next page begins; None where there is none."""
    suspects: tuple[str, ...] = ()
    """Those that are to be looked at again, all of them."""


@dataclass(slots=True)
class _Window:
    """A stretch of the media bucket: each upload's keys, and when the last of them was stored."""

    ids: UploadIdRange
    keys: dict[str, list[str]] = field(default_factory=dict)
    latest: dict[str, datetime] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, stored: StoredObject) -> None:
        upload_id = parse_media_key(stored.key)
        if upload_id is None:
            self.unknown.append(stored.key)
            return
        self.keys.setdefault(upload_id, []).append(stored.key)
        self.latest[upload_id] = max(stored.at, self.latest.get(upload_id, stored.at))

    def cut(self) -> None:
        """Leaves the last upload to the next window, because not all of its objects may be here."""
        last = next(reversed(self.keys))
        del self.keys[last], self.latest[last]
        until = next(reversed(self.keys))
        self.ids = replace(self.ids, until=until)
        self.unknown = [key for key in self.unknown if key < media_end(until)]


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Goes on with each pass, for as long as there is time."""

    listings: ObjectListings
    scans: TableScans
    uploads: Uploads
    profiles: Profiles
    attachments: Attachments
    redrive_queue: RedriveQueue
    purge_queue: PurgeQueue
    checkpoints: Checkpoints
    clock: Clock
    mending: Repair | None
    """None to report only; events are driven again either way."""
    found: Callable[[Finding], None]
    """Is told of every finding; again where its page has to be done again."""
    finished: Callable[[Checkpoint], None]
    """Is told of every pass that ends."""
    patience: GracePeriods = GracePeriods()
    window: int = WINDOW

    def run(self, remaining_time: RemainingTime) -> None:
        """Does what is due, until it is done or the time is nearly up."""
        for name, pass_ in PASSES.items():
            checkpoint = self.checkpoints.load(name)
            now = self.clock.now()
            if checkpoint is None or (checkpoint.step is None and now >= checkpoint.began + pass_.every):
                version = checkpoint.version if checkpoint else 0
                checkpoint = Checkpoint(name, now, pass_.steps[0], version=version)
            elif checkpoint.step and pass_.every and now > checkpoint.began + 2 * pass_.every:
                self.found(Finding(FindingKind.LATE, detail=f"{name}, at {checkpoint.step} since {checkpoint.began}"))
            self._go_on(pass_, checkpoint, remaining_time)

    def _go_on(self, pass_: Pass, checkpoint: Checkpoint, remaining_time: RemainingTime) -> None:
        """Page after page, until the pass is finished, has to wait, or is out of time or in other hands."""
        while checkpoint.step and remaining_time() > RESERVE:
            turn = _STEPS[Step(checkpoint.step)](self, checkpoint, remaining_time)
            if turn is None:
                return
            checkpoint = self._turned(pass_, checkpoint, turn)
            if not self.checkpoints.save(checkpoint, self.clock.now() + CHECKPOINT_KEPT):
                return
            if checkpoint.step is None:
                self.finished(checkpoint)

    def _turned(self, pass_: Pass, checkpoint: Checkpoint, turn: PageResult) -> Checkpoint:
        """Where the pass stands after a page."""
        step: str | None = checkpoint.step
        if turn.position is None:
            step = next(iter(pass_.steps[pass_.steps.index(Step(str(step))) + 1 :]), None)
        new = set(turn.suspects) - set(checkpoint.suspects)
        return replace(
            checkpoint,
            step=step,
            position=turn.position,
            suspects=turn.suspects,
            suspected_at=self.clock.now() if new else checkpoint.suspected_at,
            found=Counter(checkpoint.found) + Counter(each.kind.value for each in turn.findings),
            version=checkpoint.version + 1,
        )

    def _originals(self, checkpoint: Checkpoint, _: RemainingTime) -> PageResult:
        """A page of `incoming/`."""
        page = self.listings.incoming(checkpoint.position)
        findings = [found for stored in page.items if (found := self._original(stored))]
        keys = [found.key for found in findings if found.key and found.upload_id]
        refused = set(self.redrive_queue.redrive(keys)) if keys else set()
        redriven = [
            replace(found, mended=RepairAction.REDRIVEN) if found.upload_id and found.key not in refused else found
            for found in findings
        ]
        return PageResult(self._told(redriven), page.next)

    def _told(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Tells of them."""
        for finding in findings:
            self.found(finding)
        return findings

    def _original(self, stored: StoredObject) -> Finding | None:
        """What is wrong with an original.

        Its event is right in any case: processing deletes what nobody waits for, and has what it stored purged again.
        """
        now = self.clock.now()
        if stored.at > now - self.patience.event:
            return None
        owned = parse_incoming_key(stored.key)
        if owned is None:
            return Finding(FindingKind.KEY_UNKNOWN, key=stored.key)
        upload = self.uploads.get(*owned)
        if is_open(upload, now):
            return Finding(FindingKind.EVENT_LOST, *owned, key=stored.key)
        if stored.at > now - self.patience.original:
            return None
        state = upload.state.value if upload else "no row"
        return Finding(FindingKind.ORIGINAL_LEFT, *owned, key=stored.key, detail=state)

    def _objects(self, checkpoint: Checkpoint, remaining_time: RemainingTime) -> PageResult | None:
        """A window of `media/` against all rows; None where the time is up before every row was seen."""
        window = self._listed(checkpoint.position)
        findings = [*self._told([Finding(FindingKind.KEY_UNKNOWN, key=key) for key in window.unknown])]
        at: str | None = None
        while True:
            page = self.scans.uploads(at, window.ids)
            for upload in page.items:
                keys = frozenset(window.keys.pop(upload.upload_id, ()))
                if upload.state is State.BOUND and _missing(upload, keys):
                    findings += self._told(self._without_objects(upload))
            if page.next is None:
                break
            if remaining_time() < RESERVE:
                return None
            at = page.next
        old = self.clock.now() - self.patience.objects
        suspects = [upload_id for upload_id in window.keys if window.latest[upload_id] <= old]
        kept = (*checkpoint.suspects, *suspects)[:MOST_SUSPECTS]
        return PageResult(findings, window.ids.until, kept)

    def _listed(self, after: str | None) -> _Window:
        """As many uploads' objects as are held at a time, from an upload's end on."""
        window = _Window(UploadIdRange(after))
        position = media_end(after) if after else None
        while True:
            page = self.listings.media(position)
            for stored in page.items:
                window.add(stored)
            if page.next is None:
                return window
            if len(window.keys) > self.window:
                window.cut()
                return window
            position = page.next

    def _without_objects(self, suspect: Upload) -> list[Finding]:
        """Looks again: at the objects, and then at the row, which has kept them from any purge if it is still there."""
        present = self.listings.derivatives(suspect.upload_id)
        upload = self.uploads.get(suspect.owner_id, suspect.upload_id)
        missing = _missing(upload, present) if upload else None
        if not upload or not missing:
            return []
        mended = self.mending.restore(upload, present) if self.mending else None
        detail = "missing: " + ", ".join(missing)
        owned = (upload.owner_id, upload.upload_id)
        return [Finding(FindingKind.ROW_WITHOUT_OBJECTS, *owned, slot=upload.slot, detail=detail, mended=mended)]

    def _rows(self, checkpoint: Checkpoint, _: RemainingTime) -> PageResult:
        """A page of upload rows: the slot of each bound one must hold it."""
        page = self.scans.uploads(checkpoint.position)
        findings = [
            Finding(FindingKind.ROW_WITHOUT_SLOT, upload.owner_id, upload.upload_id, slot=upload.slot)
            for upload in page.items
            if upload.state is State.BOUND and self._is_not_held(upload)
        ]
        return PageResult(self._told(findings), page.next, checkpoint.suspects)

    def _is_not_held(self, upload: Upload) -> bool:
        """Whether the slot holds another upload or none, in the profile and in the same instant as the row is bound."""
        if self.profiles.get(upload.owner_id).bound_upload_id(upload.slot) == upload.upload_id:
            return False
        profile, current = self.attachments.read(upload.owner_id, upload.upload_id)
        is_bound = current is not None and current.state is State.BOUND
        return is_bound and profile.bound_upload_id(upload.slot) != upload.upload_id

    def _slots(self, checkpoint: Checkpoint, _: RemainingTime) -> PageResult:
        """A page of users: the upload that a slot holds must be bound."""
        page = self.scans.profiles(checkpoint.position)
        findings = [
            Finding(FindingKind.SLOT_WITHOUT_ROW, profile.user_id, held.upload_id, slot=slot)
            for profile in page.items
            for slot, held in profile.attachments.items()
            if isinstance(held, Attachment) and self._points_nowhere(profile.user_id, slot, held)
        ]
        return PageResult(self._told(findings), page.next, checkpoint.suspects)

    def _points_nowhere(self, user_id: str, slot: Slot, held: Attachment) -> bool:
        """Whether the upload is not what the slot shows, at an instant at which the slot holds it."""
        if _is_shown_by(self.uploads.get(user_id, held.upload_id), slot, held):
            return False
        profile, upload = self.attachments.read(user_id, held.upload_id)
        current = profile.attachments.get(slot)
        if not isinstance(current, Attachment) or current.upload_id != held.upload_id:
            return False
        return not _is_shown_by(upload, slot, current)

    def _suspects(self, checkpoint: Checkpoint, _: RemainingTime) -> PageResult | None:
        """Some of the uploads that had no row; None where a purge may still be on its way."""
        if checkpoint.suspected_at and self.clock.now() < checkpoint.suspected_at + self.patience.purge:
            return None
        looked_at, rest = checkpoint.suspects[:SUSPECTS_A_PAGE], checkpoint.suspects[SUSPECTS_A_PAGE:]
        left = {upload_id: keys for upload_id in looked_at if (keys := self.listings.derivatives(upload_id))}
        mended = self._queue(left) if self.mending and left else None
        findings = [
            Finding(FindingKind.OBJECTS_WITHOUT_ROW, upload_id=upload_id, detail=f"{len(keys)} objects", mended=mended)
            for upload_id, keys in left.items()
        ]
        return PageResult(self._told(findings), "more" if rest else None, rest)

    def _queue(self, upload_ids: Mapping[str, object]) -> RepairAction:
        """Puts uploads that have no row on the delete queue."""
        if self.purge_queue.enqueue([PurgeRequest(None, upload_id) for upload_id in upload_ids]):
            raise Unavailable("the delete queue did not take everything")
        return RepairAction.QUEUED


_STEPS: Mapping[Step, Callable[[Reconciler, Checkpoint, RemainingTime], PageResult | None]] = MappingProxyType(
    {
        Step.ORIGINALS: Reconciler._originals,
        Step.OBJECTS: Reconciler._objects,
        Step.ROWS: Reconciler._rows,
        Step.SLOTS: Reconciler._slots,
        Step.SUSPECTS: Reconciler._suspects,
    }
)


def _missing(upload: Upload, present: frozenset[str]) -> list[str]:
    """The names of the derivatives that the row names and that are not there."""
    return [each.name for each in upload.derivatives if media_key(upload.upload_id, each) not in present]


def _is_shown_by(upload: Upload | None, slot: Slot, held: Attachment) -> bool:
    """Whether the upload is bound for good, and described alike in its row and in its slot."""
    if upload is None or upload.state is not State.BOUND or upload.expires_at is not None:
        return False
    return upload.slot is slot and upload.derivatives == held.derivatives
