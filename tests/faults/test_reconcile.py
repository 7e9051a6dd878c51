"""The backstop under faults: whatever fails or happens meanwhile, what is wrong is found, and what is named stays."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from profile_media.domain.errors import Unavailable
from profile_media.domain.keys import incoming_key, media_key
from profile_media.domain.model import Slot, State, Upload
from profile_media.domain.reconcile import Finding, FindingKind
from profile_media.wiring import reconciling
from tests import cloud, pictures
from tests.assurance import Note
from tests.builders import ADA, GRACE, an_id
from tests.faults.injector import Crash, Fault
from tests.faults.observer import rows_of
from tests.faults.world import Kept, World
from tests.functions.conftest import an_event, run

pytestmark = pytest.mark.campaign("Reconcile")

LOST, ORPHAN, SPOILT, BLANK, FINE, NEXT = range(1, 7)
"""The uploads: event lost; no row; some derivatives missing; the master as well; nothing wrong; ready to be bound."""


@dataclass
class Scene:
    """A world in disorder, and its backstop, which mends."""

    world: World
    found: list[Finding] = field(default_factory=list)
    queued_though_named: list[str] = field(default_factory=list)
    """Uploads that were on the delete queue while a row named them."""
    _looked_at: set[str] = field(default_factory=set)

    def furnish(self, *, whole: bool) -> Kept:
        """What can be wrong, a day old: all of it, or half of it and an upload that is ready to be bound."""
        world, picture = self.world, pictures.a_jpeg(64, 48)
        with world.unobserved():
            self._bound(world.ready(picture, SPOILT))
            if whole:
                self._bound(world.ready(picture, BLANK, Slot.COVER_IMAGE))
                self._bound(world.ready(picture, FINE, Slot.AVATAR, GRACE))
                self._lose(BLANK, "full", "master")
            else:
                world.receive(self._leave(NEXT), picture)
                world.process(self.upload(NEXT))
            world.receive(self._leave(LOST), picture)
            self._store(an_id(ORPHAN))
            self._lose(SPOILT, "full", "icon")
        world.put_clock_ahead(days=1, minutes=10)
        world.injector.after_each = self._look
        return world.keep()

    def return_to(self, kept: Kept) -> None:
        """As it was furnished."""
        self.world.return_to(kept)
        self.messages("redrive").clear()
        self.found.clear()
        self._looked_at.clear()

    def messages(self, queue: str) -> list[Any]:
        """What lies on a queue."""
        messages: list[Any] = sqs_backends[cloud.ACCOUNT][cloud.REGION].queues[queue]._messages
        return messages

    def reconcile(self) -> None:
        """A day's pass, however often the platform has to call, and the hour in it."""
        for hours in (0, 1):
            self.world.put_clock_ahead(hours=hours)
            self._until_done()

    def _until_done(self) -> None:
        """One run, and those after it where it died or could not go on."""
        for _ in range(3):
            try:
                run("reconcile", an_event("reconcile"))
            except (Crash, Unavailable):
                continue
            return

    def redriven(self) -> set[str]:
        """The originals whose events are on their way."""
        bodies = [json.loads(message.body) for message in self.messages("redrive")]
        return {body["Records"][0]["s3"]["object"]["key"] for body in bodies}

    def upload(self, number: int, owner_id: str = ADA) -> Upload:
        """As its row has it."""
        upload = self.world.rows.uploads.get(owner_id, an_id(number))
        assert upload
        return upload

    def settle(self) -> None:
        """Delivers everything that is on its way, to the end."""
        template = an_event("purge_media")["Records"][0]
        for body in {message.body for message in self.messages("redrive")}:
            run("process_upload", {"Records": [{**template, "body": body}]})
        self.messages("redrive").clear()
        self.world.observer.look()
        self.world.drain()
        self.world.observer.look()

    def wrongs(self) -> list[str]:
        """What a quiet world must not hold."""
        snapshot = self.world.observer.last
        named, ids = snapshot.named(), {upload_id for _, upload_id in snapshot.uploads}
        slots = {(user_id, str(held.get("upload_id"))) for (user_id, _), held in snapshot.slots.items()}
        bound = {owned for owned, row in snapshot.uploads.items() if row["state"] == "bound"}
        return [
            *(f"{key} is named and missing" for key in sorted(named - set(snapshot.media))),
            *(f"{key} has no row" for key in sorted(snapshot.media) if key.split("/")[1] not in ids),
            *(f"{owned} is bound or held, and not both" for owned in sorted(slots ^ bound)),
            *(f"{each} was queued though a row named it" for each in self.queued_though_named),
        ]

    def _look(self) -> None:
        """After every call; rows go before they are queued, so a queue that did not grow holds no new wrongs."""
        queued = {json.loads(message.body)["upload_id"] for message in self.messages("purge")}
        if queued - self._looked_at:
            self._looked_at |= queued
            self.queued_though_named += sorted(queued & {row["upload_id"] for row in rows_of(cloud.UPLOADS_TABLE)})

    def _leave(self, number: int) -> Upload:
        """A pending upload that has time."""
        now = self.world.now()
        times = {"created_at": now, "expires_at": now.replace(microsecond=0) + timedelta(days=5)}
        return self.world.rows.pending(upload_id=an_id(number), content_length=500_000, **times)

    def _bound(self, upload: Upload) -> None:
        call = "update_profile_picture"
        if upload.owner_id == ADA:
            assert self.world.bind(upload)
            return
        claims = {"sub": upload.owner_id, "principalId": upload.owner_id}
        body, path = {"uploadId": upload.upload_id}, {"user_id": upload.owner_id}
        assert self.world.call(call, body, claims, pathParameters=path).status == 200

    def _store(self, upload_id: str) -> None:
        """The objects of an upload whose row is long gone: those of another's, under its id."""
        source = self.upload(SPOILT)
        for each in source.derivatives:
            entry = self.world.aws.s3.get_object(
                Bucket=cloud.MEDIA_BUCKET, Key=media_key(source.upload_id, each)
            )  # fmt: skip
            key = media_key(upload_id, each)
            self.world.aws.s3.put_object(Bucket=cloud.MEDIA_BUCKET, Key=key, Body=entry["Body"].read())

    def _lose(self, number: int, *names: str) -> None:
        upload = self.upload(number)
        for each in upload.derivatives:
            if each.name in names:
                key = media_key(upload.upload_id, each)
                self.world.aws.s3.delete_object(Bucket=cloud.MEDIA_BUCKET, Key=key)


@pytest.fixture
def scene(world: World, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Furnished, but for what a test does to it."""
    monkeypatch.setenv("RECONCILE_MENDS", "true")
    built = Scene(world)
    monkeypatch.setattr(reconciling, "_found", built.found.append)
    return built


@contextmanager
def at(point: object) -> Iterator[None]:
    """Says at which of all points something went wrong."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"at {point}")
        raise


def calls_of(scene: Scene, kept: Kept) -> list[str]:
    """Every call of a day's pass, when all goes well."""
    scene.return_to(kept)
    with scene.world.injector.counting() as calls:
        scene.reconcile()
        return [*calls]


READS = {"GetItem", "TransactGetItems", "Scan", "GetObject", "ListObjectsV2"}


def points(calls: list[str], *, at_length: bool) -> list[tuple[int, Fault]]:
    """Every call with every fault. Unless at length, reads fail in one way: without an effect, after is before."""
    return [
        (number, fault)
        for number, fault in product(range(len(calls)), Fault)
        if at_length or fault is Fault.BEFORE or calls[number].split(".")[1] not in READS
    ]


def test_whatever_call_fails_everything_is_found_and_mended_and_nothing_named_is_touched(
    scene: Scene, note: Note, *, at_length: bool
) -> None:
    kept = scene.furnish(whole=True)
    fine = scene.upload(FINE, GRACE)
    calls = calls_of(scene, kept)
    assert {"Scan", "PutItem", "TransactWriteItems", "PutObject", "SendMessageBatch"} <= {
        call.split(".")[1] for call in calls
    }
    for number, fault in points(calls, at_length=at_length):
        with at((number, calls[number], fault)):
            scene.return_to(kept)
            scene.world.injector.arm(number, fault)
            scene.reconcile()
            assert len(scene.world.injector.calls) > number
            scene.world.injector.disarm()
            kinds = {each.kind for each in scene.found}
            assert kinds == {FindingKind.EVENT_LOST, FindingKind.OBJECTS_WITHOUT_ROW, FindingKind.ROW_WITHOUT_OBJECTS}
            assert scene.redriven() == {incoming_key(ADA, an_id(LOST))}
            assert an_id(ORPHAN) in {json.loads(body)["upload_id"] for body in scene.world.queued()}
            scene.settle()
            assert scene.wrongs() == []
            assert scene.world.slots() == {"avatar": an_id(SPOILT)}
            assert scene.upload(LOST).state is State.READY
            assert scene.upload(FINE, GRACE) == fine
        note.add("points: a call of a pass, failing")


def binds(scene: Scene) -> None:
    """The avatar that is being made anew is replaced."""
    assert scene.world.bind(scene.upload(NEXT))


def processes(scene: Scene) -> None:
    """The lost event comes after all, and its upload is bound."""
    scene.world.process(scene.upload(LOST))
    assert scene.world.bind(scene.upload(LOST))


def purges(scene: Scene) -> None:
    """The avatar is replaced, and what was let go of is purged at once."""
    binds(scene)
    scene.world.drain()


def expires(scene: Scene) -> None:
    """Everything that can expire does, and is purged."""
    scene.world.pass_time(days=6)
    scene.world.drain()


@pytest.mark.parametrize("happens", [binds, processes, purges, expires])
def test_whatever_happens_during_a_pass_what_is_named_stays_and_nothing_is_left(
    scene: Scene, note: Note, happens: Callable[[Scene], None], *, at_length: bool
) -> None:
    kept = scene.furnish(whole=False)
    calls = calls_of(scene, kept)
    for number in range(0, len(calls), 1 if at_length or happens is purges else 2):
        with at((number, calls[number])):
            scene.return_to(kept)
            scene.world.injector.interrupt(number, lambda: happens(scene))
            scene.reconcile()
            assert scene.world.injector.at is None  # it did happen
            scene.settle()
            assert scene.wrongs() == []
        note.add("points: something else between two calls of a pass")
