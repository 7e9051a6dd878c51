"""The platform around the functions: it retries, delivers what the stream and the queues hold, and lets time pass.

An observer looks at all data after every call to AWS; `broken` returns the invariants that it found violated.
"""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from profile_media.aws.clock import SystemClock
from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.framing import Framing
from profile_media.domain.keys import incoming_key, media_key
from profile_media.domain.model import Slot, Upload, utc_now
from profile_media.domain.ports import Rendered
from profile_media.imaging import PillowImages
from tests import cloud, pictures
from tests.builders import ADA, an_id
from tests.faults import stored
from tests.faults.injector import Crash, Injector
from tests.faults.observer import Observer, Row
from tests.functions.conftest import Answer, Call, Rows, an_event, run

OPEN_INTENTS = 5
"""The limit of open intents in these tests: few, because each entry is one more call that can fail."""


@dataclass(frozen=True)
class Saved:
    """A world as it was: restoring it takes a millisecond instead of two dozen calls."""

    stored: stored.Stored
    observer: dict[str, Any]
    ahead: timedelta


@dataclass
class World:
    """Everything that a test of faults needs."""

    aws: cloud.Cloud
    rows: Rows
    call: Call
    injector: Injector
    observer: Observer = field(init=False)
    while_rendering: Callable[[], object] | None = None
    """Runs while the next picture is rendered, like another invocation."""
    _ahead: timedelta = timedelta()

    def __post_init__(self) -> None:
        self.observer = Observer(self.now)
        self.injector.after_each = self.observer.look

    def reset(self) -> None:
        """Delete everything, but keep the clients."""
        self.injector.disarm()
        self.injector.after_each = lambda: None
        self._ahead = timedelta()
        with self.injector.standing_aside():
            cloud.empty(self.aws)
        self.observer = Observer(self.now)
        self.injector.after_each = self.observer.look

    def save(self) -> Saved:
        """Save the world as it is."""
        self.observer.look()
        observed = {name: value for name, value in vars(self.observer).items() if name != "now"}
        return Saved(stored.save(), copy.deepcopy(observed), self._ahead)

    def restore(self, saved: Saved) -> None:
        """Make the world what it was when it was saved."""
        self.injector.disarm()
        self.injector.interrupted = False
        self.while_rendering = None
        stored.restore(saved.stored)
        self._ahead = saved.ahead
        vars(self.observer).update(copy.deepcopy(saved.observer))

    def salt(self, length: int) -> bytes:
        """Return bytes that are different each time, and known to the observer."""
        self.observer.salts.append(len(self.observer.salts).to_bytes(length))
        return self.observer.salts[-1]

    def now(self) -> datetime:
        """Return the time, as the functions see it."""
        return utc_now() + self._ahead

    # --- what users do

    def pending(
        self, picture: bytes, number: int = 1, slot: Slot = Slot.AVATAR, owner_id: str = ADA, **more: Any
    ) -> Upload:
        """Create an upload whose picture is stored but not processed."""
        now = self.now()
        times = {"created_at": now, "expires_at": (now + timedelta(hours=1)).replace(microsecond=0)}
        with self.injector.standing_aside():
            upload = self.rows.pending(
                owner_id=owner_id, upload_id=an_id(number), content_length=500_000, slot=slot, **times, **more
            )
        self.receive(upload, picture)
        return upload

    def ready(self, picture: bytes, number: int, slot: Slot = Slot.AVATAR, owner_id: str = ADA) -> Upload:
        """Create an upload and process its picture."""
        upload = self.pending(picture, number, slot, owner_id)
        self.process(upload)
        return upload

    def receive(self, upload: Upload, content: bytes) -> None:
        """Store an original, as a browser's POST does."""
        key = incoming_key(upload.owner_id, upload.upload_id)
        with self.injector.standing_aside():
            self.aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=content)

    def bind(self, upload: Upload) -> Answer | None:
        """Bind an upload through the API. Return None where the function died."""
        function = f"bind_{upload.slot.value}"
        try:
            return self.call(function, {"publicId": f"app/temp/user_YXV0aDB8YWRh/images/{upload.upload_id}"})
        except Crash:
            return None

    def cancel(self, upload_id: str, claims: dict[str, str] | None = None) -> Answer:
        """Give up an upload through the API."""
        self.observer.given_up.add(upload_id)
        return self.call("cancel_upload", ..., claims, pathParameters={"uploadId": upload_id})

    def update(self, upload_id: str, **change: object) -> Answer:
        """Crop an upload again, or describe it, through the API."""
        return self.call("update_upload", change, pathParameters={"uploadId": upload_id})

    # --- what the platform does

    def process(self, upload: Upload) -> None:
        """Deliver S3's event once."""
        event = an_event("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = incoming_key(upload.owner_id, upload.upload_id)
        run("process_upload", event)

    def release(self) -> dict[str, Any]:
        """Deliver the rows removed so far through the stream; rows that are reported as failed stay in it."""
        removed = self.observer.removed.copy()
        event = an_event("release_media")
        template = event["Records"][0]
        event["Records"] = [
            {**template, "dynamodb": {**template["dynamodb"], "SequenceNumber": str(number), **_images(each)}}
            for number, each in enumerate(removed)
        ]
        answer: dict[str, Any] = run("release_media", event)
        failed = {int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}
        done = [each for number, each in enumerate(removed) if number not in failed]
        self.observer.removed = [each for each in self.observer.removed if each not in done]
        return answer

    def purge(self, message: dict[str, Any]) -> dict[str, Any]:
        """Deliver one message of the delete queue."""
        event = an_event("purge_media")
        event["Records"][0]["body"] = json.dumps(message)
        answer: dict[str, Any] = run("purge_media", event)
        return answer

    def drain(self) -> None:
        """Deliver removed rows and messages until there are none."""
        self.injector.disarm()
        while self.observer.removed:
            assert self.release() == {"batchItemFailures": []}
        for message in stored.take_messages("purge"):
            assert self.purge(message) == {"batchItemFailures": []}

    def pass_time(self, **duration: float) -> None:
        """Let time pass and DynamoDB remove expired rows. S3's lifecycle rules never run, so they hide nothing."""
        self.put_clock_ahead(**duration)
        now = self.now().timestamp()
        for row in stored.rows_of(cloud.UPLOADS_TABLE):
            if row.get("expires_at", now + 1) <= now:
                stored.remove_row(row)
                self.observer.look()

    def put_clock_ahead(self, **duration: float) -> None:
        """Let time pass while DynamoDB is late with removing expired rows."""
        self._ahead += timedelta(**duration)

    def run_lifecycle(self) -> None:
        """Remove all originals, as S3's lifecycle rule does after a day."""
        stored.remove_objects(cloud.UPLOADS_BUCKET)
        self.observer.look()

    # --- what a test asks

    @contextmanager
    def unobserved(self) -> Iterator[None]:
        """Do not look at the data after each call meanwhile."""
        self.injector.after_each = lambda: None
        with self.injector.standing_aside():
            yield
        self.injector.after_each = self.observer.look

    def queued(self) -> list[str]:
        """Return the bodies of all messages of the delete queue, and leave them there."""
        return stored.messages_of("purge")

    def broken(self, *, quiet: bool) -> list[str]:
        """Return violated invariants; once everything is quiet, also what should not be left."""
        self.observer.look()
        return [*self.observer.broken, *(self.observer.left_over() if quiet else ())]

    def orphans(self) -> set[str]:
        """Return the keys in the media bucket that no row and no slot names."""
        self.observer.look()
        return set(self.observer.last.media) - self.observer.last.named()

    def derivatives(self, picture: bytes, number: int = 1, slot: Slot = Slot.AVATAR) -> set[str]:
        """Return the keys of a picture's derivatives for an upload."""
        rendered = render_once(PillowImages(), picture, slot)
        return {media_key(an_id(number), each) for each, _ in rendered.derivatives}

    def slots(self, user_id: str = ADA) -> dict[str, str]:
        """Return the upload id or URL that each of the user's slots holds."""
        self.observer.look()
        held = {slot.value: self.observer.last.held(user_id, slot) for slot in Slot}
        return {slot: what for slot, what in held.items() if what}


def _images(removed: Row) -> dict[str, Any]:
    """Return what the stream's record says of a removed row."""
    image = {name: TypeSerializer().serialize(value) for name, value in removed.items()}
    return {"Keys": {name: image[name] for name in ("owner_id", "upload_id")}, "OldImage": image}


@pytest.fixture
def picture() -> bytes:
    """Return a picture that is quick to render."""
    return pictures.a_jpeg(64, 48)


_render = PillowImages.render


@cache
def _rendered(content: bytes, slot: Slot, framing: Framing) -> Rendered | ImageUnacceptable:
    try:
        return _render(PillowImages(), content, slot, framing)
    except ImageUnacceptable as refusal:
        return refusal


def render_once(_: PillowImages, content: bytes, slot: Slot, framing: Framing = None) -> Rendered:
    """Render each picture once per process, because rendering is deterministic."""
    outcome = _rendered(content, slot, framing)
    if isinstance(outcome, ImageUnacceptable):
        raise ImageUnacceptable(outcome.reason, outcome.detail)
    return outcome


@pytest.fixture
def world(aws: cloud.Cloud, rows: Rows, call: Call, injector: Injector, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world whose clock the test can put ahead and in which each picture is rendered once."""
    built = World(aws, rows, call, injector)

    def render(images: PillowImages, *arguments: Any) -> Rendered:
        elsewhere, built.while_rendering = built.while_rendering, None
        if elsewhere:
            elsewhere()
        return render_once(images, *arguments)

    monkeypatch.setenv("OPEN_INTENTS", str(OPEN_INTENTS))
    monkeypatch.setattr("profile_media.domain.keys.urandom", built.salt)
    monkeypatch.setattr("profile_media.aws.clock.utc_now", built.now)
    monkeypatch.setattr(SystemClock, "wait", lambda _, seconds: built.put_clock_ahead(seconds=seconds))
    monkeypatch.setattr(PillowImages, "render", render)
    return built
