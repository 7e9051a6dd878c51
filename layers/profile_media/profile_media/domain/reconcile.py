"""Compare buckets and tables, and report or repair inconsistencies that no event will repair.

There are two passes, which work page by page and save a checkpoint after each page, so that the next run continues.

events     originals that were stored too long ago get their event again                       every run
pictures   derivatives against rows, slots against rows, then derivatives without rows          once a day

Before an inconsistency from a listing, an index or a scan is reported, it is read again with strong consistency. So a
finding is never only a delayed read.

Concurrent runs are safe: every page can be repeated, and a checkpoint only replaces its previous version.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from profile_media.domain.findings import Finding, FindingKind, GracePeriods, PageResult, Report
from profile_media.domain.merge import MergeWalk
from profile_media.domain.originals import OriginalsCheck
from profile_media.domain.orphans import OrphansCheck
from profile_media.domain.ports import (
    Attachments,
    Checkpoint,
    Checkpoints,
    Clock,
    ObjectListings,
    Profiles,
    PurgeQueue,
    RedriveQueue,
    TableScans,
    UploadIndex,
    Uploads,
)
from profile_media.domain.repair import Repair
from profile_media.domain.slots import SlotsCheck

RESERVE = timedelta(seconds=45)
"""Minimum remaining time to begin a page. A page takes seconds, or up to two rendering deadlines if it repairs
pictures."""

CHECKPOINT_LIFETIME = timedelta(days=30)
"""A checkpoint is deleted after this time, in case the deployment does not reconcile any more."""


class Step(StrEnum):
    """The steps of a pass."""

    ORIGINALS = "originals"
    MERGE = "merge"
    SLOTS = "slots"
    CONFIRM = "confirm"
    ORPHANS = "orphans"


@dataclass(frozen=True, slots=True)
class Pass:
    """A sequence of steps."""

    every: timedelta
    """From the beginning of one pass to the next. Zero: every run."""
    steps: tuple[Step, ...]

    def step_after(self, step: str) -> Step | None:
        """Return the next step; None after the last."""
        return next(iter(self.steps[self.steps.index(Step(step)) + 1 :]), None)


PASSES: Mapping[str, Pass] = MappingProxyType(
    {
        "events": Pass(timedelta(), (Step.ORIGINALS,)),
        "pictures": Pass(timedelta(days=1), (Step.MERGE, Step.SLOTS, Step.CONFIRM, Step.ORPHANS)),
    }
)

type RemainingTime = Callable[[], timedelta]
type CheckPage = Callable[[Checkpoint], PageResult | None]
"""Checks one page of a step. Returns None if the step has to wait."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Continues every pass for as long as there is time."""

    listings: ObjectListings
    index: UploadIndex
    scans: TableScans
    uploads: Uploads
    profiles: Profiles
    attachments: Attachments
    redrive_queue: RedriveQueue
    purge_queue: PurgeQueue
    checkpoints: Checkpoints
    clock: Clock
    repair: Repair | None
    """None to report only. Lost events are sent again in any case."""
    report: Report
    report_end: Callable[[Checkpoint], None]
    """Receives the last checkpoint of every pass."""
    grace: GracePeriods

    def run(self, remaining_time: RemainingTime) -> None:
        """Run all passes that are due. Stop shortly before the time is used up."""
        steps = self._steps(lambda: remaining_time() < RESERVE)
        for name, pass_ in PASSES.items():
            checkpoint = self._begin(name, pass_)
            while checkpoint.step and remaining_time() > RESERVE:
                result = steps[Step(checkpoint.step)](checkpoint)
                if result is None:
                    break
                checkpoint = self._after(pass_, checkpoint, result)
                if not self.checkpoints.save(checkpoint, self.clock.now() + CHECKPOINT_LIFETIME):
                    break
                if checkpoint.step is None:
                    self.report_end(checkpoint)

    def _begin(self, name: str, pass_: Pass) -> Checkpoint:
        """Return the checkpoint to continue from: a new one if the last pass is finished and the next one is due."""
        checkpoint, now = self.checkpoints.load(name), self.clock.now()
        is_known = checkpoint is not None and checkpoint.step in (None, *pass_.steps)
        if checkpoint is None or not is_known or (checkpoint.step is None and now >= checkpoint.began + pass_.every):
            # An unknown step was saved by another version of the service, which had other steps.
            return Checkpoint(name, now, pass_.steps[0], version=checkpoint.version if checkpoint else 0)
        if checkpoint.step and pass_.every and now > checkpoint.began + 2 * pass_.every:
            self.report(Finding(FindingKind.LATE, detail=f"{name}, at {checkpoint.step} since {checkpoint.began}"))
        return checkpoint

    def _after(self, pass_: Pass, checkpoint: Checkpoint, result: PageResult) -> Checkpoint:
        """Return the checkpoint after a page."""
        step = checkpoint.step
        has_new_suspects = not set(result.suspects) <= set(checkpoint.suspects)
        return replace(
            checkpoint,
            step=pass_.step_after(step) if step and result.position is None else step,
            position=result.position,
            suspects=result.suspects,
            suspected_at=self.clock.now() if has_new_suspects else checkpoint.suspected_at,
            found=Counter(checkpoint.found) + Counter(finding.kind.value for finding in result.findings),
            version=checkpoint.version + 1,
        )

    def _steps(self, is_out_of_time: Callable[[], bool]) -> Mapping[Step, CheckPage]:
        originals = OriginalsCheck(self.listings, self.uploads, self.redrive_queue, self.clock, self.grace, self.report)
        merge = MergeWalk(
            self.listings,
            self.index,
            self.uploads,
            self.profiles,
            self.attachments,
            self.repair,
            self.clock,
            self.grace,
            self.report,
            is_out_of_time,
        )
        slots = SlotsCheck(self.scans, self.uploads, self.attachments, self.report)
        repairs = self.repair is not None
        orphans = OrphansCheck(
            self.listings, self.scans, self.purge_queue, self.clock, self.grace, self.report, repairs
        )
        return {
            Step.ORIGINALS: originals.check_page,
            Step.MERGE: merge.check_page,
            Step.SLOTS: slots.check_page,
            Step.CONFIRM: orphans.confirm_page,
            Step.ORPHANS: orphans.purge_page,
        }
