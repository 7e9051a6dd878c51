"""Bring rows and objects of version 0.1.0 up to date: `make migrate ARGS="--stack NAME"`.

Without `--apply` it changes nothing and prints what it would do. It works on a stack on AWS, with the environment's
credentials and region, or on the running local stack. It reads the uploads table once, page by page, while the service
runs. After each page it notes its position, so that a run that was interrupted continues there; a change that was made
already is not made again. Exit status 1 if it would change something, or if it was interrupted.

| Step | Rows of version 0.1.0 | Change |
|---|---|---|
| index | uploads without `id_prefix`, which the index by-upload-id does not list | write the attribute |
| counters | `writes#<minute>`, the counts of the former change limit | delete the item |
| masters | uploads whose master is under the former key | copy the object to its present key, delete the former |
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from profile_media.aws.models import UploadItem, UploadsTableItem, id_prefix, use_tables
from profile_media.aws.session import s3
from profile_media.aws.tables import Delete, Update, read, write
from profile_media.domain.errors import Unavailable
from profile_media.domain.formats import FORMATS
from profile_media.domain.keys import is_upload_id, media_key
from profile_media.domain.model import MASTER
from tools.local.state import StackNotRunning
from tools.table_pages import Item, pages
from tools.target import add_options, use_stack

COUNTER_PREFIX = "writes#"


@dataclass(frozen=True)
class Step:
    """One kind of change."""

    name: str
    is_needed: Callable[[Item], bool]
    apply: Callable[[Item], object]
    """Safe to repeat."""


@dataclass
class Migration:
    """One run over the uploads table."""

    table: str
    steps: tuple[Step, ...]
    notes: Path
    """The file with the position of the last page that is done."""
    applies: bool = False
    per_second: float = 50.0
    """Items that are changed in a second, at most."""
    found: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Do all pages that are left, and forget the position at the end."""
        read_items = 0
        for items, position in self._pages():
            for item in items:
                self._migrate(item)
            self._note(position)
            read_items += len(items)
            print(f"  {read_items:,} items read; {self.summary()}", flush=True)

    def summary(self) -> str:
        """Return what was found, by step."""
        verb = "changed" if self.applies else "to change"
        return ", ".join(f"{step.name}: {self.found[step.name]} {verb}" for step in self.steps)

    def _pages(self) -> Iterator[tuple[list[Item], str | None]]:
        """Yield the pages that are left, each with the position after it."""
        position = self.notes.read_text() if self.applies and self.notes.exists() else None
        if position:
            print("  An earlier run was interrupted. It is continued.")
        return pages(self.table, position)

    def _migrate(self, item: Item) -> None:
        for step in self.steps:
            if step.is_needed(item):
                self.found[step.name] += 1
                if self.applies:
                    step.apply(item)
                    time.sleep(1 / self.per_second)

    def _note(self, position: str | None) -> None:
        if not self.applies:
            return
        if position is None:
            self.notes.unlink(missing_ok=True)
            return
        self.notes.parent.mkdir(parents=True, exist_ok=True)
        self.notes.write_text(position)


def steps(media_bucket: str) -> tuple[Step, ...]:
    """Return all kinds of changes."""
    masters = Masters(media_bucket)
    return (
        Step("index", _lacks_prefix, _write_prefix),
        Step("counters", _is_counter, lambda item: write(Delete(UploadsTableItem(*_key(item))))),
        Step("masters", masters.is_needed, masters.move),
    )


def _key(item: Item) -> tuple[str, str]:
    return item["owner_id"]["S"], item["upload_id"]["S"]


def _is_counter(item: Item) -> bool:
    return _key(item)[1].startswith(COUNTER_PREFIX)


def _lacks_prefix(item: Item) -> bool:
    return is_upload_id(_key(item)[1]) and "id_prefix" not in item


def _write_prefix(item: Item) -> bool:
    """Write the index's hash key, unless the row was removed meanwhile."""
    owner_id, upload_id = _key(item)
    action = UploadItem.id_prefix.set(id_prefix(upload_id))
    return write(Update(UploadItem(owner_id, upload_id), [action], UploadItem.upload_id.exists()))


@dataclass(frozen=True)
class Masters:
    """Moves masters to the key that this version reads."""

    bucket: str

    def is_needed(self, item: Item) -> bool:
        """Return whether the upload's master is under its former key."""
        keys = self._keys(item)
        return keys is not None and self._head(keys[0]) is not None

    def move(self, item: Item) -> None:
        """Copy the object and delete the former one. A row that was removed meanwhile keeps neither."""
        keys = self._keys(item)
        found = self._head(keys[0]) if keys else None
        if keys is None or found is None:
            return
        former, present = keys
        s3().copy_object(
            Bucket=self.bucket, Key=present, CopySource={"Bucket": self.bucket, "Key": former},
            StorageClass=found.get("StorageClass", "STANDARD"),
        )  # fmt: skip
        s3().delete_object(Bucket=self.bucket, Key=former)
        if read(UploadItem, *_key(item)) is None:
            s3().delete_object(Bucket=self.bucket, Key=present)

    def _keys(self, item: Item) -> tuple[str, str] | None:
        """Return the former and the present key of the master; None if there is none, or the keys are the same."""
        if not is_upload_id(_key(item)[1]):
            return None
        upload = UploadItem.from_raw_data(dict(item)).upload()
        for each in upload.derivatives:
            if each.name == MASTER:
                extension = FORMATS[each.content_type].extension
                former = f"media/{upload.upload_id}/{each.name}-{each.digest}.{extension}"
                present = media_key(upload.upload_id, each)
                return (former, present) if former != present else None
        return None

    def _head(self, key: str) -> Mapping[str, Any] | None:
        try:
            return s3().head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return None
            raise


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="make migrate", description="Bring rows of version 0.1.0 up to date.")
    parser.add_argument("--apply", action="store_true", help="make the changes; default: print what would change")
    parser.add_argument("--rate", type=float, default=50.0, metavar="N", help="changes per second (%(default)s)")
    add_options(parser)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the migration. Return 1 if changes are left to make, or if no stack runs."""
    chosen = parse_arguments(arguments)
    try:
        found = use_stack(chosen)
    except StackNotRunning as error:
        print(error, file=sys.stderr)
        return 1
    table = found["UPLOADS_TABLE"]
    use_tables(users=found["USERS_TABLE"], uploads=table)
    notes = chosen.state / f"migrate-{table}.json"
    migration = Migration(table, steps(found["MEDIA_BUCKET"]), notes, applies=chosen.apply, per_second=chosen.rate)
    print(f"{'Migrating' if chosen.apply else 'Dry run over'} {table}")
    try:
        migration.run()
    except (KeyboardInterrupt, Unavailable) as error:
        print(f"Interrupted ({error!r}). Run the same command again to continue.", file=sys.stderr)
        return 1
    if not migration.found:
        print("Nothing to do.")
    elif not chosen.apply:
        print("Nothing was changed. Run again with --apply.")
    return 1 if migration.found and not chosen.apply else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
