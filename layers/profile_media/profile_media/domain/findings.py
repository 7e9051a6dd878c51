"""The findings of reconcile: everything that can be inconsistent between the buckets and the tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from profile_media.domain.model import Slot


class FindingKind(StrEnum):
    """The kinds of inconsistencies."""

    EVENT_LOST = "event_lost"
    """The original of a pending upload is stored, but it was not processed."""
    ORIGINAL_LEFT = "original_left"
    """An original is stored though its upload is processed or gone."""
    KEY_UNKNOWN = "key_unknown"
    """An object has a key that this service does not write."""
    OBJECTS_WITHOUT_ROW = "objects_without_row"
    """Derivatives exist without a row, and no purge has deleted them."""
    OBJECTS_REPLACED = "objects_replaced"
    """Derivatives of a bound upload exist that its row does not name: left by an interrupted crop."""
    ROW_WITHOUT_OBJECTS = "row_without_objects"
    """Derivatives of a bound upload are missing."""
    ROW_WITHOUT_SLOT = "row_without_slot"
    """A bound upload is not in its slot."""
    SLOT_WITHOUT_ROW = "slot_without_row"
    """A slot holds an upload that is not bound or that has other derivatives."""
    LATE = "late"
    """A pass takes longer than twice the time between two passes."""


METRICS: Mapping[FindingKind, str] = MappingProxyType(
    {
        FindingKind.EVENT_LOST: "UploadsRedriven",
        FindingKind.ORIGINAL_LEFT: "OriginalsLeft",
        FindingKind.KEY_UNKNOWN: "KeysUnknown",
        FindingKind.OBJECTS_WITHOUT_ROW: "ObjectsWithoutRow",
        FindingKind.OBJECTS_REPLACED: "ObjectsReplaced",
        FindingKind.ROW_WITHOUT_OBJECTS: "RowsWithoutObjects",
        FindingKind.ROW_WITHOUT_SLOT: "RowsWithoutSlot",
        FindingKind.SLOT_WITHOUT_ROW: "SlotsWithoutRow",
        FindingKind.LATE: "PassesLate",
    }
)
"""The name of the metric that counts each kind."""

ACTOR = "reconcile"
"""The actor in the audit record, if reconcile clears a slot."""


class RepairAction(StrEnum):
    """The repairs of findings."""

    REDRIVEN = "redriven"
    """The original's event was enqueued again."""
    QUEUED = "queued"
    """A purge of the objects was enqueued."""
    REMADE = "remade"
    """The missing derivatives were made from the master."""
    DROPPED = "dropped"
    """The missing animated derivative, which no master can replace, was removed from the row."""
    CLEARED = "cleared"
    """The slot was cleared and the upload's row deleted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One inconsistency and its repair."""

    kind: FindingKind
    owner_id: str | None = None
    upload_id: str | None = None
    key: str | None = None
    slot: Slot | None = None
    detail: str = ""
    mended: RepairAction | None = None

    @property
    def needs_attention(self) -> bool:
        """Whether an operator should look at it. Lost events are sent again in any case."""
        return self.kind is not FindingKind.EVENT_LOST

    @property
    def cleared_slot(self) -> Slot | None:
        """The slot that was cleared, which belongs in the audit record."""
        return self.slot if self.mended is RepairAction.CLEARED else None


type Report = Callable[[Finding], None]
"""Receives every finding, right after it was repaired. A repeated page reports its findings again."""


@dataclass(frozen=True, slots=True)
class GracePeriods:
    """The age at which each inconsistency becomes a finding. Until then, normal processing can still resolve it."""

    event: timedelta = timedelta(minutes=10)
    """Lambda retries an event after one minute and after two more."""
    original: timedelta = timedelta(hours=1)
    """An original is deleted right after it was processed."""
    objects: timedelta = timedelta(days=1)
    purge: timedelta = timedelta(hours=1)
    """From the removal of a row to the deletion of its objects: the delay of the queue and some retries."""

    @classmethod
    def after_purge_delay(cls, delay: timedelta) -> "GracePeriods":
        """Return the periods for a deployment that delays purges."""
        return cls(purge=delay + cls().purge)


@dataclass(frozen=True, slots=True)
class PageResult:
    """The result of one page of a step."""

    findings: Sequence[Finding]
    """Already reported."""
    position: str | None
    """The start of the step's next page; None after the last page."""
    suspects: tuple[str, ...] = ()
    """All suspects that remain."""
