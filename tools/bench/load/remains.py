"""What is left when everybody has gone: bound rows with all their objects, nothing else, and nobody waiting."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from profile_media.domain.keys import INCOMING_PREFIX, MEDIA_PREFIX
from profile_media.domain.model import Slot
from profile_media.domain.policy import SIZES
from tools.bench.load.life import Log
from tools.local import aws

OBJECTS = {*(size.name for size in SIZES[Slot.AVATAR]), "master"}
"""Of one upload in the media bucket."""

PATIENCE = 60
"""Seconds for the last purge, beyond the queue's delay."""

_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible")


class Remains:
    """Looks behind the scenes of a stack."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._state = state
        self._s3, self._dynamodb, self._sqs = (
            aws.client(service, state["aws_endpoint"]) for service in ("s3", "dynamodb", "sqs")
        )

    def wrong(self, logs: list[Log]) -> list[str]:
        """Everything that is lost or left over once the purges are through; nothing, if all is as it should be."""
        bound = {user: upload for log in logs for user, upload in log.bound.items()}
        deadline = time.monotonic() + float(self._state["parameters"]["PurgeDelaySeconds"]) + PATIENCE
        while (found := list(self._look(bound))) and time.monotonic() < deadline:
            time.sleep(0.5)
        return found

    def _look(self, bound: Mapping[str, str | None]) -> Iterator[str]:
        kept = {upload: user for user, upload in bound.items() if upload}
        yield from self._rows(kept, bound)
        yield from self._objects(kept)
        for name, url in self._state["queues"].items():
            if waiting := self._waiting(url):
                yield f"{waiting} messages in {name}"

    def _rows(self, kept: Mapping[str, str], everybody: Mapping[str, str | None]) -> Iterator[str]:
        """Uploads of those who took part: bound and pointed at by their owner's slot, or gone."""
        rows = {
            row["upload_id"]["S"]: row
            for row in self._scan("UploadsTable")
            if "slot" in row and row["owner_id"]["S"] in everybody
        }
        yield from (f"no row of {upload}" for upload in kept.keys() - rows.keys())
        for upload, row in rows.items():
            if kept.get(upload) != row["owner_id"]["S"]:
                yield f"a row too many: {upload}, {row['state']['S']}"
            elif row["state"]["S"] != "bound" or "expires_at" in row:
                yield f"{upload} is {row['state']['S']}, and should be bound for good"
        users = {row["user_id"]["S"]: row for row in self._scan("UsersTable")}
        for user, upload in everybody.items():
            shown = users.get(user, {}).get("avatar", {}).get("M", {}).get("upload_id", {}).get("S")
            if shown != upload:
                yield f"{user} shows {shown}, and should show {upload}"

    def _objects(self, kept: Mapping[str, str]) -> Iterator[str]:
        """Of a stack of one's own all objects are ours; of another, those that no row of somebody else's names."""
        others = {row["upload_id"]["S"] for row in self._scan("UploadsTable") if "slot" in row} - kept.keys()
        lying: dict[str, set[str]] = {}
        for key in self._keys("MediaBucket", MEDIA_PREFIX):
            _, upload, name = key.split("/")
            lying.setdefault(upload, set()).add(name.split("-")[0])
        for upload in kept:
            if lost := OBJECTS - lying.get(upload, set()):
                yield f"{upload} has lost {', '.join(sorted(lost))}"
        yield from (f"objects without a row: {upload}" for upload in lying.keys() - kept.keys() - others)
        for key in self._keys("UploadsBucket", INCOMING_PREFIX):
            if key.rsplit("/", 1)[1] not in others:
                yield f"an original was left: {key}"

    def _scan(self, table: str) -> Iterator[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._state["tables"][table])
        for page in pages:
            yield from page["Items"]

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._state["buckets"][bucket], Prefix=prefix)
        for page in pages:
            yield from (found["Key"] for found in page.get("Contents", []))

    def _waiting(self, url: str) -> int:
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
        return sum(int(found[name]) for name in _COUNTS)
