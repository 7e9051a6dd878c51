"""Check that the crash tests notice bugs that no mutation operator makes: wrong orders and missing steps."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pynamodb.models import Model

from functions.release_media import app as release_media
from profile_media.aws import attachments, uploads
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.models import IdempotencyItem, QuotaItem, UploadItem, UserItem
from profile_media.aws.objects import S3Incoming, S3Media, S3ObjectListings
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.tables import Delete, Save, Update
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain import intend
from profile_media.domain.errors import AttachmentChanged
from profile_media.domain.keys import media_key
from profile_media.domain.model import Derivative
from profile_media.domain.ports import Media
from profile_media.domain.process import Outcome, UploadProcessor
from tests import cloud
from tests.builders import an_id
from tests.faults.baseline import environment, fail_each_call, record_baseline
from tests.faults.scenarios import SCENARIOS
from tests.faults.scheduler import Scheduler
from tests.faults.test_interleavings import ASKED, PAIRS, check_every_order, check_intents_in_every_order
from tests.faults.test_reconcile import DamagedWorld, check_interrupted, damaged, purges
from tests.faults.world import World

__all__ = ["damaged", "environment"]


@dataclass(frozen=True)
class Bug:
    """A faulty function in place of a good one, and what shows it."""

    of: type | ModuleType
    attribute: str
    make: Callable[[Any], Any]
    """Makes the faulty function of the good one."""
    scenario: str
    evidence: str
    """A text in the failure: the violated invariant, or the call that failed."""

    def plant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace the good function."""
        monkeypatch.setattr(self.of, self.attribute, self.make(getattr(self.of, self.attribute)))


# --- transactions


def delete_row_first(change_slot: Any) -> Any:
    """Delete the row of the replaced upload before the transaction."""

    def faulty(self: DynamoAttachments, change: Any) -> bool:
        if replaced := change.profile.bound_upload_id(change.slot):
            UploadItem(change.profile.user_id, replaced).delete()
        return bool(change_slot(self, change))

    return faulty


def delete_objects_first(change_slot: Any) -> Any:
    """Delete the objects of the replaced upload before the transaction."""

    def faulty(self: DynamoAttachments, change: Any) -> bool:
        if replaced := change.profile.bound_upload_id(change.slot):
            S3Media(cloud.MEDIA_BUCKET).delete_prefix(replaced)
        return bool(change_slot(self, change))

    return faulty


def delete_replaced_first(revise: Any) -> Any:
    """Delete the derivatives that a new crop replaces before the transaction."""

    def faulty(self: DynamoAttachments, revision: Any) -> bool:
        keys = [media_key(revision.upload.upload_id, each) for each in revision.upload.shown]
        S3Media(cloud.MEDIA_BUCKET).delete(keys)
        return bool(revise(self, revision))

    return faulty


def take_any_crop(_: Any) -> Any:
    """Bind an upload, or change it, however it is shown."""
    return lambda attachment: UploadItem.upload_id == attachment.upload_id


def raise_at_once(change_slot: Any) -> Any:
    """Take a failed condition for a lost race, although the answer to a successful attempt may have been lost."""

    def faulty(self: DynamoAttachments, change: Any) -> bool:
        if not change_slot(self, change):
            raise AttachmentChanged(change.slot)
        return True

    return faulty


def ignore_failure(change_slot: Any) -> Any:
    """Take a failed condition for a success."""
    return lambda self, change: bool(change_slot(self, change)) or True


def one_by_one(transact: Any) -> Any:
    """Make the writes of a transaction one after the other."""

    def faulty(
        *, deletes: Sequence[Delete] = (), saves: Sequence[Save] = (), updates: Sequence[Update] = ()
    ) -> tuple[Model, ...]:
        failed = [transact(updates=[each]) for each in updates]
        failed += [transact(saves=[each]) for each in saves]
        failed += [transact(deletes=[each]) for each in deletes]
        return sum(failed, ())

    return faulty


def without_deletes(transact: Any) -> Any:
    """Leave the row of the replaced upload."""
    return lambda deletes=(), **rest: transact(**rest)


def without_condition(model: type[Model]) -> Callable[[Any], Any]:
    """Write the items of a model without a condition."""

    def bare(changes: Iterable[Any]) -> list[Any]:
        return [each._replace(condition=None) if isinstance(each.item, model) else each for each in changes]

    def make(transact: Any) -> Any:
        return lambda deletes=(), saves=(), updates=(): transact(
            deletes=bare(deletes), saves=bare(saves), updates=bare(updates)
        )

    return make


def keep_expiry(transact: Any) -> Any:
    """Mark an upload as bound, but do not remove its expiry."""

    def faulty(updates: Sequence[Update] = (), **rest: Any) -> Any:
        kept = [
            each._replace(actions=each.actions[:1]) if isinstance(each.item, UploadItem) else each for each in updates
        ]
        return transact(updates=kept, **rest)

    return faulty


# --- processing


def save_without_condition(_: Any) -> Any:
    """Write a result without the condition that the upload is pending."""

    def faulty(self: DynamoUploads, result: Any, now: Any) -> bool:
        UploadItem.of(result).save()
        return True

    return faulty


def delete_original_first(fetch: Any) -> Any:
    """Delete the original as soon as it has been read."""

    def faulty(self: S3Incoming, owner_id: str, upload_id: str, limit: int) -> Any:
        content = fetch(self, owner_id, upload_id, limit)
        self.delete(owner_id, upload_id)
        return content

    return faulty


class LateMedia:
    """Stores derivatives only when asked to."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self._stored: list[tuple[str, Any]] = []
        self.delete = media.delete

    def store(self, upload_id: str, contents: Any) -> None:
        self._stored.append((upload_id, contents))

    def catch_up(self) -> None:
        for upload_id, contents in self._stored:
            self._media.store(upload_id, contents)


def save_before_storing(process: Any) -> Any:
    """Write the result before the derivatives are stored."""

    def faulty(self: UploadProcessor, upload: Any, original: bytes) -> Any:
        media: Any = LateMedia(self.media)
        processed = process(replace(self, media=media), upload, original)
        media.catch_up()
        return processed

    return faulty


def delete_after_lost_race(process: Any) -> Any:
    """After a lost race, delete also the derivatives that the row names."""

    def faulty(self: UploadProcessor, upload: Any, original: bytes) -> Any:
        processed = process(self, upload, original)
        if processed.outcome is Outcome.LOST:
            self.media.delete_prefix(upload.upload_id)
        return processed

    return faulty


def delete_before_saving(process: Any) -> Any:
    """Delete an upload's objects before new ones are stored."""

    def faulty(self: UploadProcessor, upload: Any, original: bytes) -> Any:
        self.media.delete_prefix(upload.upload_id)
        return process(self, upload, original)

    return faulty


def store_first_only(store: Any) -> Any:
    """Store one derivative of several."""
    return lambda self, upload_id, contents: store(self, upload_id, contents[:1])


def store_other_bytes(store: Any) -> Any:
    """Store other bytes than the digest in the key says."""

    def faulty(self: S3Media, upload_id: str, contents: Sequence[tuple[Derivative, bytes]]) -> None:
        store(self, upload_id, [(each, content + b"x") for each, content in contents])

    return faulty


def do_nothing(_: Any) -> Any:
    """Report success without doing anything."""
    return lambda *_: ()


# --- intents and purges


def same_id(_: Any) -> Any:
    """Use one upload id for all uploads."""
    return SimpleNamespace(uuid4=lambda: an_id(1))


def purge_no_keys(removed_uploads: Any) -> Any:
    """Take a row that names no derivatives for an upload that has none."""
    return lambda event: {
        number: replace(request, media_keys=request.media_keys or ())
        for number, request in removed_uploads(event).items()
    }


def delete_first_page(_: Any) -> Any:
    """Delete the derivatives on the first page of the listing."""

    def faulty(self: S3Media, upload_id: str) -> int:
        page = S3ObjectListings(cloud.UPLOADS_BUCKET, cloud.MEDIA_BUCKET).media(None)
        self.delete([each.key for each in page.items])
        return len(page.items)

    return faulty


CRASHES = {
    "row deleted before the slot changes": Bug(
        DynamoAttachments, "change_slot", delete_row_first, "another avatar", "I3"
    ),
    "objects deleted before the slot changes": Bug(
        DynamoAttachments, "change_slot", delete_objects_first, "another avatar", "I1"
    ),
    "derivatives deleted before the crop is written": Bug(
        DynamoAttachments, "revise", delete_replaced_first, "an avatar cropped", "I2"
    ),
    "no read-back after a lost answer": Bug(
        DynamoAttachments,
        "change_slot",
        raise_at_once,
        "a first avatar",
        "answer is lost and the SDK retries at call 1",
    ),
    "writes of a bind not in a transaction": Bug(attachments, "transact", one_by_one, "another avatar", "I3"),
    "row of the replaced upload stays": Bug(attachments, "transact", without_deletes, "another avatar", "I6"),
    "row of the removed upload stays": Bug(attachments, "transact", without_deletes, "an avatar off", "I6"),
    "bound upload expires": Bug(attachments, "transact", keep_expiry, "a first avatar", "I3"),
    "result written without a condition": Bug(
        DynamoUploads, "save_result", save_without_condition, "a picture whose row goes meanwhile", "I5"
    ),
    "result written before the derivatives are stored": Bug(
        UploadProcessor, "process", save_before_storing, "a picture", "I1"
    ),
    "one derivative stored of several": Bug(S3Media, "store", store_first_only, "a picture", "I1"),
    "other bytes stored than the key says": Bug(S3Media, "store", store_other_bytes, "a picture", "I4"),
    "original deleted too soon": Bug(
        S3Incoming, "fetch", delete_original_first, "a picture", "crash after the effect at call 2, DeleteObject"
    ),
    "original stays": Bug(S3Incoming, "delete", do_nothing, "a picture", "L2"),
    "derivatives of the losing event stay": Bug(
        S3Media, "delete", do_nothing, "a picture that loses against another", "L1"
    ),
    "derivatives of the winning event deleted": Bug(
        UploadProcessor, "process", delete_after_lost_race, "a picture that loses against another", "I2"
    ),
    "no purge of an upload whose row is gone": Bug(
        UploadProcessor, "request_purge", do_nothing, "a picture whose row goes meanwhile", "L1"
    ),
    "upload id used again": Bug(intend, "uuid", same_id, "a lapsed key", "I5"),
    "purge requests lost": Bug(SqsPurgeQueue, "enqueue", do_nothing, "another avatar", "L1"),
    "derivatives of a pending row not purged": Bug(release_media, "removed_uploads", purge_no_keys, "a picture", "L1"),
    "first page of a listing purged": Bug(
        S3Media, "delete_prefix", delete_first_page, "a purge, page after page", "L1"
    ),
    "original not purged": Bug(S3Incoming, "delete", do_nothing, "a purge", "L2"),
}

RACES = {
    "slot changed whatever it holds": Bug(
        attachments, "transact", without_condition(UserItem), "two binds, slot in use", "I3"
    ),
    "crop bound that was replaced": Bug(attachments, "_shown_condition", take_any_crop, "crop and bind", "I3"),
    "expired upload bound": Bug(attachments, "transact", without_condition(UploadItem), "bind and expiry", "I5"),
    "bound upload given up": Bug(uploads, "transact", without_condition(UploadItem), "give up and bind", "I3"),
    "lost race answered with success": Bug(
        DynamoAttachments, "change_slot", ignore_failure, "bind and remove, slot in use", "succeeded"
    ),
    "derivatives of a concurrent event deleted": Bug(
        UploadProcessor, "process", delete_before_saving, "processing twice", "I1"
    ),
}

INTENTS = {
    "open intents not limited": Bug(
        uploads, "transact", without_condition(QuotaItem), "two at the limit", "assert 6 in {5}"
    ),
    "key used for two uploads": Bug(
        uploads, "transact", without_condition(IdempotencyItem), "one key twice", "assert 2 in {1}"
    ),
}

QUICK = {"original deleted too soon", "writes of a bind not in a transaction", "no read-back after a lost answer"}


def seeded(bugs: dict[str, Bug]) -> pytest.MarkDecorator:
    """Parametrize a test with bugs; only the quick ones run in `make test`, the others in `make assurance`."""
    marked = [
        pytest.param(bug, id=name, marks=() if name in QUICK else pytest.mark.assurance) for name, bug in bugs.items()
    ]
    return pytest.mark.parametrize("bug", marked)


def failure_of(check: Callable[[], object], world: World) -> str:
    """Return everything that the failure of a check says, and the invariants that are violated."""
    with pytest.raises(AssertionError) as failure:
        check()
    return "\n".join([str(failure.value), *getattr(failure.value, "__notes__", ()), *world.broken(quiet=True)])


@pytest.mark.usefixtures("environment")
@seeded(CRASHES)
def test_crash_tests_notice_bug(bug: Bug, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    scenario = next(each for each in SCENARIOS if each.name == bug.scenario)

    text = failure_of(lambda: fail_each_call(record_baseline(world, replace(scenario, calls=()))), world)

    assert bug.evidence in text


@seeded(RACES)
def test_interleavings_notice_bug(bug: Bug, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    case = next(each for each in PAIRS if each.name == bug.scenario)

    assert bug.evidence in failure_of(lambda: check_every_order(scheduler, case), scheduler.world)


@seeded(INTENTS)
def test_interleavings_of_intents_notice_bug(bug: Bug, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    case = next(each for each in ASKED if each.name == bug.scenario)

    assert bug.evidence in failure_of(lambda: check_intents_in_every_order(scheduler, case), scheduler.world)


@pytest.mark.assurance
def test_reconcile_tests_notice_lost_purge_request(damaged: DamagedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqsPurgeQueue, "enqueue", do_nothing(None))

    assert "has no row" in failure_of(lambda: check_interrupted(damaged, purges, every=1), damaged.world)
