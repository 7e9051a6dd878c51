"""Look at every row, object and message after every call to AWS, and report violated invariants.

The invariants `I` must hold after every call, the invariants `L` once all work is done:

I1  Every derivative that a row or a slot names is in the media bucket.
I2  No object is deleted that a row or a slot names.
I3  A slot holds a bound upload of its own user and slot, without an expiry; no upload is held twice.
I4  A media object never changes, and the digest in its key is that of its bytes, or of a salt and its bytes.
I5  An upload only moves along its states; what its intent fixed never changes; no id is used twice.
I6  One slot changes at a time, and the row of the upload it held is deleted in the same transaction.
I7  Answers are true: a success has taken effect, a refusal has changed nothing (checked by `baseline`, `linearity`).
I8  The uploads bucket holds originals under incoming/ only, the media bucket derivatives under their prefixes only.
L1  No object is in the media bucket without a row.
L2  No original is left in the uploads bucket.
L3  No row is past its expiry.
L4  No message is left on the delete queue.
L5  Every upload is bound or has an expiry.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from profile_media.domain.formats import ContentType
from profile_media.domain.keys import is_upload_id, media_key, parse_incoming_key, parse_media_key
from profile_media.domain.model import Derivative, Slot
from tests import cloud
from tests.faults.stored import messages_of, objects_of, rows_of

LIFE = {"pending": {"ready", "rejected"}, "ready": {"bound"}, "rejected": set(), "bound": set()}
"""The states that may follow each state. Rows are also deleted: by expiry, by their user, or when a slot changes."""

FIXED = ("slot", "content_type", "content_length", "checksum_sha256", "created_at")
"""Attributes of a row that never change."""

type Row = Mapping[str, Any]
type Owned = tuple[str, str]


@dataclass(frozen=True)
class Snapshot:
    """All data at one instant."""

    uploads: Mapping[Owned, Row] = field(default_factory=dict)
    """By owner and id."""
    slots: Mapping[tuple[str, Slot], Row] = field(default_factory=dict)
    """What each user's slots hold, without empty slots."""
    media: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each object by its key."""
    incoming: frozenset[str] = frozenset()

    def named(self) -> frozenset[str]:
        """Return every media key that a row or a slot names."""
        holders = [*self.uploads.values(), *self.slots.values()]
        ids = [*(upload_id for _, upload_id in self.uploads), *(held.get("upload_id") for held in self.slots.values())]
        return frozenset(
            key for upload_id, holder in zip(ids, holders, strict=True) for key in derivatives(upload_id, holder)
        )

    def held(self, user_id: str, slot: Slot) -> str | None:
        """Return the upload id or URL that a slot holds."""
        holds = self.slots.get((user_id, slot), {})
        return holds.get("upload_id") or holds.get("url")


def derivatives(upload_id: str | None, holder: Row) -> Iterator[str]:
    """Yield the keys of the objects that a row or a slot names."""
    for each in holder.get("derivatives") or ():
        described = Derivative(each["name"], each["digest"], ContentType(each["content_type"]), 0, 0, 0)
        yield media_key(upload_id or "", described)


SHOWN = ("derivatives", "framing", "alt_text", "placeholder")
"""Attributes that say how an upload is shown: a row and its slot have the same."""


def _settled(row: Row) -> dict[str, Any]:
    """Return the attributes that stay while the state does. Users and reconcile change how a picture is shown."""
    may_change = SHOWN if row["state"] in {"ready", "bound"} else ()
    return {name: value for name, value in row.items() if name not in may_change}


@dataclass
class Observer:
    """Compares the data after each call with the data before."""

    now: Any
    """Returns the time, as the functions see it."""
    last: Snapshot = field(default_factory=Snapshot)
    broken: list[str] = field(default_factory=list)
    """Every violation found so far."""
    removed: list[Row] = field(default_factory=list)
    """Removed rows that the stream has not delivered yet, in order."""
    history: list[tuple[int, str, Slot, str | None]] = field(default_factory=list)
    """Each change of a slot, with the number of the look that found it."""
    step: int = 0
    given_up: set[str] = field(default_factory=set)
    """Uploads that their users asked to give up. Their rows may go before their expiry."""
    salts: list[bytes] = field(default_factory=list)
    """The random bytes in the digests of derivatives that replace others."""
    _gone: set[str] = field(default_factory=set)
    _salted: set[str] = field(default_factory=set)
    _digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def look(self) -> None:
        """Compare the data with the last look. Call this after every call to AWS and every other change."""
        self.step += 1
        before, self.last = self.last, self._snapshot()
        for code, found in (
            ("I1", self._missing()),
            ("I2", sorted((set(before.media) - set(self.last.media)) & (before.named() | self.last.named()))),
            ("I3", self._wrongly_held()),
            ("I4", self._rewritten(before)),
            ("I5", self._out_of_life(before)),
            ("I6", self._not_one_by_one(before)),
            ("I8", self._misplaced()),
        ):
            self.broken += [f"{code} at step {self.step}: {what}" for what in found]
        self.removed += [row for owned, row in before.uploads.items() if owned not in self.last.uploads]
        self._gone |= {upload_id for _, upload_id in before.uploads.keys() - self.last.uploads.keys()}

    def left_over(self) -> list[str]:
        """Return violated `L` invariants."""
        ids = {upload_id for _, upload_id in self.last.uploads}
        seconds = self.now().timestamp()
        rows = self.last.uploads.items()
        timed = {owned: row["expires_at"] for owned, row in rows if "expires_at" in row}
        return [
            *(f"L1: {key} has no row" for key in self.last.media if key.split("/")[1] not in ids),
            *(f"L2: {key} is left" for key in self.last.incoming),
            *(f"L3: {owned} is past its expiry" for owned, until in timed.items() if until <= seconds),
            *(f"L4: {body} is on the queue" for body in messages_of("purge")),
            *(f"L5: {owned} has no expiry" for owned, row in rows if row["state"] != "bound" and owned not in timed),
        ]

    def _snapshot(self) -> Snapshot:
        uploads = {(row["owner_id"], row["upload_id"]): row for row in rows_of(cloud.UPLOADS_TABLE)}
        users = rows_of(cloud.USERS_TABLE)
        return Snapshot(
            {owned: row for owned, row in uploads.items() if is_upload_id(owned[1])},
            {(user["user_id"], slot): user[slot.value] for user in users for slot in Slot if user.get(slot.value)},
            {key: self._digest(key, entry) for key, entry in objects_of(cloud.MEDIA_BUCKET).items()},
            frozenset(objects_of(cloud.UPLOADS_BUCKET)),
        )

    def _digest(self, key: str, entry: Any) -> str:
        """Return the SHA-256 of an object; compute it once."""
        known = (key, entry.etag)
        if known not in self._digests:
            self._digests[known] = sha256(entry.value).hexdigest()
            if any(sha256(salt + entry.value).hexdigest()[:32] in key for salt in self.salts):
                self._salted.add(key)
        return self._digests[known]

    def _missing(self) -> Iterator[str]:
        yield from (f"{key} is named but missing" for key in sorted(self.last.named() - set(self.last.media)))

    def _wrongly_held(self) -> Iterator[str]:
        held = {}
        for (user_id, slot), holds in self.last.slots.items():
            if "url" in holds:
                continue
            owned = (user_id, holds["upload_id"])
            row = self.last.uploads.get(owned, {})
            if (row.get("state"), row.get("slot"), row.get("expires_at")) != ("bound", slot.value, None):
                yield f"{slot} of {user_id} holds {owned[1]}, which is {dict(row) or 'no upload of that user'}"
            elif any(row.get(name) != holds.get(name) for name in SHOWN):
                yield f"{slot} of {user_id} and the row of {owned[1]} are shown differently"
            if owned in held:
                yield f"{owned[1]} is held twice"
            held[owned] = slot
        for owned, row in self.last.uploads.items():
            if row["state"] == "bound" and owned not in held:
                yield f"{owned[1]} is bound, but no slot holds it"

    def _rewritten(self, before: Snapshot) -> Iterator[str]:
        for key, digest in self.last.media.items():
            if digest != before.media.get(key, digest):
                yield f"{key} changed"
            if f"-{digest[:32]}." not in key and key not in self._salted:
                yield f"{key} does not hold the bytes its digest says"

    def _out_of_life(self, before: Snapshot) -> Iterator[str]:
        seconds = self.now().timestamp()
        for owned, row in self.last.uploads.items():
            was = before.uploads.get(owned)
            if was is None:
                if row["state"] != "pending" or owned[1] in self._gone:
                    yield f"{owned[1]} began as {row['state']}{', again' * (owned[1] in self._gone)}"
                continue
            if any(row.get(name) != was.get(name) for name in FIXED):
                yield f"{owned[1]} changed in an attribute that its intent fixed"
            if row["state"] != was["state"] and row["state"] not in LIFE[was["state"]]:
                yield f"{owned[1]} went from {was['state']} to {row['state']}"
            if row["state"] != was["state"] and was["expires_at"] <= seconds:
                yield f"{owned[1]} was past its expiry but became {row['state']}"
            if row["state"] == was["state"] and _settled(row) != _settled(was):
                yield f"{owned[1]} changed while {row['state']}"
        for owned in before.uploads.keys() - self.last.uploads.keys():
            was = before.uploads[owned]
            if was["state"] != "bound" and was["expires_at"] > seconds and owned[1] not in self.given_up:
                yield f"{owned[1]} was removed while {was['state']}, before its expiry"

    def _not_one_by_one(self, before: Snapshot) -> Iterator[str]:
        places = before.slots.keys() | self.last.slots.keys()
        changed = [place for place in sorted(places) if before.held(*place) != self.last.held(*place)]
        if len(changed) > 1:
            yield f"{changed} changed at once"
        for user_id, slot in changed:
            self.history.append((self.step, user_id, slot, self.last.held(user_id, slot)))
            if (user_id, before.held(user_id, slot)) in self.last.uploads:
                yield f"{slot} of {user_id} changed, but the row of the upload it held stayed"

    def _misplaced(self) -> Iterator[str]:
        yield from (f"{key} in the uploads bucket" for key in self.last.incoming if parse_incoming_key(key) is None)
        yield from (f"{key} in the media bucket" for key in self.last.media if parse_media_key(key) is None)
