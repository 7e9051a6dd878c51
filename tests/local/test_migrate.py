"""`make migrate` on rows as version 0.1.0 wrote them: the change, a second run, a dry run, an interruption."""

from pathlib import Path
from typing import Any

import pytest

from profile_media.aws import upload_index
from profile_media.aws.tables import write
from profile_media.domain import keys
from profile_media.domain.model import MASTER
from tests import cloud
from tests.builders import ADA, a_derivative, an_id
from tools import migrate, table_pages, target

BOUND, PENDING, PRESENT = an_id(0xA1), an_id(2), an_id(3)
MASTER_OF_BOUND = a_derivative(name=MASTER, content=b"master")


def old_rows() -> list[dict[str, Any]]:
    """The items that version 0.1.0 wrote, attribute by attribute, and one of this version."""
    upload = {
        "owner_id": {"S": ADA}, "slot": {"S": "avatar"}, "content_type": {"S": "image/jpeg"},
        "content_length": {"N": "1000"}, "created_at": {"N": "1795219200000"},
    }  # fmt: skip
    master = {"name": {"S": MASTER}, "digest": {"S": MASTER_OF_BOUND.digest}, "content_type": {"S": "image/webp"},
              "width": {"N": "2048"}, "height": {"N": "1536"}, "size": {"N": "6"}}  # fmt: skip
    return [
        {**upload, "upload_id": {"S": BOUND}, "state": {"S": "bound"}, "width": {"N": "4000"}, "height": {"N": "3000"},
         "derivatives": {"L": [{"M": master}]}},
        {**upload, "upload_id": {"S": PENDING}, "state": {"S": "pending"}, "expires_at": {"N": "1795222800"}},
        {**upload, "upload_id": {"S": PRESENT}, "state": {"S": "pending"}, "expires_at": {"N": "1795222800"},
         "id_prefix": {"S": PRESENT[:2]}},
        {"owner_id": {"S": ADA}, "upload_id": {"S": "writes#29920320"}, "changes": {"N": "3"}},
        {"owner_id": {"S": ADA}, "upload_id": {"S": "quota"}, "open": {"SS": [f"1795219200000#{PENDING}"]}},
        {"owner_id": {"S": ADA}, "upload_id": {"S": f"idempotency#{'0' * 64}"}, "made": {"S": PENDING}},
        {"owner_id": {"S": "reconcile"}, "upload_id": {"S": "reconcile#pictures"}, "version": {"N": "7"}},
    ]  # fmt: skip


@pytest.fixture
def old(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> cloud.Cloud:
    """A deployment with rows of version 0.1.0."""
    for row in old_rows():
        aws.dynamodb.put_item(TableName=cloud.UPLOADS_TABLE, Item=row)
    names = ("USERS_TABLE", "UPLOADS_TABLE", "MEDIA_BUCKET")
    monkeypatch.setattr(target, "deployed_settings", lambda _: {name: cloud.ENVIRONMENT[name] for name in names})
    return aws


def run(folder: Path, *arguments: str) -> int:
    return migrate.main(["--stack", "pictures", "--state", str(folder), "--rate", "1e9", *arguments])


def listed() -> list[str]:
    """Return the upload ids in the index."""
    return [key.upload_id for key in upload_index.DynamoUploadIndex(cloud.UPLOADS_TABLE).keys_after(None).items]


def by_key(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["upload_id"]["S"]: row for row in rows}


def test_dry_run_reports_and_changes_nothing(
    old: cloud.Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path) == 1

    assert by_key(old.rows(cloud.UPLOADS_TABLE)) == by_key(old_rows())
    assert "index: 2 to change, counters: 1 to change, masters: 0 to change" in capsys.readouterr().out


def test_migration_lists_old_uploads_in_the_index_and_changes_nothing_else(
    old: cloud.Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--apply") == 0

    expected = by_key(old_rows())
    del expected["writes#29920320"]
    for upload_id in (BOUND, PENDING):
        expected[upload_id]["id_prefix"] = {"S": upload_id[:2]}
    assert by_key(old.rows(cloud.UPLOADS_TABLE)) == expected
    assert listed() == sorted([BOUND, PENDING, PRESENT])

    capsys.readouterr()
    assert run(tmp_path, "--apply") == 0
    assert run(tmp_path) == 0
    assert capsys.readouterr().out.count("Nothing to do.") == 2


def test_interrupted_migration_continues_after_its_last_page(
    old: cloud.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(table_pages, "PAGE", 1)
    calls = iter((False, True))

    def interrupted_write(change: Any) -> bool:
        if next(calls, False):
            raise KeyboardInterrupt
        return write(change)

    monkeypatch.setattr(migrate, "write", interrupted_write)

    assert run(tmp_path, "--apply") == 1
    assert "to continue" in capsys.readouterr().err
    assert run(tmp_path, "--apply") == 0

    assert "It is continued." in (output := capsys.readouterr().out)
    assert f"\n  {len(old_rows())} items read" not in output
    assert listed() == sorted([BOUND, PENDING, PRESENT])
    assert not list(tmp_path.iterdir())


def test_row_that_is_removed_during_the_migration_does_not_come_back(
    old: cloud.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def remove_first(change: Any) -> bool:
        key = {"owner_id": {"S": ADA}, "upload_id": {"S": change.item.upload_id}}
        old.dynamodb.delete_item(TableName=cloud.UPLOADS_TABLE, Key=key)
        return write(change)

    monkeypatch.setattr(migrate, "write", remove_first)

    assert run(tmp_path, "--apply") == 0

    assert not {BOUND, PENDING} & by_key(old.rows(cloud.UPLOADS_TABLE)).keys()


@pytest.mark.parametrize("is_removed", [False, True])
def test_master_is_moved_to_the_key_that_this_version_reads(
    is_removed: bool, old: cloud.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = f"media/{BOUND}/master-{MASTER_OF_BOUND.digest}.webp"
    old.s3.put_object(Bucket=cloud.MEDIA_BUCKET, Key=former, Body=b"master", StorageClass="STANDARD_IA")
    present = keys.media_key(BOUND, MASTER_OF_BOUND)
    if is_removed:
        monkeypatch.setattr(migrate, "read", lambda *_: None)

    assert run(tmp_path, "--apply") == 0

    assert old.keys(cloud.MEDIA_BUCKET) == (set() if is_removed else {present})
    if not is_removed:
        found = old.s3.get_object(Bucket=cloud.MEDIA_BUCKET, Key=present)
        assert (found["Body"].read(), found["StorageClass"]) == (b"master", "STANDARD_IA")
        assert run(tmp_path) == 0


def test_master_under_its_present_key_is_left_alone(old: cloud.Cloud, tmp_path: Path) -> None:
    key = keys.media_key(BOUND, MASTER_OF_BOUND)
    old.s3.put_object(Bucket=cloud.MEDIA_BUCKET, Key=key, Body=b"master")

    assert run(tmp_path, "--apply") == 0

    assert old.keys(cloud.MEDIA_BUCKET) == {key}
