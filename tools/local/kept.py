"""Keep rows, objects, messages and the issuer's keys between two runs: `make up KEEP=1`, and `make reset`.

The state is read and written with the APIs of DynamoDB, S3 and SQS. Each save is a folder of its own; the file
`current` names the last complete one, so a crash during a save loses nothing. Messages are read only when the stack
stops, because reading hides them from the functions. Whatever else was on its way is found by `reconcile` after the
next start.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.local import aws
from tools.local.state import StackRunning, locked
from tools.template import BUCKET, QUEUE, TABLE, Template

CURRENT = "current"
SAVED = "state-"
CONTENT = "content.json"
OBJECT_HEADERS = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentType", "Metadata", "StorageClass")

type Content = dict[str, Any]


@dataclass
class Kept:
    """The state of a stack in a folder."""

    folder: Path
    template: Template
    tokens: Mapping[str, Any]
    """What makes tokens valid: the issuer's private keys, in PEM, and the ports, which are part of its name."""
    _last: Content = field(default_factory=dict)

    def restore(self) -> bool:
        """Fill the empty tables, buckets and queues. Return False if nothing is kept."""
        if (saved := saved_in(self.folder)) is None:
            return False
        content = _read(saved)
        for name, items in content["tables"].items():
            for item in items:
                self._client("dynamodb").put_item(TableName=self.template.name(name), Item=item)
        for number, stored in enumerate(content["objects"]):
            bucket, body = self.template.name(stored["bucket"]), (saved / str(number)).read_bytes()
            self._client("s3").put_object(Bucket=bucket, Key=stored["key"], Body=body, **stored["headers"])
        for name, bodies in content["queues"].items():
            for body in bodies:
                self._client("sqs").send_message(QueueUrl=self.template.queue_url(name), MessageBody=body)
        return True

    def save(self, *, with_messages: bool = False) -> None:
        """Save the state if it has changed. `with_messages` takes the messages out of their queues."""
        content: Content = {
            "tokens": self.tokens,
            "tables": {name: list(self._items(name)) for name in self._names(TABLE)},
            "objects": [found for name in self._names(BUCKET) for found in self._objects(name)],
            "queues": {name: list(self._messages(name)) for name in self._names(QUEUE)} if with_messages else {},
        }
        if content != self._last:
            self._write(content)
            self._last = content

    def _write(self, content: Content) -> None:
        draft = self.folder / f"{SAVED}{time.time_ns()}"
        draft.mkdir(parents=True, mode=0o700)
        copies = self._copies()
        kept: list[Content] = []
        for found in content["objects"]:
            target = draft / str(len(kept))
            if copy := copies.get((found["bucket"], found["key"], found["etag"])):
                os.link(copy[0], target)
                kept.append({**found, "headers": copy[1]})
            elif headers := self._fetch(found, target):
                kept.append({**found, "headers": headers})
        (draft / CONTENT).write_text(json.dumps({**content, "objects": kept}))
        pointer = self.folder / f"{CURRENT}.new"
        pointer.write_text(draft.name)
        pointer.replace(self.folder / CURRENT)
        for other in self.folder.glob(f"{SAVED}*"):
            if other != draft:
                shutil.rmtree(other)

    def _copies(self) -> dict[tuple[str, str, str], tuple[Path, Content]]:
        """Return file and headers of each object of the last save."""
        if (saved := saved_in(self.folder)) is None:
            return {}
        objects = _read(saved)["objects"]
        return {
            (stored["bucket"], stored["key"], stored["etag"]): (saved / str(number), stored["headers"])
            for number, stored in enumerate(objects)
        }

    def _fetch(self, found: Content, target: Path) -> Content | None:
        """Copy an object and return its headers, or None if it was deleted meanwhile."""
        s3 = self._client("s3")
        try:
            answer = s3.get_object(Bucket=self.template.name(found["bucket"]), Key=found["key"])
        except s3.exceptions.NoSuchKey:
            return None
        target.write_bytes(answer["Body"].read())
        return {name: answer[name] for name in OBJECT_HEADERS if answer.get(name)}

    def _items(self, table: str) -> Iterator[Content]:
        for page in self._client("dynamodb").get_paginator("scan").paginate(TableName=self.template.name(table)):
            yield from page["Items"]

    def _objects(self, bucket: str) -> Iterator[Content]:
        for page in self._client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.template.name(bucket)):
            for found in page.get("Contents", []):
                yield {"bucket": bucket, "key": found["Key"], "etag": found["ETag"]}

    def _messages(self, queue: str) -> Iterator[str]:
        request = {"QueueUrl": self.template.queue_url(queue), "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}
        while messages := self._client("sqs").receive_message(**request).get("Messages"):
            for message in messages:
                yield message["Body"]

    def _names(self, type_: str) -> list[str]:
        return [found.logical_id for found in self.template.of_type(type_)]

    def _client(self, service: str) -> Any:
        return aws.client(service, self.template.endpoint)


def saved_in(folder: Path) -> Path | None:
    """Return the folder of the last complete save."""
    try:
        return folder / (folder / CURRENT).read_text()
    except FileNotFoundError:
        return None


def kept_tokens(folder: Path | None) -> Content:
    """Return `tokens` of the last save: `keys` and `ports`, or nothing."""
    saved = saved_in(folder) if folder else None
    tokens: Content = _read(saved)["tokens"] if saved else {}
    return tokens


def reset(folder: Path) -> None:
    """Delete what is kept in the folder, and nothing else. Raise StackRunning if a stack uses it."""
    if not folder.exists():
        return
    with locked(folder):
        (folder / CURRENT).unlink(missing_ok=True)
        for saved in folder.glob(f"{SAVED}*"):
            shutil.rmtree(saved)


def _read(saved: Path) -> Content:
    content: Content = json.loads((saved / CONTENT).read_text())
    return content


def main(arguments: list[str]) -> int:
    """Delete the kept state. Return 1 if a stack uses it."""
    parser = argparse.ArgumentParser(prog="make reset", description="Delete the state that KEEP=1 keeps.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    try:
        reset(folder)
    except StackRunning as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Nothing is kept in {folder}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
