"""Copy rows of restored tables into a stack's own tables: `make restore ARGS="--stack NAME --users T --uploads T"`.

T are the names of the tables that DynamoDB restored to an earlier time, both to the same one. docs/restore.md has the
whole procedure. Without `--apply` the command changes nothing and prints what it would do.

By default it fills gaps: it adds users that are missing and the rows of uploads that slots name, and clears slots
whose upload has no row in either table. It changes no other row. With `--rewind` the tables become what they were at
that time: rows are replaced, and newer ones are deleted.

For every upload row that it writes, it also brings back objects that the bucket still has as noncurrent versions
(`KeepDeletedDays`). It prints the pictures that are lost. Safe to repeat. Exit status 1 if pictures are lost, or if
there is something left to do.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.models import SlotMap, UploadItem, UserItem, use_tables
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.session import s3
from profile_media.aws.tables import request
from profile_media.domain.keys import is_upload_id, media_key
from profile_media.domain.model import Slot, State, Upload, utc_now
from profile_media.domain.ports import SlotChange
from tools.local.state import StackNotRunning
from tools.table_pages import Item, find, items
from tools.target import add_options, use_stack

USER_KEY = ("user_id",)
UPLOAD_KEY = ("owner_id", "upload_id")


@dataclass(frozen=True)
class Tables:
    """The names of a pair of tables."""

    users: str
    uploads: str


@dataclass
class Restore:
    """One run."""

    live: Tables
    copy: Tables
    media_bucket: str
    applies: bool = False
    per_second: float = 50.0
    """Rows that are written in a second, at most."""
    done: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    """Slots and objects that cannot be brought back."""

    def fill(self) -> None:
        """Add missing users, then the missing rows of the uploads that slots name."""
        for user in items(self.copy.users):
            if find(self.live.users, _key(user, USER_KEY)) is None:
                present = self._with_bound_uploads(user)
                self._put(self.live.users, present, "users added")
                if not self.applies:
                    self._fill_slots(present)
        for user in items(self.live.users):
            self._fill_slots(user)

    def rewind(self) -> None:
        """Write all rows of the copies that still count, then delete the rows that the copies do not have."""
        for user in items(self.copy.users):
            self._put(self.live.users, user, "users written")
        for row in items(self.copy.uploads):
            if _counts(row):
                self._put_upload(row, "uploads written")
        for user in items(self.live.users):
            self._delete_newer(self.live.users, self.copy.users, _key(user, USER_KEY))
        for row in items(self.live.uploads):
            if is_upload_id(row["upload_id"]["S"]):
                self._delete_newer(self.live.uploads, self.copy.uploads, _key(row, UPLOAD_KEY))

    def _delete_newer(self, table: str, copy: str, key: Item) -> None:
        if find(copy, key) is None:
            self._change("newer rows deleted", "DeleteItem", {"TableName": table, "Key": key})

    def _with_bound_uploads(self, user: Item) -> Item:
        """Return a user of the copy with the pictures that were bound since, as far as their rows exist."""
        owned = {
            "KeyConditionExpression": "owner_id = :owner",
            "ExpressionAttributeValues": {":owner": user["user_id"]},
        }
        rows = request("Query", {"TableName": self.live.uploads, "ConsistentRead": True, **owned})["Items"]
        item = UserItem.from_raw_data(dict(user))
        for row in rows:
            if is_upload_id(row["upload_id"]["S"]) and row["state"]["S"] == State.BOUND:
                upload = UploadItem.from_raw_data(row).upload()
                setattr(item, upload.slot, SlotMap.of(upload.attachment))
        return item.serialize()

    def _fill_slots(self, user: Item) -> None:
        """Add the rows of the uploads in a user's slots."""
        profile = UserItem.from_raw_data(dict(user)).profile()
        for slot in profile.attachments:
            upload_id = profile.bound_upload_id(slot)
            key = {"owner_id": {"S": profile.user_id}, "upload_id": {"S": upload_id}}
            if upload_id is None or find(self.live.uploads, key):
                continue
            row = find(self.copy.uploads, key)
            if row and row["state"]["S"] == State.BOUND:
                self._put_upload(row, "uploads added")
            else:
                self.lost.append(f"{slot} of {profile.user_id}: upload {upload_id} has no row in either table")
                self._clear(profile.user_id, slot, upload_id)

    def _clear(self, user_id: str, slot: Slot, upload_id: str) -> None:
        """Empty a slot, unless its user has changed it meanwhile."""
        self.done["slots cleared"] += 1
        profile = DynamoProfiles(self.live.users).get(user_id)
        if self.applies and profile.bound_upload_id(slot) == upload_id:
            change = SlotChange(profile, slot, None, None, utc_now())
            DynamoAttachments(self.live.users, self.live.uploads).change_slot(change)

    def _put_upload(self, row: Item, what: str) -> None:
        """Write an upload's row after its objects. Those of an unbound upload are not worth a report."""
        upload = UploadItem.from_raw_data(dict(row)).upload()
        missing = [each.name for each in upload.derivatives if not self._bring_back(media_key(upload.upload_id, each))]
        if missing and upload.state is State.BOUND:
            self.lost.append(f"{upload.slot} of {upload.owner_id}: objects of {_name(upload, missing)}")
        self._put(self.live.uploads, row, what)

    def _bring_back(self, key: str) -> bool:
        """Make the newest kept version of a deleted object current. Return False if there is none."""
        if self._exists(key):
            return True
        listed = s3().list_object_versions(Bucket=self.media_bucket, Prefix=key)
        versions = [each for each in listed.get("Versions", ()) if each["Key"] == key]
        if not versions:
            return False
        newest = max(versions, key=lambda each: each["LastModified"])
        self.done["objects brought back"] += 1
        if self.applies:
            source: Any = {"Bucket": self.media_bucket, "Key": key, "VersionId": newest["VersionId"]}
            storage: Any = newest.get("StorageClass", "STANDARD")
            s3().copy_object(Bucket=self.media_bucket, Key=key, CopySource=source, StorageClass=storage)
        return True

    def _exists(self, key: str) -> bool:
        try:
            s3().head_object(Bucket=self.media_bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return False
            raise
        return True

    def _put(self, table: str, row: Item, what: str) -> None:
        if find(table, _key(row, USER_KEY if "user_id" in row else UPLOAD_KEY)) != row:
            self._change(what, "PutItem", {"TableName": table, "Item": row})

    def _change(self, what: str, operation: str, arguments: dict[str, Any]) -> None:
        self.done[what] += 1
        if self.applies:
            request(operation, arguments)
            time.sleep(1 / self.per_second)


def _key(row: Item, names: tuple[str, ...]) -> Item:
    return {name: row[name] for name in names}


def _counts(row: Item) -> bool:
    """Return whether the row is an upload that has not expired. Quotas and other bookkeeping are left out."""
    expires_at = row.get("expires_at")
    return is_upload_id(row["upload_id"]["S"]) and (expires_at is None or int(expires_at["N"]) > time.time())


def _name(upload: Upload, missing: list[str]) -> str:
    return f"{upload.upload_id} ({', '.join(missing)})"


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="make restore", description="Copy rows of restored tables into a stack's.")
    parser.add_argument("--users", required=True, metavar="TABLE", help="the restored users table")
    parser.add_argument("--uploads", required=True, metavar="TABLE", help="the restored uploads table")
    parser.add_argument("--rewind", action="store_true", help="replace rows and delete newer ones; default: fill gaps")
    parser.add_argument("--apply", action="store_true", help="make the changes; default: print what would change")
    parser.add_argument("--rate", type=float, default=50.0, metavar="N", help="rows per second (%(default)s)")
    add_options(parser)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Restore, and print what was done and what is lost."""
    chosen = parse_arguments(arguments)
    try:
        found = use_stack(chosen)
    except StackNotRunning as error:
        print(error, file=sys.stderr)
        return 1
    live = Tables(found["USERS_TABLE"], found["UPLOADS_TABLE"])
    use_tables(users=live.users, uploads=live.uploads)
    copy = Tables(chosen.users, chosen.uploads)
    restore = Restore(live, copy, found["MEDIA_BUCKET"], chosen.apply, chosen.rate)
    work: Callable[[], None] = restore.rewind if chosen.rewind else restore.fill
    work()
    for what, number in restore.done.items():
        print(f"{number:,} {what}")
    for each in dict.fromkeys(restore.lost):
        print(f"lost: {each}")
    if not restore.done:
        print("Nothing to restore.")
    elif not chosen.apply:
        print("Nothing was changed. Run again with --apply.")
    return 1 if restore.lost or (restore.done and not chosen.apply) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
