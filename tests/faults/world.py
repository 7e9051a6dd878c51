"""The platform around the functions: it retries, delivers what the stream and the queue hold, and lets time pass.

An observer looks around after every call to AWS; what it finds broken is told by `wrongs`.
"""

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.s3.models import FakeKey, s3_backends
from moto.sqs.models import sqs_backends

from profile_media.aws.clock import SystemClock
from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.keys import incoming_key
from profile_media.domain.model import ContentType, Slot, Upload, utc_now
from profile_media.domain.ports import PurgeRequest, Rendered
from profile_media.imaging import PillowImages
from tests import cloud, pictures
from tests.builders import ADA, an_id
from tests.faults.injector import Crash, Injector
from tests.faults.observer import Observer, rows_of
from tests.functions.conftest import Answer, Call, Rows, an_event, run

ASYNC_ATTEMPTS = 3
"""Lambda's, for an event it was handed: the first and two retries."""


@dataclass(frozen=True)
class Kept:
    """A world as it was: to begin with it again takes a millisecond, and not another two dozen calls."""

    items: bytes
    objects: dict[str, dict[str, FakeKey]]
    queued: tuple[Any, ...]
    observer: dict[str, Any]
    ahead: timedelta


@dataclass
class World:
    """Everything a test of faults needs."""

    aws: cloud.Cloud
    rows: Rows
    call: Call
    injector: Injector
    observer: Observer = field(init=False)
    while_rendering: Callable[[], object] | None = None
    """Happens elsewhere while the next picture is being rendered."""
    _ahead: timedelta = timedelta()

    def __post_init__(self) -> None:
        self.begin_anew(empty=False)

    def begin_anew(self, *, empty: bool = True) -> None:
        """Forgets everything: as a new test would, but with the same clients."""
        self.injector.disarm()
        self.injector.after_each = lambda: None
        self._ahead = timedelta()
        if empty:
            with self.injector.standing_aside():
                cloud.empty(self.aws)
        self.observer = Observer(self.now)
        self.injector.after_each = self.observer.look

    def keep(self) -> Kept:
        """The world as it is, to come back to."""
        self.observer.look()
        tables = dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables
        return Kept(
            pickle.dumps({name: table.items for name, table in tables.items()}),
            {name: dict(bucket.keys.items()) for name, bucket in _buckets().items()},
            tuple(_queue()._messages),
            copy.deepcopy({name: value for name, value in vars(self.observer).items() if name != "now"}),
            self._ahead,
        )

    def return_to(self, kept: Kept) -> None:
        """Makes the world what it was when it was kept; everything else is forgotten."""
        self.injector.disarm()
        self.while_rendering = None
        tables = dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables
        for name, items in pickle.loads(kept.items).items():  # noqa: S301 - it was pickled above
            tables[name].items = items
        for name, bucket in _buckets().items():
            for key in [key for key, entry in bucket.keys.items() if entry is not kept.objects[name].get(key)]:
                bucket.keys.pop(key)
            for key in kept.objects[name].keys() - bucket.keys.keys():
                bucket.keys[key] = kept.objects[name][key]
        queue = _queue()
        queue._messages = list(kept.queued)
        queue._pending_messages.clear()
        self._ahead = kept.ahead
        vars(self.observer).update(copy.deepcopy(kept.observer))

    def now(self) -> datetime:
        """The present, as the functions see it."""
        return utc_now() + self._ahead

    def pending(self, picture: bytes, number: int = 1, slot: Slot = Slot.AVATAR, owner_id: str = ADA) -> Upload:
        """An upload whose picture has come in, as yet unprocessed."""
        with self.injector.standing_aside():
            upload = self.rows.pending(
                owner_id=owner_id, upload_id=an_id(number), content_length=500_000, slot=slot, **self._times()
            )
        self.receive(upload, picture)
        return upload

    def ready(self, picture: bytes, number: int, slot: Slot = Slot.AVATAR, owner_id: str = ADA) -> Upload:
        """One whose picture has been processed."""
        upload = self.pending(picture, number, slot, owner_id)
        self.process(upload)
        return upload

    def receive(self, upload: Upload, content: bytes) -> None:
        """A browser's POST."""
        key = incoming_key(upload.owner_id, upload.upload_id)
        with self.injector.standing_aside():
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

    def release(self) -> dict[str, Any]:
        """Hands the rows removed so far to the stream's consumer; those it fails on come again."""
        removed = self.observer.removed.copy()
        event = an_event("release_media")
        template = event["Records"][0]
        event["Records"] = [
            {**template, "dynamodb": {**template["dynamodb"], "SequenceNumber": str(number), "Keys": _keys(each)}}
            for number, each in enumerate(removed)
        ]
        answer: dict[str, Any] = run("release_media", event)
        failed = {int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}
        done = [each for number, each in enumerate(removed) if number not in failed]
        self.observer.removed = [each for each in self.observer.removed if each not in done]
        return answer

    def purge(self, message: dict[str, str]) -> dict[str, Any]:
        """Hands a message of the delete queue to its consumer."""
        event = an_event("purge_media")
        event["Records"][0]["body"] = json.dumps(message)
        answer: dict[str, Any] = run("purge_media", event)
        return answer

    def drain(self) -> None:
        """Hands removed rows to the stream's consumer and messages to the queue's, until there are none."""
        self.injector.disarm()
        while self.observer.removed:
            assert self.release() == {"batchItemFailures": []}
        for message in self.messages():
            assert self.purge(message) == {"batchItemFailures": []}

    @contextmanager
    def unobserved(self) -> Iterator[None]:
        """Lets a lot be put there without looking around after each call."""
        self.injector.after_each = lambda: None
        with self.injector.standing_aside():
            yield
        self.injector.after_each = self.observer.look

    def queued(self) -> list[str]:
        """What lies on the delete queue, and stays there."""
        return [message.body for message in _queue()._messages]

    def messages(self) -> list[dict[str, str]]:
        """Takes all messages off the delete queue."""
        queue = _queue()
        bodies = [json.loads(message.body) for message in queue._messages]
        queue._messages = []
        return bodies

    def pass_time(self, **duration: float) -> None:
        """Lets time pass, and DynamoDB remove what has expired; S3's lifecycle never runs, so that it hides nothing."""
        self.put_clock_ahead(**duration)
        now = self.now().timestamp()
        for row in rows_of(cloud.UPLOADS_TABLE):
            if row.get("expires_at", now + 1) <= now:
                table = dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables[cloud.UPLOADS_TABLE]
                table.delete_item(DynamoType({"S": row["owner_id"]}), DynamoType({"S": row["upload_id"]}))
                self.observer.look()

    def run_lifecycle(self) -> None:
        """S3 removes what browsers stored a day ago."""
        incoming = _buckets()[cloud.UPLOADS_BUCKET].keys
        for key in list(incoming):
            incoming.pop(key)
        self.observer.look()

    def put_clock_ahead(self, **duration: float) -> None:
        """Lets time pass, and DynamoDB be late with removing what has expired."""
        self._ahead += timedelta(**duration)

    def wrongs(self, *, quiet: bool) -> list[str]:
        """What must never be, and once everything is quiet, what must not be left."""
        self.observer.look()
        return [*self.observer.broken, *(self.observer.left_over() if quiet else ())]

    def slots(self, user_id: str = ADA) -> dict[str, str]:
        """Which upload, or URL, each of the user's slots points at."""
        self.observer.look()
        held = {slot.value: self.observer.last.held(user_id, slot) for slot in Slot}
        return {slot: what for slot, what in held.items() if what}

    def _times(self) -> dict[str, datetime]:
        now = self.now()
        return {"created_at": now, "expires_at": (now + timedelta(hours=1)).replace(microsecond=0)}


def _buckets() -> dict[str, Any]:
    return dict(s3_backends[cloud.ACCOUNT]["aws"].buckets)


def _queue() -> Any:
    return sqs_backends[cloud.ACCOUNT][cloud.REGION].queues["purge"]


def _keys(removed: PurgeRequest) -> dict[str, Any]:
    return {"owner_id": {"S": removed.owner_id}, "upload_id": {"S": removed.upload_id}}


@pytest.fixture
def picture() -> bytes:
    """A picture that takes little work."""
    return pictures.a_jpeg(64, 48)


_render = PillowImages.render


@cache
def _rendered(content: bytes, declared: ContentType, slot: Slot) -> Rendered | ImageUnacceptable:
    try:
        return _render(PillowImages(), content, declared, slot)
    except ImageUnacceptable as refusal:
        return refusal


def _rendered_once(_: PillowImages, content: bytes, declared: ContentType, slot: Slot) -> Rendered:
    """What the picture gives, remembered: it gives the same every time."""
    outcome = _rendered(content, declared, slot)
    if isinstance(outcome, ImageUnacceptable):
        raise ImageUnacceptable(outcome.reason, outcome.detail)
    return outcome


def _retire(key: FakeKey, garbage: bool = False) -> None:
    """In place of moto's: what was deleted keeps its bytes, so that a world can be returned to."""
    key.disposed = True


_serialize_structure = ResponseSerializer._serialize_type_structure


def _serialize_at_once(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """Moto looks for each of a value's ten possible types under four names: 0.1 s for a profile."""
    if shape.name == "AttributeValue":
        serialized[serializer.get_serialized_name(shape, key)] = cloud.on_the_wire(value)
    else:
        _serialize_structure(serializer, serialized, value, shape, key)


@pytest.fixture
def world(aws: cloud.Cloud, rows: Rows, call: Call, injector: Injector, monkeypatch: pytest.MonkeyPatch) -> World:
    """With clocks that the test can put ahead, and every picture rendered once: it is the same every time."""
    built = World(aws, rows, call, injector)

    def render(images: PillowImages, content: bytes, declared: ContentType, slot: Slot) -> Rendered:
        elsewhere, built.while_rendering = built.while_rendering, None
        if elsewhere:
            elsewhere()
        return _rendered_once(images, content, declared, slot)

    monkeypatch.setattr("profile_media.aws.clock.utc_now", built.now)
    monkeypatch.setattr(SystemClock, "wait", lambda _, seconds: built.put_clock_ahead(seconds=seconds))
    monkeypatch.setattr(PillowImages, "render", render)
    monkeypatch.setattr(FakeKey, "dispose", _retire)
    monkeypatch.setattr(ResponseSerializer, "_serialize_type_structure", _serialize_at_once)
    return built
