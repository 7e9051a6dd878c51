"""Run reconcile under faults and beside other functions: it finds every fault and touches nothing that a row names."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product

import pytest

from profile_media.domain.errors import Unavailable
from profile_media.domain.findings import FindingKind
from profile_media.domain.keys import incoming_key, media_key, position
from profile_media.domain.model import Slot, State, Upload
from tests import cloud, pictures
from tests.builders import ADA, GRACE, an_id
from tests.conftest import Logs
from tests.faults.baseline import numbers, point
from tests.faults.injector import READS, Crash, Fault
from tests.faults.stored import messages_of, rows_of, take_messages
from tests.faults.world import Saved, World
from tests.functions.conftest import an_event, run, use_one_partition

LOST, ORPHAN, DAMAGED, DESTROYED, INTACT, NEXT = range(1, 7)
"""Uploads: event lost; no row; derivatives missing; master missing too; nothing wrong; ready to be bound."""


KINDS = {FindingKind.EVENT_LOST, FindingKind.OBJECTS_WITHOUT_ROW, FindingKind.ROW_WITHOUT_OBJECTS}


@dataclass
class DamagedWorld:
    """A world with faults, and reconcile, which mends them."""

    world: World
    logs: Logs
    queued_though_named: list[str] = field(default_factory=list)
    """Uploads that were on the delete queue while they had a row."""
    _looked_at: set[str] = field(default_factory=set)
    _logged: int = 0

    def damage(self, *, whole: bool) -> Saved:
        """Create all faults, a day old; or half of them and an upload that is ready to be bound."""
        world, picture = self.world, pictures.a_jpeg(64, 48)
        with world.unobserved():
            self._bound(world.ready(picture, DAMAGED))
            if whole:
                self._bound(world.ready(picture, DESTROYED, Slot.COVER_IMAGE))
                self._bound(world.ready(picture, INTACT, Slot.AVATAR, GRACE))
                self._lose(DESTROYED, "full", "master")
            else:
                world.receive(self._leave(NEXT), picture)
                world.process(self.upload(NEXT))
            world.receive(self._leave(LOST), picture)
            self._store(an_id(ORPHAN))
            self._lose(DAMAGED, "full", "icon")
        world.put_clock_ahead(days=1, minutes=10)
        world.injector.after_each = self._look
        return world.save()

    def age_master(self, number: int) -> None:
        """Move the master of an upload to the key that it had in version 0.1.0."""
        s3 = self.world.aws.s3
        for key in self.world.aws.keys(cloud.MEDIA_BUCKET):
            if key.startswith(f"masters/{an_id(number)}/"):
                content = s3.get_object(Bucket=cloud.MEDIA_BUCKET, Key=key)["Body"].read()
                s3.put_object(Bucket=cloud.MEDIA_BUCKET, Key=f"media/{position(key)}", Body=content)
                s3.delete_object(Bucket=cloud.MEDIA_BUCKET, Key=key)

    def focus(self, number: int) -> int:
        """Crop an upload again. Return the status of the answer."""
        body, path = {"focus": {"x": 0.5, "y": 0.1}}, {"uploadId": an_id(number)}
        return self.world.call("update_upload", body, pathParameters=path).status

    def restore(self, saved: Saved) -> None:
        """Restore a damaged world."""
        self.world.restore(saved)
        self._logged = len(self.logs())
        self._looked_at.clear()

    def reconcile(self) -> None:
        """Run a whole pass, with retries; its second half waits for purges that are under way."""
        for hours in (0, 2):
            self.world.put_clock_ahead(hours=hours)
            self._until_done()

    def _until_done(self) -> None:
        """Run once, and retry after a crash or an outage."""
        for _ in range(3):
            try:
                run("reconcile", an_event("reconcile"))
            except (Crash, Unavailable):
                continue
            return

    def found(self) -> set[str]:
        """Return the kinds of the findings that were logged since the world was restored."""
        records = self.logs()[self._logged :]
        return {record["kind"] for record in records if record["message"] == "reconcile found"}

    def redriven(self) -> set[str]:
        """Return the keys of the events in the redrive queue."""
        bodies = [json.loads(body) for body in messages_of("redrive")]
        return {body["Records"][0]["s3"]["object"]["key"] for body in bodies}

    def upload(self, number: int, owner_id: str = ADA) -> Upload:
        """Read an upload's row."""
        upload = self.world.rows.uploads.get(owner_id, an_id(number))
        assert upload
        return upload

    def settle(self) -> None:
        """Deliver all events and messages."""
        template = an_event("purge_media")["Records"][0]
        for body in {json.dumps(event) for event in take_messages("redrive")}:
            run("process_upload", {"Records": [{**template, "body": body}]})
        self.world.observer.look()
        self.world.drain()
        self.world.observer.look()

    def broken(self) -> list[str]:
        """Return what must not be in a world where all work is done."""
        snapshot = self.world.observer.last
        named, ids = snapshot.named(), {upload_id for _, upload_id in snapshot.uploads}
        slots = {(user_id, str(held.get("upload_id"))) for (user_id, _), held in snapshot.slots.items()}
        bound = {owned for owned, row in snapshot.uploads.items() if row["state"] == "bound"}
        return [
            *(f"{key} is named but missing" for key in sorted(named - set(snapshot.media))),
            *(f"{key} has no row" for key in sorted(snapshot.media) if key.split("/")[1] not in ids),
            *(f"{owned} is bound but not held, or the other way round" for owned in sorted(slots ^ bound)),
            *(f"{each} was queued although it had a row" for each in self.queued_though_named),
        ]

    def _look(self) -> None:
        """After every call, look at all data, and check new messages of the delete queue: their rows must be gone."""
        self.world.observer.look()  # a removed row must be known as it was last
        queued = {json.loads(body)["upload_id"] for body in messages_of("purge")}
        if queued - self._looked_at:
            self._looked_at |= queued
            self.queued_though_named += sorted(queued & {row["upload_id"] for row in rows_of(cloud.UPLOADS_TABLE)})

    def _leave(self, number: int) -> Upload:
        """Create a pending upload that expires in five days."""
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
        """Store objects of an upload without a row."""
        source = self.upload(DAMAGED)
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
def damaged(world: World, logs: Logs, monkeypatch: pytest.MonkeyPatch) -> DamagedWorld:
    """Return a world in which reconcile mends what it finds."""
    monkeypatch.setenv("RECONCILE_MENDS", "true")
    use_one_partition(monkeypatch)
    return DamagedWorld(world, logs)


def calls_of(damaged: DamagedWorld, saved: Saved) -> list[str]:
    """Return every call of a pass without a failure."""
    damaged.restore(saved)
    with damaged.world.injector.counting() as calls:
        damaged.reconcile()
        return [*calls]


def points(calls: list[str]) -> list[tuple[int, Fault]]:
    """Return calls with faults: of equal calls in a row the first, of reads only the crash before them."""
    return [
        (number, fault)
        for number, fault in product(numbers(tuple(calls)), Fault)
        if fault is Fault.BEFORE or not calls[number].partition(".")[2].startswith(READS)
    ]


@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.assurance)])
def test_reconcile_mends_everything_after_failure_of_any_call(damaged: DamagedWorld, every: int) -> None:
    saved = damaged.damage(whole=True)
    intact = damaged.upload(INTACT, GRACE)
    calls = calls_of(damaged, saved)
    for number, fault in points(calls)[::every]:
        with point((number, calls[number], fault)):
            damaged.restore(saved)
            damaged.world.injector.arm(number, fault)
            damaged.reconcile()
            assert len(damaged.world.injector.calls) > number
            damaged.world.injector.disarm()
            assert damaged.found() == {
                FindingKind.EVENT_LOST,
                FindingKind.OBJECTS_WITHOUT_ROW,
                FindingKind.ROW_WITHOUT_OBJECTS,
            }
            assert damaged.redriven() == {incoming_key(ADA, an_id(LOST))}
            assert an_id(ORPHAN) in {json.loads(body)["upload_id"] for body in damaged.world.queued()}
            damaged.settle()
            assert damaged.broken() == [], damaged.broken()
            assert damaged.world.slots() == {"avatar": an_id(DAMAGED)}
            assert damaged.upload(LOST).state is State.READY
            assert damaged.upload(INTACT, GRACE) == intact


def binds(damaged: DamagedWorld) -> None:
    """Replace the avatar that is being repaired."""
    assert damaged.world.bind(damaged.upload(NEXT))


def processes(damaged: DamagedWorld) -> None:
    """Process the upload whose event was lost, and bind it."""
    damaged.world.process(damaged.upload(LOST))
    assert damaged.world.bind(damaged.upload(LOST))


def purges(damaged: DamagedWorld) -> None:
    """Replace the avatar, and purge the old one at once."""
    binds(damaged)
    damaged.world.drain()


def expires(damaged: DamagedWorld) -> None:
    """Let everything expire, and purge it."""
    damaged.world.pass_time(days=6)
    damaged.world.drain()


@pytest.mark.parametrize(
    ("happens", "every"),
    [
        (purges, 6),
        *(pytest.param(each, 1, marks=pytest.mark.assurance) for each in (binds, processes, purges, expires)),
    ],
)
def test_reconcile_touches_nothing_named_while_data_changes(
    damaged: DamagedWorld, happens: Callable[[DamagedWorld], None], every: int
) -> None:
    check_interrupted(damaged, happens, every)


def check_interrupted(damaged: DamagedWorld, happens: Callable[[DamagedWorld], None], every: int) -> None:
    """Let something happen between two calls of reconcile."""
    saved = damaged.damage(whole=False)
    calls = calls_of(damaged, saved)
    for number in numbers(tuple(calls))[::every]:
        with point((number, calls[number])):
            damaged.restore(saved)
            damaged.world.injector.interrupt(number, lambda: happens(damaged))
            damaged.reconcile()
            assert damaged.world.injector.at is None  # the interruption took place
            damaged.settle()
            assert damaged.broken() == [], damaged.broken()
