"""A small model of the service without AWS: the outcome of each call, and the data after it.

A call is a sequence of atomic steps. Where a call crashes, the data equals one of the states between its steps.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import ceil
from typing import NamedTuple

OPEN_INTENTS, INTENTS_PER_HOUR, CHANGES_PER_MINUTE = 3, 6, 4
"""Limits of one user, small enough to be reached."""

MINUTE, HOUR, DAY = 60, 3600, 86400
GRANT = 5 * MINUTE
OPEN = GRANT + MINUTE
"""How long an intent without a picture counts as open."""

DONE, AGAIN = "done", "the same answer again"

REFERENCES = ("reference_invalid", "upload_not_found", "upload_not_ready", "upload_rejected", "slot_mismatch")
USUAL = {DONE: 200, "limit_exceeded": 429, "image_unacceptable": 400, "owner_forbidden": 403}
ANSWERS = {
    "native": USUAL | {DONE: 201, AGAIN: 201, "idempotency_conflict": 409},
    "cancel": {DONE: 204, "upload_bound": 409},
    "removal": USUAL | {DONE: 204},
    "update": USUAL | {"upload_not_found": 404, "upload_not_ready": 409, "upload_rejected": 422},
    "public_id": USUAL | dict.fromkeys(REFERENCES, 400),
    "avatar_url": USUAL | dict.fromkeys(REFERENCES, 400),
    "upload_id": USUAL
    | {"upload_not_found": 404, "upload_not_ready": 409, "upload_rejected": 422, "slot_mismatch": 422},
    "direct": USUAL,
}
"""The status of each outcome, by dialect."""


class Content(StrEnum):
    """What a browser may post, and the reason of its rejection."""

    PICTURE = ""
    ANOTHER = "checksum_mismatch"
    """Rejected only where the intent fixed the checksum of another picture."""
    BROKEN = "corrupt"


@dataclass
class Upload:
    """A row of an upload."""

    owner: str
    slot: str
    created: float
    expires: int | None
    state: str = "pending"
    framing: str | None = None


class Form(NamedTuple):
    """A presigned POST."""

    until: float
    exact: bool
    """Whether the intent fixed a checksum."""


class Kept(NamedTuple):
    """The record of an idempotency key."""

    body: object
    upload_id: str
    until: int


class Named(NamedTuple):
    """A reference to an upload."""

    owner: str
    upload_id: str
    claimed: str | None = None
    """The slot that the reference says the upload is bound to."""
    misnamed: bool = False
    """Whether the reference names a derivative that does not exist."""


@dataclass
class Model:
    """All data."""

    now: float
    uploads: dict[str, Upload] = field(default_factory=dict)
    slots: dict[tuple[str, str], str] = field(default_factory=dict)
    """An upload's id, or a URL."""
    incoming: dict[str, Content] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    keys: dict[tuple[str, str], Kept] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)
    changes: Counter[tuple[str, int]] = field(default_factory=Counter)

    def copy(self) -> "Model":
        """Return a copy."""
        uploads = {upload_id: replace(upload) for upload_id, upload in self.uploads.items()}
        rest = (self.slots, self.incoming, self.forms, self.keys, self.asked, self.changes)
        return Model(self.now, uploads, *(each.copy() for each in rest))  # type: ignore[arg-type]

    def course(self, steps: Sequence["Step"]) -> tuple[list["Model"], str]:
        """Return the states that the steps lead through, beginning with this one, and the outcome."""
        course = [self]
        for step in steps:
            course.append(course[-1].copy())
            if outcome := step(course[-1]):
                return course, outcome
        return course, DONE

    def alive(self, upload_id: str, owner: str | None = None) -> Upload | None:
        """Return the upload; None where it has expired or belongs to another owner."""
        upload = self.uploads.get(upload_id)
        if upload is None or owner not in (None, upload.owner):
            return None
        return upload if upload.expires is None or upload.expires > self.now else None

    def key_in_use(self, actor: str, key: str) -> Kept | None:
        """Return the record of an idempotency key, until it expires."""
        kept = self.keys.get((actor, key))
        return kept if kept and kept.until > int(self.now) else None

    # --- steps; a step returns an outcome where it ends the call

    def replay(self, actor: str, key: str, body: object) -> str | None:
        """Return the same upload for the same key and body. A key whose upload is gone is free."""
        kept = self.key_in_use(actor, key)
        if kept and kept.body != body:
            return "idempotency_conflict"
        if kept and self.alive(kept.upload_id):
            return AGAIN
        self.keys.pop((actor, key), None)
        return None

    def create(self, upload_id: str, owner: str, slot: str, key: tuple[str, str, object] | None = None) -> str | None:
        """Create a pending upload within the owner's limits."""
        recent = [at for who, at in self.asked if who == owner and at > self.now - HOUR]
        alive = (self.alive(each, owner) for each in self.uploads)
        waiting = [row for row in alive if row and row.state == "pending" and row.created > self.now - OPEN]
        if len(recent) >= INTENTS_PER_HOUR or len(waiting) >= OPEN_INTENTS:
            return "limit_exceeded"
        self.asked.append((owner, self.now))
        self.uploads[upload_id] = Upload(owner, slot, self.now, ceil(self.now + HOUR))
        if key:
            actor, name, body = key
            self.keys[actor, name] = Kept(body, upload_id, ceil(self.now + DAY))
        return None

    def cancel(self, user: str, upload_id: str) -> str | None:
        """Delete an upload of the user's, unless a slot holds it."""
        upload = self.uploads.get(upload_id)
        if upload and upload.owner == user:
            if upload.state == "bound":
                return "upload_bound"
            del self.uploads[upload_id]
        return None

    def update(self, user: str, upload_id: str, framing: str | None) -> str | None:
        """Crop a processed upload of the user's again. Only a change of what a slot shows is counted."""
        upload = self.alive(upload_id, user)
        if upload is None:
            return "upload_not_found"
        if upload.state in {"pending", "rejected"}:
            return {"pending": "upload_not_ready", "rejected": "upload_rejected"}[upload.state]
        if upload.framing == framing:
            return None
        if upload.state == "bound" and (refusal := self.count(user)):
            return refusal
        upload.framing = framing
        return None

    def count(self, user: str) -> str | None:
        """Count a change within the user's limit."""
        minute = (user, int(self.now) // MINUTE)
        if self.changes[minute] >= CHANGES_PER_MINUTE:
            return "limit_exceeded"
        self.changes[minute] += 1
        return None

    def settle(self, upload_id: str, content: Content | None) -> str | None:
        """Make a pending upload ready or rejected."""
        upload = self.alive(upload_id)
        if upload and upload.state == "pending" and content is not None:
            form = self.forms.get(upload_id)
            takes = content is Content.PICTURE or (content is Content.ANOTHER and not (form and form.exact))
            upload.state, upload.expires = "ready" if takes else "rejected", ceil(self.now + DAY)
        return None

    def accept(self, upload_id: str) -> str | None:
        """Refuse a direct upload of a rejected picture."""
        return None if self.uploads[upload_id].state == "ready" else "image_unacceptable"

    def clear(self, upload_id: str) -> None:
        """Delete the original."""
        self.incoming.pop(upload_id, None)

    def bind(self, actor: str, user: str, slot: str, named: Named) -> str | None:
        """Bind the named upload."""
        held = self.slots.get((user, slot)) == named.upload_id
        if refusal := self.unfit(user, slot, named) or (None if held else self.unattachable(user, slot, named)):
            return refusal
        return "reference_invalid" if named.misnamed else self.change(actor, user, slot, named.upload_id)

    def unfit(self, user: str, slot: str, named: Named) -> str | None:
        """Return why the reference is refused before the upload is read."""
        if named.owner != user:
            return "upload_not_found"
        return None if named.claimed in {None, slot} else "slot_mismatch"

    def unattachable(self, user: str, slot: str, named: Named) -> str | None:
        """Return why the upload cannot be bound to a slot that does not hold it."""
        upload = self.alive(named.upload_id, user)
        if named.claimed:
            return "reference_invalid"
        if upload is None:
            return "upload_not_found"
        if upload.slot != slot:
            return "slot_mismatch"
        return {"pending": "upload_not_ready", "rejected": "upload_rejected"}.get(upload.state)

    def change(self, actor: str, user: str, slot: str, wanted: str | None) -> str | None:
        """Write a slot within the user's limit of changes, and delete the row of the upload it held."""
        held = self.slots.get((user, slot))
        if held == wanted:
            return None
        if refusal := self.count(user):
            return refusal
        self.uploads.pop(held or "", None)
        self.slots.pop((user, slot), None)
        if wanted:
            self.slots[user, slot] = wanted
        if bound := self.uploads.get(wanted or ""):
            bound.state, bound.expires = "bound", None
        return None


type Step = Callable[[Model], str | None]
