"""Compare derivatives with upload rows in a merge join: both are read once, in the order of upload ids.

Objects are listed in the order of upload ids, with which their keys begin after the prefix; the index has the rows in
the same order.
A page takes the next rows and the objects up to the last of them, so the work is linear and the memory holds one page
at a time.

The objects are listed before the rows are read. A row is written before its first object and upload ids are never used
twice, so an upload that has objects but no row is a suspect: see `orphans`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import batched, count

from profile_media.domain.findings import Finding, FindingKind, GracePeriods, PageResult, Report
from profile_media.domain.keys import (
    MEDIA_PREFIX,
    end_position,
    first_position,
    parse_media_key,
    position,
    possible_keys,
)
from profile_media.domain.model import State, Upload
from profile_media.domain.ports import (
    MAX_ROWS,
    Attachments,
    Checkpoint,
    Clock,
    ObjectListings,
    Profiles,
    StoredObject,
    UploadIndex,
    UploadKey,
    Uploads,
)
from profile_media.domain.repair import Repair

MAX_LISTINGS = 20
"""Maximum listings in one page: up to 20,000 objects of each prefix, about 10 MiB."""

MAX_SUSPECTS = 1_000
"""Maximum suspects in a checkpoint, which is one item of at most 400 KB. The next pass takes a different sample."""


@dataclass(frozen=True, slots=True)
class Position:
    """The progress of the comparison: all rows up to `upload_id` and all objects up to `end` are done."""

    upload_id: str | None = None
    end: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> "Position":
        """Parse the result of `str`. Before version 0.2.0 the end was a key, with its prefix."""
        upload_id, _, end = (text or " ").partition(" ")
        return cls(upload_id or None, end.removeprefix(MEDIA_PREFIX) or None)

    def __str__(self) -> str:
        return f"{self.upload_id or ''} {self.end or ''}"


@dataclass(slots=True)
class Listed:
    """Derivatives in the order of their keys, grouped by upload."""

    keys: dict[str, list[str]] = field(default_factory=dict)
    latest: dict[str, datetime] = field(default_factory=dict)
    """When the last object of each upload was stored."""
    unknown: list[str] = field(default_factory=list)
    """Keys that this service does not write."""
    end: str | None = None
    """All objects up to this position are here; None for all objects."""

    def add(self, items: Sequence[StoredObject]) -> None:
        """Add the objects of one listing."""
        for stored in items:
            upload_id = parse_media_key(stored.key)
            if upload_id is None:
                self.unknown.append(stored.key)
                continue
            self.keys.setdefault(upload_id, []).append(stored.key)
            self.latest[upload_id] = max(stored.at, self.latest.get(upload_id, stored.at))

    def drop_incomplete(self) -> None:
        """Leave the last upload to the next page unless all of its objects are here."""
        last = next(reversed(self.keys), None)
        if last and not _is_before(last, self.end):
            del self.keys[last], self.latest[last]
            self.end = first_position(last)


@dataclass(frozen=True, slots=True)
class MergeWalk:
    """Checks that bound uploads have their derivatives and their slot, and collects objects without a row."""

    listings: ObjectListings
    index: UploadIndex
    uploads: Uploads
    profiles: Profiles
    attachments: Attachments
    repair: Repair | None
    clock: Clock
    grace: GracePeriods
    report: Report
    is_out_of_time: Callable[[], bool]

    def check_page(self, checkpoint: Checkpoint) -> PageResult:
        """Check the next uploads. Stop early if little time remains."""
        start = Position.parse(checkpoint.position)
        page = self.index.keys_after(start.upload_id)
        rows_end = end_position(page.next) if page.next else None
        listed = self._list(start.end, rows_end)
        end = min(filter(None, (listed.end, rows_end)), default=None)
        rows = {key.upload_id: key for key in page.items if _is_before(key.upload_id, end)}
        ids = sorted(rows.keys() | {each for each in listed.keys if _is_before(each, end)})

        findings: list[Finding] = []
        suspects: list[str] = []
        done = Position(max(rows, default=start.upload_id), end)
        old = self.clock.now() - self.grace.objects
        for upload_id, upload in self._with_rows(ids, rows):
            if upload and upload.state is State.BOUND:
                findings += self._check_bound(upload, frozenset(listed.keys.get(upload_id, ())))
                if listed.latest.get(upload_id, old) < old:
                    findings += self._check_unnamed(upload, listed.keys[upload_id])
            elif upload_id not in rows and listed.latest[upload_id] <= old:
                suspects.append(upload_id)
            if self.is_out_of_time():
                done = Position(
                    max((each for each in rows if each <= upload_id), default=start.upload_id), end_position(upload_id)
                )
                break
        findings += self._unknown([key for key in listed.unknown if done.end is None or position(key) <= done.end])
        sample = _sample((*checkpoint.suspects, *suspects), checkpoint.began)
        return PageResult(findings, str(done) if done.end else None, sample)

    def _list(self, after: str | None, until: str | None) -> Listed:
        """List the objects after one position and up to another. The last upload is left out unless it is complete."""
        listed = Listed()
        for calls in count(1):
            page = self.listings.media(after)
            listed.add(page.items)
            listed.end = after = page.next
            # A single upload is always listed to its end: otherwise the comparison would make no progress.
            enough = calls >= MAX_LISTINGS and len(listed.keys) != 1
            if page.next is None or (until and page.next >= until) or enough:
                break
        listed.drop_incomplete()
        return listed

    def _with_rows(self, ids: Sequence[str], rows: Mapping[str, UploadKey]) -> Iterator[tuple[str, Upload | None]]:
        """Yield every upload id with its row, read now. A row can be deleted after the index named it."""
        for batch in batched(ids, MAX_ROWS, strict=False):
            keys = [rows[upload_id] for upload_id in batch if upload_id in rows]
            found = {upload.upload_id: upload for upload in self.index.get_rows(keys)} if keys else {}
            for upload_id in batch:
                yield upload_id, found.get(upload_id)

    def _check_bound(self, upload: Upload, present: frozenset[str]) -> list[Finding]:
        findings = [finding for finding in (self._check_objects(upload, present), self._check_slot(upload)) if finding]
        for finding in findings:
            self.report(finding)
        return findings

    def _check_objects(self, seen: Upload, present: frozenset[str]) -> Finding | None:
        """Compare the row with the listing. If they differ, list again and then read the row again.

        While the row exists no purge deletes its objects, so objects missing from a listing before that are lost.
        """
        if not _missing_names(seen, present):
            return None
        present = self.listings.derivatives(seen.upload_id)
        upload = self.uploads.get(seen.owner_id, seen.upload_id)
        missing = _missing_names(upload, present) if upload else None
        if not upload or not missing:
            return None
        mended = self.repair.restore(upload, present) if self.repair else None
        detail = "missing: " + ", ".join(missing)
        kind = FindingKind.ROW_WITHOUT_OBJECTS
        return Finding(kind, upload.owner_id, upload.upload_id, slot=upload.slot, detail=detail, mended=mended)

    def _check_unnamed(self, upload: Upload, present: Sequence[str]) -> list[Finding]:
        """Find objects that a bound upload does not name. No key is used twice, so none of them can be shown again."""
        named = {key for each in upload.derivatives for key in possible_keys(upload.upload_id, each)}
        unnamed = tuple(key for key in present if key not in named)
        if not (named and unnamed):
            return []
        mended = self.repair.discard(upload, unnamed) if self.repair else None
        detail = f"{len(unnamed)} objects"
        finding = Finding(FindingKind.OBJECTS_REPLACED, upload.owner_id, upload.upload_id, detail=detail, mended=mended)
        self.report(finding)
        return [finding]

    def _check_slot(self, upload: Upload) -> Finding | None:
        """Check that the slot holds the upload. If it does not, read slot and row again, at one instant."""
        if self.profiles.get(upload.owner_id).bound_upload_id(upload.slot) == upload.upload_id:
            return None
        profile, current = self.attachments.read(upload.owner_id, upload.upload_id)
        is_bound = current is not None and current.state is State.BOUND
        if not is_bound or profile.bound_upload_id(upload.slot) == upload.upload_id:
            return None
        return Finding(FindingKind.ROW_WITHOUT_SLOT, upload.owner_id, upload.upload_id, slot=upload.slot)

    def _unknown(self, keys: Sequence[str]) -> list[Finding]:
        findings = [Finding(FindingKind.KEY_UNKNOWN, key=key) for key in keys]
        for finding in findings:
            self.report(finding)
        return findings


def _is_before(upload_id: str, end: str | None) -> bool:
    """Return whether all objects of the upload come before the end; None is the end of everything."""
    return end is None or end_position(upload_id) <= end


def _missing_names(upload: Upload, present: frozenset[str]) -> list[str]:
    """Return the names of derivatives that are in the row but have no object."""
    return [each.name for each in upload.derivatives if present.isdisjoint(possible_keys(upload.upload_id, each))]


def _sample(suspects: Iterable[str], began: datetime) -> tuple[str, ...]:
    """Return at most MAX_SUSPECTS suspects. Each pass prefers different ones, so that all are checked at some time."""
    distinct = tuple(dict.fromkeys(suspects))
    if len(distinct) <= MAX_SUSPECTS:
        return distinct
    return tuple(sorted(distinct, key=lambda each: sha256(f"{began}{each}".encode()).digest())[:MAX_SUSPECTS])
