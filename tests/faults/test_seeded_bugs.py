"""Check that the crash tests notice bugs that no mutation operator makes: wrong orders and missing conditions."""

from collections.abc import Callable
from typing import Any

import pytest

from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.models import UploadItem
from profile_media.aws.objects import S3Incoming, S3Media
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.errors import AttachmentChanged
from tests import cloud
from tests.faults.rehearsal import environment, fail_each_call, rehearse
from tests.faults.scenarios import SCENARIOS
from tests.faults.world import World

__all__ = ["environment"]

type Bug = tuple[type, str, Callable[[Any], Any]]
"""A class, a method, and a function that makes the faulty method of the good one."""


def delete_first(change_slot: Any) -> Any:
    """Delete the row of the replaced upload before the transaction."""

    def faulty(self: DynamoAttachments, change: Any) -> bool:
        if replaced := change.profile.bound_upload_id(change.slot):
            UploadItem(change.profile.user_id, replaced).delete()
        return bool(change_slot(self, change))

    return faulty


def purge_first(change_slot: Any) -> Any:
    """Enqueue no purge, but delete the objects of the replaced upload before the transaction."""

    def faulty(self: DynamoAttachments, change: Any) -> bool:
        if replaced := change.profile.bound_upload_id(change.slot):
            S3Media(cloud.MEDIA_BUCKET).delete_prefix(replaced)
        return bool(change_slot(self, change))

    return faulty


def no_read_back(change_slot: Any) -> Any:
    """Take a failed condition for a lost race, although the answer to a successful attempt may have been lost."""

    def faulty(self: DynamoAttachments, change: Any) -> bool:
        if not change_slot(self, change):
            raise AttachmentChanged(change.slot)
        return True

    return faulty


def no_condition(_: Any) -> Any:
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


def do_nothing(_: Any) -> Any:
    """Report success without doing anything."""
    return lambda *_: ()


BUGS: dict[str, tuple[Bug, str, str]] = {
    "row deleted before the slot changes": ((DynamoAttachments, "change_slot", delete_first), "another avatar", "I3"),
    "objects deleted before the slot changes": (
        (DynamoAttachments, "change_slot", purge_first),
        "another avatar",
        "I1",
    ),
    "no read-back": ((DynamoAttachments, "change_slot", no_read_back), "a first avatar", "lost"),
    "result written without a condition": (
        (DynamoUploads, "save_result", no_condition),
        "a picture whose row goes meanwhile",
        "I5",
    ),
    "original deleted too soon": ((S3Incoming, "fetch", delete_original_first), "a picture", ""),
    "derivatives of the losing event not deleted": (
        (S3Media, "delete", do_nothing),
        "a picture that loses against another",
        "",
    ),
    "purge requests lost": ((SqsPurgeQueue, "enqueue", do_nothing), "a removed row", ""),
}
"""Each bug, the scenario that shows it, and a text in the failure: the violated invariant, the fault, or a call."""


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("name", BUGS)
def test_crash_tests_notice_seeded_bug(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (of, method, make), scenario, text = BUGS[name]
    monkeypatch.setattr(of, method, make(getattr(of, method)))

    with pytest.raises(AssertionError) as failure:
        fail_each_call(rehearse(world, next(each for each in SCENARIOS if each.name == scenario)))

    told = [str(failure.value), *getattr(failure.value, "__notes__", ()), *world.observer.broken]
    assert text in " ".join(told)
