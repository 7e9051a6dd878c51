"""The platform around the functions: it retries, delivers what the stream and the queue hold, and lets time pass.

And an observer who sees all rows and objects at once, and says what is wrong with them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from profile_media.domain.keys import incoming_key, is_upload_id
from profile_media.domain.model import Slot, Upload, utc_now
from tests import cloud, pictures
from tests.builders import ADA, an_id
from tests.faults.injector import Crash, Injector
from tests.functions.conftest import Answer, Call, Rows, an_event, run

ASYNC_ATTEMPTS = 3
"""Lambda's, for an event it was handed: the first and two retries."""


@dataclass
class World:
    """Everything a test of faults needs."""

    aws: cloud.Cloud
    rows: Rows
    call: Call
    injector: Injector
    _ahead: timedelta = timedelta()
    _seen: dict[tuple[str, str], Any] = field(default_factory=dict)
    _queue: list[dict[str, str]] = field(default_factory=list)

    def now(self) -> datetime:
        """The present, as the functions see it."""
        return utc_now() + self._ahead

    def pending(self, picture: bytes, number: int = 1, slot: Slot = Slot.AVATAR) -> Upload:
        """An upload whose picture has come in, as yet unprocessed."""
        upload = self.rows.pending(upload_id=an_id(number), content_length=500_000, slot=slot)
        self.receive(upload, picture)
        self.watch()
        return upload

    def ready(self, picture: bytes, number: int, slot: Slot = Slot.AVATAR) -> Upload:
        """One whose picture has been processed."""
        upload = self.pending(picture, number, slot)
        self.process(upload)
        return upload

    def receive(self, upload: Upload, content: bytes) -> None:
        """A browser's POST."""
        key = incoming_key(upload.owner_id, upload.upload_id)
        self.aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=content)

    def process(self, upload: Upload) -> None:
        """S3's event, once."""
        event = an_event("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = incoming_key(upload.owner_id, upload.upload_id)
        run("process_upload", event)

    def until_done(self, invoke: Callable[[], Any]) -> Any:
        """Invokes as Lambda does what was handed to it asynchronously."""
        for _ in range(ASYNC_ATTEMPTS):
            try:
                return invoke()
            except (Crash, Exception):
                self.injector.disarm()
        raise AssertionError("every attempt failed")

    def bind(self, upload: Upload) -> Answer | None:
        """The client's call; None where the function died under it."""
        function = f"bind_{upload.slot.value}"
        try:
            return self.call(function, {"publicId": f"app/temp/user_YXV0aDB8YWRh/images/{upload.upload_id}"})
        except Crash:
            return None

    def drain(self) -> None:
        """Hands removed rows to the stream's consumer and messages to the queue's, until there are none."""
        self.injector.disarm()
        while gone := self._removed():
            event = an_event("release_media")
            template = event["Records"][0]
            event["Records"] = [
                {**template, "dynamodb": {**template["dynamodb"], "SequenceNumber": str(number), "Keys": keys}}
                for number, keys in enumerate(gone)
            ]
            assert run("release_media", event) == {"batchItemFailures": []}
        for message in self.aws.messages():
            event = an_event("purge_media")
            event["Records"][0]["body"] = json.dumps(message)
            assert run("purge_media", event) == {"batchItemFailures": []}

    def pass_time(self, **duration: float) -> None:
        """Lets time pass, and DynamoDB remove what has expired; S3's lifecycle never runs, so that it hides nothing."""
        self._ahead += timedelta(**duration)
        now = self.now().timestamp()
        for row in self.aws.rows(cloud.UPLOADS_TABLE):
            if "expires_at" in row and float(row["expires_at"]["N"]) <= now:
                key = {"owner_id": row["owner_id"], "upload_id": row["upload_id"]}
                self.aws.dynamodb.delete_item(TableName=cloud.UPLOADS_TABLE, Key=key)

    def watch(self) -> None:
        """Notes which rows there are, as the stream would."""
        for row in self.aws.rows(cloud.UPLOADS_TABLE):
            self._seen[row["owner_id"]["S"], row["upload_id"]["S"]] = row

    def _removed(self) -> list[dict[str, Any]]:
        present = {(row["owner_id"]["S"], row["upload_id"]["S"]) for row in self.aws.rows(cloud.UPLOADS_TABLE)}
        gone = [key for key in self._seen if key not in present]
        for key in gone:
            del self._seen[key]
        return [{"owner_id": {"S": owner}, "upload_id": {"S": upload}} for owner, upload in gone]

    def wrongs(self, *, quiet: bool) -> list[str]:
        """What must never be, and once everything is quiet, what must not be left."""
        rows = {row["upload_id"]["S"]: row for row in self.aws.rows(cloud.UPLOADS_TABLE)}
        uploads = {upload_id: row for upload_id, row in rows.items() if is_upload_id(upload_id)}
        objects = {key.split("/")[1]: key for key in self.aws.keys(cloud.MEDIA_BUCKET)}
        return [
            *self._dangling(uploads),
            *(f"{upload_id} is bound but no slot points at it" for upload_id in self._unattached(uploads)),
            *(f"{key} belongs to no row" for upload_id, key in objects.items() if quiet and upload_id not in uploads),
            *(f"{key} is left over" for key in self.aws.keys(cloud.UPLOADS_BUCKET) if quiet),
        ]

    def slots(self) -> dict[str, str]:
        """Which upload each of Ada's slots points at."""
        users = [row for row in self.aws.rows(cloud.USERS_TABLE) if row["user_id"]["S"] == ADA]
        slots = ("avatar", "cover_image")
        return {slot: user[slot]["M"]["upload_id"]["S"] for user in users for slot in slots if slot in user}

    def _dangling(self, uploads: dict[str, Any]) -> list[str]:
        present = self.aws.keys(cloud.MEDIA_BUCKET)
        wrong = []
        for slot, upload_id in self.slots().items():
            row = uploads.get(upload_id)
            if row is None or row["state"]["S"] != "bound" or "expires_at" in row:
                wrong.append(f"{slot} points at {upload_id}, which is not bound for good")
        for upload_id, row in uploads.items():
            for derivative in row.get("derivatives", {}).get("L", ()):
                stem = f"media/{upload_id}/{derivative['M']['name']['S']}-{derivative['M']['digest']['S']}."
                if not any(key.startswith(stem) for key in present):
                    wrong.append(f"{stem}… is named by a row and missing")
        return wrong

    def _unattached(self, uploads: dict[str, Any]) -> list[str]:
        attached = set(self.slots().values())
        return [
            upload_id
            for upload_id, row in uploads.items()
            if row["state"]["S"] == "bound" and upload_id not in attached
        ]


@pytest.fixture
def picture() -> bytes:
    """A picture that takes little work."""
    return pictures.a_jpeg(64, 48)


@pytest.fixture
def world(aws: cloud.Cloud, rows: Rows, call: Call, injector: Injector, monkeypatch: pytest.MonkeyPatch) -> World:
    """With clocks that the test can put ahead."""
    built = World(aws, rows, call, injector)
    monkeypatch.setattr("profile_media.aws.clock.utc_now", built.now)
    return built
