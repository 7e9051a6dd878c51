"""Restoring tables to an earlier time, with reconcile afterwards: the end state is consistent, and losses are named.

Copies of the tables stand for those that DynamoDB's point-in-time recovery makes.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.objects import S3Media
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.model import Attachment, Slot, State, utc_now
from profile_media.domain.ports import SlotChange
from tests import cloud
from tests.builders import a_derivative, an_id, an_upload
from tools import restore, target
from tools.local.reconcile import patience_of, reconcile

COPIES = {cloud.USERS_TABLE: "users-copy", cloud.UPLOADS_TABLE: "uploads-copy"}
GRACES_OLD = an_id(2)


class World:
    """A deployment whose users set pictures; the picture with a number has the number as its content."""

    def __init__(self, aws: cloud.Cloud) -> None:
        self.aws = aws
        self._attachments = DynamoAttachments(cloud.USERS_TABLE, cloud.UPLOADS_TABLE)
        self._uploads, self._media = DynamoUploads(cloud.UPLOADS_TABLE), S3Media(cloud.MEDIA_BUCKET)

    def set_picture(self, owner_id: str, number: int) -> None:
        """Upload a picture and bind it. The picture that it replaces is purged."""
        now = utc_now()
        pending = an_upload(owner_id=owner_id, upload_id=an_id(number), created_at=now, expires_at=now + timedelta(1))
        content = str(number).encode()
        ready = replace(pending, state=State.READY, derivatives=(a_derivative(content=content),))
        self._uploads.create(pending, None, open_limit=9, recent_limit=9)
        self._media.store(ready.upload_id, [(ready.derivatives[0], content)])
        assert self._uploads.save_result(ready, now)
        profile, _ = self._attachments.read(owner_id, ready.upload_id)
        assert self._attachments.change_slot(SlotChange(profile, Slot.AVATAR, ready.attachment, None, now))
        if replaced := profile.bound_upload_id(Slot.AVATAR):
            self._media.delete_prefix(replaced)

    def copy_tables(self) -> None:
        """Copy both tables without stream, TTL and index, as a point-in-time recovery can."""
        for table, copy in COPIES.items():
            keys = self.aws.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
            kinds = [{"AttributeName": each["AttributeName"], "AttributeType": "S"} for each in keys]
            self.aws.dynamodb.create_table(
                TableName=copy, BillingMode="PAY_PER_REQUEST", KeySchema=keys, AttributeDefinitions=kinds
            )
            for item in self.aws.rows(table):
                self.aws.dynamodb.put_item(TableName=copy, Item=item)

    def empty(self, table: str) -> None:
        """Lose all rows of a table."""
        keys = self.aws.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
        for item in self.aws.rows(table):
            key = {each["AttributeName"]: item[each["AttributeName"]] for each in keys}
            self.aws.dynamodb.delete_item(TableName=table, Key=key)

    def shown(self) -> dict[str, str | None]:
        """Return each user's picture by its content, read as a page would."""
        return {user: self._shown(user) for user in ("ada", "grace", "linus")}

    def _shown(self, user: str) -> str | None:
        held = DynamoProfiles(cloud.USERS_TABLE).get(user).attachments.get(Slot.AVATAR)
        if not isinstance(held, Attachment):
            return None
        content = self._media.fetch(held.upload_id, held.derivatives[0])
        assert content is not None
        return content.decode()

    def reconcile(self) -> list[str]:
        """Repair what reconcile finds, and purge what it queues. Return the kinds of the findings."""
        found = reconcile(patience_of(0), mends=True)
        for message in self.aws.messages():
            self._media.delete_prefix(message["upload_id"])
        return sorted(finding.kind.value for finding in found)


@pytest.fixture
def world(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> World:
    names = ("USERS_TABLE", "UPLOADS_TABLE", "MEDIA_BUCKET")
    monkeypatch.setattr(target, "deployed_settings", lambda _: {name: cloud.ENVIRONMENT[name] for name in names})
    return World(aws)


def run(*arguments: str) -> int:
    copies = ["--users", COPIES[cloud.USERS_TABLE], "--uploads", COPIES[cloud.UPLOADS_TABLE]]
    return restore.main(["--stack", "pictures", "--rate", "1e9", *copies, *arguments])


def lose_users(world: World) -> None:
    world.empty(cloud.USERS_TABLE)


def lose_uploads(world: World) -> None:
    world.empty(cloud.UPLOADS_TABLE)


def lose_both(world: World) -> None:
    lose_users(world)
    lose_uploads(world)


def lose_nothing(_: World) -> None:
    """Bad data was written instead: the tables are to be as they were."""


ASSURANCE = pytest.mark.assurance
"""A pass of reconcile queries 256 partitions of the index, which takes moto seconds."""


@pytest.mark.parametrize(
    ("case", "is_versioned"),
    [
        # What is lost; options; Grace's picture in the end; what cannot be brought back.
        pytest.param((lose_users, [], "4", None), False, marks=ASSURANCE),  # the row of her new picture is there
        pytest.param((lose_uploads, [], None, an_id(4)), False, marks=ASSURANCE),  # its row is younger than the copy
        pytest.param((lose_both, [], None, GRACES_OLD), False, marks=ASSURANCE),
        ((lose_both, [], "2", None), True),
        ((lose_nothing, ["--rewind"], None, GRACES_OLD), False),
        pytest.param((lose_nothing, ["--rewind"], "2", None), True, marks=ASSURANCE),
    ],
)
def test_restored_tables_are_consistent_after_reconcile(
    case: tuple[Callable[[World], None], list[str], str | None, str | None],
    is_versioned: bool,
    world: World,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lose, options, grace, lost = case
    if is_versioned:
        world.aws.s3.put_bucket_versioning(Bucket=cloud.MEDIA_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for number, user in enumerate(("ada", "grace", "linus"), 1):
        world.set_picture(user, number)
    world.copy_tables()
    world.set_picture("grace", 4)
    lose(world)
    expected = {"ada": "1", "grace": grace, "linus": "3"}

    assert run("--apply", *options) == (1 if lost else 0)

    reported = [line for line in capsys.readouterr().out.splitlines() if line.startswith("lost: ")]
    assert len(reported) == (1 if lost else 0)
    assert all("avatar of grace" in line and str(lost) in line for line in reported)
    world.reconcile()
    assert world.reconcile() == []
    assert world.shown() == expected
    contents = {world.aws.s3.get_object(Bucket=cloud.MEDIA_BUCKET, Key=key)["Body"].read().decode()
                for key in world.aws.keys(cloud.MEDIA_BUCKET)}  # fmt: skip
    assert contents == {content for content in expected.values() if content}


def test_dry_run_changes_nothing_and_second_run_finds_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.set_picture("ada", 1)
    world.copy_tables()
    lose_both(world)

    assert run() == 1
    assert not world.aws.rows(cloud.USERS_TABLE) + world.aws.rows(cloud.UPLOADS_TABLE)
    assert capsys.readouterr().out.splitlines()[:2] == ["1 users added", "1 uploads added"]

    assert run("--apply") == 0
    assert run("--apply") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing to restore."
