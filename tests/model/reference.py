"""What the service promises, without AWS: each call's outcome, and what is there after it.

A call is a sequence of steps, and each step happens wholly or not at all. Where a call dies, the state is one of those
that its steps lead through.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import ceil
from typing import NamedTuple

OPEN_INTENTS, INTENTS_PER_HOUR, CHANGES_PER_MINUTE = 3, 6, 4
"""Of one user. Smaller than a deployment's, so that short lives come up against them."""

MINUTE, HOUR, DAY = 60, 3600, 86400
GRANT = 5 * MINUTE

DONE, AGAIN = "done", "the same answer again"

REFERENCES = ("reference_invalid", "upload_not_found", "upload_not_ready", "upload_rejected", "slot_mismatch")
USUAL = {DONE: 200, "limit_exceeded": 429, "image_unacceptable": 400, "owner_forbidden": 403}
ANSWERS = {
    "native": USUAL | {DONE: 201, AGAIN: 201, "idempotency_conflict": 409},
    "public_id": USUAL | dict.fromkeys(REFERENCES, 400),
    "avatar_url": USUAL | dict.fromkeys(REFERENCES, 400),
    "upload_id": USUAL
    | {"upload_not_found": 404, "upload_not_ready": 409, "upload_rejected": 422, "slot_mismatch": 422},
    "direct": USUAL,
}
"""The status of each outcome, by dialect."""


class Content(StrEnum):
    """What a browser may send, and why it is refused."""

    PICTURE = ""
    ANOTHER = "checksum_mismatch"
    """A picture, but only where its checksum was not announced."""
    BROKEN = "corrupt"


@dataclass
class Upload:
    """A row; it is there until it is let go of, or its time is up."""

    owner: str
    slot: str
    created: float
    expires: int | None
    state: str = "pending"


class Form(NamedTuple):
    """What lets a browser send a picture."""

    until: float
    exact: bool
    """Whether a checksum was announced."""


class Kept(NamedTuple):
    """An idempotency key that was used."""

    body: object
    upload_id: str
    until: int


class Named(NamedTuple):
    """How a client names an upload."""

    owner: str
    upload_id: str
    claimed: str | None = None
    """The slot that the name says it is bound to."""
    misnamed: bool = False
    """Whether a derivative was named that it does not have."""


@dataclass
class Model:
    """Everything there is."""

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
        """Another one, to go on from here."""
        uploads = {upload_id: replace(upload) for upload_id, upload in self.uploads.items()}
        rest = (self.slots, self.incoming, self.forms, self.keys, self.asked, self.changes)
        return Model(self.now, uploads, *(each.copy() for each in rest))  # type: ignore[arg-type]

    def course(self, steps: Sequence["Step"]) -> tuple[list["Model"], str]:
        """The states that the steps lead through, this one first, and the outcome."""
        course = [self]
        for step in steps:
            course.append(course[-1].copy())
            if outcome := step(course[-1]):
                return course, outcome
        return course, DONE

    def alive(self, upload_id: str, owner: str | None = None) -> Upload | None:
        """The upload, unless its time is up, or it is not that owner's."""
        upload = self.uploads.get(upload_id)
        if upload is None or owner not in (None, upload.owner):
            return None
        return upload if upload.expires is None or upload.expires > self.now else None

    def key_in_use(self, actor: str, key: str) -> Kept | None:
        """What the key made, while it is remembered."""
        kept = self.keys.get((actor, key))
        return kept if kept and kept.until > int(self.now) else None

    # --- steps: each returns an outcome where it ends the call

    def replay(self, actor: str, key: str, body: object) -> str | None:
        """The key's upload again; a key whose upload is gone is free."""
        kept = self.key_in_use(actor, key)
        if kept and kept.body != body:
            return "idempotency_conflict"
        if kept and self.alive(kept.upload_id):
            return AGAIN
        self.keys.pop((actor, key), None)
        return None

    def create(self, upload_id: str, owner: str, slot: str, key: tuple[str, str, object] | None = None) -> str | None:
        """A pending upload, within the owner's limits."""
        recent = [at for who, at in self.asked if who == owner and at > self.now - HOUR]
        waiting = [each for each in self.uploads if (row := self.alive(each, owner)) and row.state == "pending"]
        if len(recent) >= INTENTS_PER_HOUR or len(waiting) >= OPEN_INTENTS:
            return "limit_exceeded"
        self.asked.append((owner, self.now))
        self.uploads[upload_id] = Upload(owner, slot, self.now, ceil(self.now + HOUR))
        if key:
            actor, name, body = key
            self.keys[actor, name] = Kept(body, upload_id, ceil(self.now + DAY))
        return None

    def settle(self, upload_id: str, content: Content | None) -> str | None:
        """Ready, or rejected; only what is pending changes."""
        upload = self.alive(upload_id)
        if upload and upload.state == "pending" and content is not None:
            form = self.forms.get(upload_id)
            takes = content is Content.PICTURE or (content is Content.ANOTHER and not (form and form.exact))
            upload.state, upload.expires = "ready" if takes else "rejected", ceil(self.now + DAY)
        return None

    def accept(self, upload_id: str) -> str | None:
        """Tells whoever sent the picture itself that it will not do."""
        return None if self.uploads[upload_id].state == "ready" else "image_unacceptable"

    def clear(self, upload_id: str) -> None:
        """The original goes."""
        self.incoming.pop(upload_id, None)

    def bind(self, actor: str, user: str, slot: str, named: Named) -> str | None:
        """The slot holds the upload that was named."""
        held = self.slots.get((user, slot)) == named.upload_id
        if refusal := self.unfit(user, slot, named) or (None if held else self.unattachable(user, slot, named)):
            return refusal
        return "reference_invalid" if named.misnamed else self.change(actor, user, slot, named.upload_id)

    def unfit(self, user: str, slot: str, named: Named) -> str | None:
        """Why the name alone will not do."""
        if named.owner != user:
            return "upload_not_found"
        return None if named.claimed in {None, slot} else "slot_mismatch"

    def unattachable(self, user: str, slot: str, named: Named) -> str | None:
        """Why the upload will not do for a slot that does not hold it."""
        upload = self.alive(named.upload_id, user)
        if named.claimed:
            return "reference_invalid"
        if upload is None:
            return "upload_not_found"
        if upload.slot != slot:
            return "slot_mismatch"
        return {"pending": "upload_not_ready", "rejected": "upload_rejected"}.get(upload.state)

    def change(self, actor: str, user: str, slot: str, wanted: str | None) -> str | None:
        """The slot holds what is wanted, within the caller's limit, and its predecessor goes."""
        held = self.slots.get((user, slot))
        if held == wanted:
            return None
        minute = (actor, int(self.now) // MINUTE)
        if self.changes[minute] >= CHANGES_PER_MINUTE:
            return "limit_exceeded"
        self.changes[minute] += 1
        self.uploads.pop(held or "", None)
        self.slots.pop((user, slot), None)
        if wanted:
            self.slots[user, slot] = wanted
        if bound := self.uploads.get(wanted or ""):
            bound.state, bound.expires = "bound", None
        return None


type Step = Callable[[Model], str | None]
