"""Reconcile at 10, 10,000 and 1,000,000 uploads: its calls are linear and its memory is bounded.

The tables and buckets are simulated: rows and objects are computed from their number when they are asked for.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from profile_media.domain.findings import Finding, FindingKind, GracePeriods
from profile_media.domain.keys import media_key, parse_media_key, position
from profile_media.domain.model import Attachment, Profile, Slot, Upload
from profile_media.domain.ports import Checkpoint, Page, PurgeRequest, StoredObject, UploadKey
from profile_media.domain.reconcile import Reconciler
from tests import fakes
from tests.builders import NOW, a_bound_upload, a_derivative, an_id

LISTING, ROWS, BATCH = 1000, 1000, 100
"""Objects in a listing, keys in a page of the index, rows in one read."""

DERIVATIVES = (a_derivative(name="full"), a_derivative(name="thumb"))
ORPHANS = 10
"""One upload in this many has objects but no row. Large deployments have at most 500 such uploads."""


class Simulated:
    """Every port of the reconciler, for uploads numbered from 1. Counts the calls."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.calls: Counter[str] = Counter()

    def is_orphan(self, number: int) -> bool:
        return number % (max(ORPHANS, self.size // 500)) == 0

    def incoming(self, after: str | None) -> Page[StoredObject]:
        return Page([])

    def media(self, after: str | None) -> Page[StoredObject]:
        self.calls["list"] += 1
        keys = islice(self._keys_after(after), LISTING + 1)
        items = [StoredObject(key, NOW - timedelta(days=2)) for key in keys]
        return Page(items[:LISTING], position(items[LISTING - 1].key) if len(items) > LISTING else None)

    def _keys_after(self, after: str | None) -> Iterator[str]:
        first = 1 if after is None else int(after[:8], 16)
        for number in range(first, self.size + 1):
            for derivative in DERIVATIVES:
                key = media_key(an_id(number), derivative)
                if after is None or position(key) > after:
                    yield key

    def derivatives(self, upload_id: str) -> frozenset[str]:
        self.calls["list one"] += 1
        return frozenset(media_key(upload_id, derivative) for derivative in DERIVATIVES)

    def keys_after(self, upload_id: str | None) -> Page[UploadKey]:
        self.calls["index"] += 1
        numbers = range(int(upload_id[:8], 16) + 1 if upload_id else 1, self.size + 1)
        with_row = (number for number in numbers if not self.is_orphan(number))
        keys = [UploadKey(f"user{number}", an_id(number)) for number in islice(with_row, ROWS + 1)]
        return Page(keys[:ROWS], keys[ROWS - 1].upload_id if len(keys) > ROWS else None)

    def get_rows(self, keys: Sequence[UploadKey]) -> Sequence[Upload]:
        self.calls["rows"] += 1
        return [self._row(key.owner_id, key.upload_id) for key in keys]

    def _row(self, owner_id: str, upload_id: str) -> Upload:
        return a_bound_upload(owner_id=owner_id, upload_id=upload_id, derivatives=DERIVATIVES)

    def upload_ids(self, position: str | None) -> Page[str]:
        self.calls["scan"] += 1
        page = self.keys_after(position)
        self.calls["index"] -= 1
        return Page([key.upload_id for key in page.items], page.next)

    def profiles(self, position: str | None) -> Page[Profile]:
        self.calls["profiles"] += 1
        page = self.keys_after(position)
        self.calls["index"] -= 1
        return Page([self._profile(key.owner_id) for key in page.items], page.next)

    def get(self, user_id: str, upload_id: str | None = None) -> Any:
        """Return a profile, or an upload: both ports call their read `get`."""
        self.calls["get"] += 1
        return self._row(user_id, upload_id) if upload_id else self._profile(user_id)

    def _profile(self, user_id: str) -> Profile:
        return Profile(user_id, {Slot.AVATAR: Attachment(an_id(int(user_id[4:])), DERIVATIVES)})


def run(size: int) -> tuple[Simulated, fakes.FakePurgeQueue, list[Finding], Counter[str]]:
    """Run one pass to its end, in runs of 50 pages. Return the largest checkpoint as well."""
    ports: Any = Simulated(size)
    clock, queue, found = fakes.FakeClock(), fakes.FakePurgeQueue(), list[Finding]()
    saved = Counter[str]()

    class Checkpoints(fakes.FakeCheckpoints):
        def save(self, checkpoint: Checkpoint, *expiry: Any) -> bool:
            saved["checkpoints"] += 1
            saved["suspects"] = max(saved["suspects"], len(checkpoint.suspects))
            return super().save(checkpoint, *expiry)

    finished: list[Checkpoint] = []
    reconciler = Reconciler(
        ports, ports, ports, ports, ports, ports, fakes.FakeRedriveQueue(), queue, Checkpoints(), clock,
        object(), found.append, finished.append, GracePeriods(),  # type: ignore[arg-type]
    )  # fmt: skip
    while "pictures" not in [checkpoint.name for checkpoint in finished]:
        reconciler.run(lambda: timedelta(hours=1))
        clock.pass_(hours=1)
    return ports, queue, found, saved


@pytest.mark.parametrize("size", [10, 10_000, pytest.param(1_000_000, marks=pytest.mark.assurance)])
def test_calls_of_a_pass_are_linear(size: int) -> None:
    ports, queue, found, saved = run(size)
    orphans = size // max(ORPHANS, size // 500)
    rows = size - orphans
    pages = -(-rows // ROWS)
    objects = size * len(DERIVATIVES)

    assert {finding.kind for finding in found} == {FindingKind.OBJECTS_WITHOUT_ROW}
    assert len(found) == len(queue.messages) == orphans
    assert all(message == PurgeRequest(None, message.upload_id) for message in queue.messages)
    assert all(parse_media_key(media_key(message.upload_id, DERIVATIVES[0])) for message in queue.messages)

    assert ports.calls["index"] <= pages + 1
    assert ports.calls["list"] <= -(-objects // LISTING) + 2 * pages  # each page repeats the end of a listing
    assert ports.calls["rows"] <= -(-size // BATCH) + pages
    assert ports.calls["get"] == 2 * rows  # the profile of each row, the row of each slot
    assert ports.calls["scan"] == ports.calls["profiles"] == pages
    assert ports.calls["list one"] == orphans
    assert saved["checkpoints"] <= 3 * pages + orphans // 100 + 4 + 2 * 24
    assert saved["suspects"] <= 1000
