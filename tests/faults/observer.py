"""Sees every row, object and message at once, after every call to AWS, and says which promise is broken.

The invariants, as the design's state model has them; `I` must hold after every call, `L` once everything is quiet:

I1  what a row or a slot names is in the media bucket, every derivative
I2  nothing is deleted that a row or a slot names
I3  a slot holds an upload of its own user and kind that is bound for good, and no upload is held twice
I4  a media object never changes, and its key's digest is that of its bytes
I5  an upload only moves along its life; what it was promised as stays; no id lives twice
I6  a slot changes once at a time, and lets go of its predecessor in the same instant
I7  what was answered is true: successes took effect, refusals changed nothing
I8  browsers' pictures lie under incoming/ only, and nothing but derivatives under media/
L1  no object in the media bucket without a row
L2  no original left in the uploads bucket
L3  nothing pending whose time is up
L4  no message left on the queue
L5  every upload is bound, or waits with a time to go
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from profile_media.domain.keys import is_upload_id, media_key, parse_incoming_key
from profile_media.domain.model import ContentType, Derivative, Slot
from profile_media.domain.ports import PurgeRequest
from tests import cloud

LIFE = {"pending": {"ready", "rejected"}, "ready": {"bound"}, "rejected": set(), "bound": set()}
"""Which states may follow which; rows also go, by time or by being let go of."""

PROMISED = ("slot", "content_type", "content_length", "checksum_sha256", "created_at")
"""What of a row never changes."""

type Row = Mapping[str, Any]
type Owned = tuple[str, str]


@dataclass(frozen=True)
class Snapshot:
    """Everything there is at one instant."""

    uploads: Mapping[Owned, Row] = field(default_factory=dict)
    """By owner and id."""
    slots: Mapping[tuple[str, Slot], Row] = field(default_factory=dict)
    """What each user's slots hold; empty slots are left out."""
    media: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each object by its key."""
    incoming: frozenset[str] = frozenset()

    def named(self) -> frozenset[str]:
        """Every media key that a row or a slot names."""
        holders = [*self.uploads.values(), *self.slots.values()]
        ids = [*(upload_id for _, upload_id in self.uploads), *(held.get("upload_id") for held in self.slots.values())]
        return frozenset(
            key for upload_id, holder in zip(ids, holders, strict=True) for key in _derivatives(upload_id, holder)
        )

    def held(self, user_id: str, slot: Slot) -> str | None:
        """What the slot holds: an upload's id, or a URL."""
        holds = self.slots.get((user_id, slot), {})
        return holds.get("upload_id") or holds.get("url")


def _derivatives(upload_id: str | None, holder: Row) -> Iterator[str]:
    for each in holder.get("derivatives") or ():
        described = Derivative(each["name"], each["digest"], ContentType(each["content_type"]), 0, 0, 0)
        yield media_key(upload_id or "", described)


def _settled(row: Row) -> dict[str, Any]:
    """What of a row stays while its state does: the derivatives of a bound one may be made anew, with its slot's."""
    return {name: value for name, value in row.items() if name != "derivatives" or row["state"] != "bound"}


def rows_of(table: str) -> list[dict[str, Any]]:
    """Every row of a table, as it lies there."""
    plain = TypeDeserializer().deserialize
    items = dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables[table].all_items()
    return [{name: plain(value) for name, value in item.to_json()["Attributes"].items()} for item in items]


def _objects(bucket: str) -> dict[str, Any]:
    return dict(s3_backends[cloud.ACCOUNT]["aws"].buckets[bucket].keys.items())


@dataclass
class Observer:
    """Compares what is with what was."""

    now: Any
    """Tells the present, as the functions see it."""
    last: Snapshot = field(default_factory=Snapshot)
    broken: list[str] = field(default_factory=list)
    """Every promise found broken so far."""
    removed: list[PurgeRequest] = field(default_factory=list)
    """Rows that went and that the stream has not delivered yet, in order."""
    history: list[tuple[int, str, Slot, str | None]] = field(default_factory=list)
    """Each change of a slot, with the step at which it was seen."""
    step: int = 0
    _gone: set[str] = field(default_factory=set)
    _digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def look(self) -> None:
        """Takes in what is now; to be called after every call to AWS, and after whatever else changes something."""
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
        self.removed += [PurgeRequest(*owned) for owned in before.uploads if owned not in self.last.uploads]
        self._gone |= {upload_id for _, upload_id in before.uploads.keys() - self.last.uploads.keys()}

    def left_over(self) -> list[str]:
        """What must not be there once nothing is going on any more."""
        ids = {upload_id for _, upload_id in self.last.uploads}
        seconds = self.now().timestamp()
        rows = self.last.uploads.items()
        timed = {owned: row["expires_at"] for owned, row in rows if "expires_at" in row}
        queue = sqs_backends[cloud.ACCOUNT][cloud.REGION].queues["purge"]
        return [
            *(f"L1: {key} has no row" for key in self.last.media if key.split("/")[1] not in ids),
            *(f"L2: {key} is left" for key in self.last.incoming),
            *(f"L3: {owned} is past its time" for owned, until in timed.items() if until <= seconds),
            *(f"L4: {message.body} is on the queue" for message in queue._messages),
            *(f"L5: {owned} stays" for owned, row in rows if row["state"] != "bound" and owned not in timed),
        ]

    def _snapshot(self) -> Snapshot:
        uploads = {(row["owner_id"], row["upload_id"]): row for row in rows_of(cloud.UPLOADS_TABLE)}
        users = rows_of(cloud.USERS_TABLE)
        return Snapshot(
            {owned: row for owned, row in uploads.items() if is_upload_id(owned[1])},
            {(user["user_id"], slot): user[slot.value] for user in users for slot in Slot if user.get(slot.value)},
            {key: self._digest(key, entry) for key, entry in _objects(cloud.MEDIA_BUCKET).items()},
            frozenset(_objects(cloud.UPLOADS_BUCKET)),
        )

    def _digest(self, key: str, entry: Any) -> str:
        """Of the object's bytes, computed once."""
        known = (key, entry.etag)
        if known not in self._digests:
            self._digests[known] = sha256(entry.value).hexdigest()
        return self._digests[known]

    def _missing(self) -> Iterator[str]:
        yield from (f"{key} is named and missing" for key in sorted(self.last.named() - set(self.last.media)))

    def _wrongly_held(self) -> Iterator[str]:
        held = {}
        for (user_id, slot), holds in self.last.slots.items():
            if "url" in holds:
                continue
            owned = (user_id, holds["upload_id"])
            row = self.last.uploads.get(owned, {})
            if (row.get("state"), row.get("slot"), row.get("expires_at")) != ("bound", slot.value, None):
                yield f"{slot} of {user_id} holds {owned[1]}, which is {dict(row) or 'no upload of that user'}"
            elif row.get("derivatives") != holds["derivatives"]:
                yield f"{slot} of {user_id} and the row of {owned[1]} name other derivatives"
            if owned in held:
                yield f"{owned[1]} is held twice"
            held[owned] = slot
        for owned, row in self.last.uploads.items():
            if row["state"] == "bound" and owned not in held:
                yield f"{owned[1]} is bound, and no slot holds it"

    def _rewritten(self, before: Snapshot) -> Iterator[str]:
        for key, digest in self.last.media.items():
            if digest != before.media.get(key, digest):
                yield f"{key} changed"
            if f"-{digest[:32]}." not in key:
                yield f"{key} holds other bytes than it says"

    def _out_of_life(self, before: Snapshot) -> Iterator[str]:
        seconds = self.now().timestamp()
        for owned, row in self.last.uploads.items():
            was = before.uploads.get(owned)
            if was is None:
                if row["state"] != "pending" or owned[1] in self._gone:
                    yield f"{owned[1]} began as {row['state']}{', again' * (owned[1] in self._gone)}"
                continue
            if any(row.get(name) != was.get(name) for name in PROMISED):
                yield f"{owned[1]} is not what was promised any more"
            if row["state"] != was["state"] and row["state"] not in LIFE[was["state"]]:
                yield f"{owned[1]} went from {was['state']} to {row['state']}"
            if row["state"] != was["state"] and was["expires_at"] <= seconds:
                yield f"{owned[1]} was past its time and became {row['state']}"
            if row["state"] == was["state"] and _settled(row) != _settled(was):
                yield f"{owned[1]} changed while {row['state']}"
        for owned in before.uploads.keys() - self.last.uploads.keys():
            was = before.uploads[owned]
            if was["state"] != "bound" and was["expires_at"] > seconds:
                yield f"{owned[1]} went while {was['state']}, before its time"

    def _not_one_by_one(self, before: Snapshot) -> Iterator[str]:
        places = before.slots.keys() | self.last.slots.keys()
        changed = [place for place in sorted(places) if before.held(*place) != self.last.held(*place)]
        if len(changed) > 1:
            yield f"{changed} changed at once"
        for user_id, slot in changed:
            self.history.append((self.step, user_id, slot, self.last.held(user_id, slot)))
            if (user_id, before.held(user_id, slot)) in self.last.uploads:
                yield f"{slot} of {user_id} changed, and its predecessor stayed"

    def _misplaced(self) -> Iterator[str]:
        yield from (f"{key} in the uploads bucket" for key in self.last.incoming if parse_incoming_key(key) is None)
        yield from (f"{key} in the media bucket" for key in self.last.media if not key.startswith("media/"))
