"""Simulate what users, browsers, the platform and time do to the service, and compare each operation with the model.

An operation may fail at one of its calls to AWS, and be retried or not. Where its outcome is unknown then, the data
must equal one of the states that the operation's steps lead through.
"""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from io import BytesIO
from itertools import combinations
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_plus

from profile_media.aws.session import signing
from profile_media.domain.keys import encode_owner, incoming_key, parse_incoming_key
from tests import cloud, pictures
from tests.builders import ADA, GRACE, NOW
from tests.faults.injector import READS, Crash, Fault, Later
from tests.faults.observer import Row
from tests.faults.stored import date_object, take_messages
from tests.faults.world import Saved, World
from tests.functions.conftest import Answer, an_event, run
from tests.model.reference import (
    ANSWERS,
    DAY,
    GRANT,
    MINUTE,
    Content,
    Form,
    Model,
    Named,
    Step,
)
from tools.local.s3_edge.evaluation import evaluate
from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import Refusal as Refused
from tools.local.s3_edge.signature import Keys

JOAN = "auth0|joan"
"""An administrator who has pictures of her own."""

USERS = (ADA, GRACE, JOAN)
SLOTS = {"avatar": "avatar", "cover_image": "coverImage"}
PATHS = {"avatar": "avatar", "cover_image": "cover-image"}
"""The names of the slots in rows, and their names in intents."""

BYTES = {
    Content.PICTURE: pictures.a_jpeg(64, 48),
    Content.ANOTHER: pictures.a_jpeg(48, 64),
    Content.BROKEN: b"\xff\xd8\xff\xe0 no picture",
}
LENGTH = max(map(len, BYTES.values()))
CHECKSUM = b64encode(sha256(BYTES[Content.PICTURE]).digest()).decode()

DIALECTS = {
    "bind_avatar": "public_id",
    "bind_cover_image": "public_id",
    "set_avatar_url": "avatar_url",
    "update_my_profile_picture": "upload_id",
    "update_profile_picture": "upload_id",
    "delete_profile_image": "direct",
    "remove_picture": "removal",
}
"""The dialect of each function that changes a slot."""

FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n%s\r\n--b--\r\n'


def _named(batch: Sequence[object]) -> list[dict[str, str]]:
    """Return how the answer to a batch reports each of its messages as failed."""
    return [{"itemIdentifier": str(number)} for number in range(len(batch))]


def _subsets[Each](found: Sequence[Each]) -> list[tuple[Each, ...]]:
    """Return all selections."""
    return [chosen for size in range(len(found) + 1) for chosen in combinations(found, size)]


class UploadIds:
    """Numbered upload ids instead of random ones."""

    made = 0

    def uuid4(self) -> str:
        """Return the next id."""
        self.made += 1
        return self.at(self.made)

    def next(self) -> str:
        """Return what the next id will be."""
        return self.at(self.made + 1)

    @staticmethod
    def at(number: int) -> str:
        """Return the id with this number."""
        return f"00000000-0000-4000-8000-{number:012x}"


class Still(World):
    """A world whose clock stands still until it is put ahead."""

    def now(self) -> datetime:
        """Return the time, as the functions see it."""
        return NOW + timedelta(milliseconds=250) + self._ahead


class Hit(NamedTuple):
    """The call that fails, how, how often, and whether the operation is retried."""

    at: int
    how: Fault | Later
    times: int = 1
    again: bool = False


class Operation(NamedTuple):
    """An operation: its steps in the model, and the call that performs it."""

    steps: Sequence[Step]
    do: Callable[[], Any]
    dialect: str | None = None
    """None for events, which have no answer."""


@dataclass
class Simulation:
    """The users of the service, and the events and messages that are not delivered yet."""

    world: World
    ids: UploadIds
    model: Model = field(init=False)
    events: list[str] = field(default_factory=list)
    """Uploads whose event S3 has not delivered yet."""
    arrived: dict[str, float] = field(default_factory=dict)
    """When each original was stored."""
    fields: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """The fields of the last form of each upload."""
    urls: dict[str, str] = field(default_factory=dict)
    """A URL of each upload that was read."""
    released: list[Row] = field(default_factory=list)
    """Removed rows that the stream has delivered and may deliver again."""
    messages: list[dict[str, str]] = field(default_factory=list)
    """Messages received from the delete queue and not purged yet."""
    purged: list[dict[str, str]] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    random_fault: Callable[[], Fault | Later | None] = lambda: None
    """Returns how a call fails, for every call of an operation without a chosen failure."""
    unknown: bool = False
    """Whether the caller did not learn the outcome of the last operation."""
    beginnings: dict[Sequence[str], Saved] = field(default_factory=dict)
    """The world after these users have signed in."""

    def begin(self, users: Sequence[str] = USERS) -> None:
        """Begin without uploads, with users who have signed in."""
        self.ids.made = 0
        for each in (self.events, self.arrived, self.fields, self.urls, self.released, self.messages, self.purged):
            each.clear()
        take_messages("redrive")
        beginning = self.beginnings.get(tuple(users))
        if beginning:
            self.world.restore(beginning)
        else:
            self.world.reset()
            self.world.injector.after_each = self._look
        self.model = Model(self.world.now().timestamp())
        if not beginning:
            for user in users:
                self.profile(user)
            self.beginnings[tuple(users)] = self.world.save()

    # --- what users do

    def intent(
        self,
        user: str,
        slot: str,
        *,
        actor: str | None = None,
        exact: bool = False,
        key: str | None = None,
        hit: Hit | None = None,
    ) -> str | None:
        """Create an intent for a user, by the user or an actor. Return the upload id, or None where it was refused."""
        asker = actor or user
        asked: dict[str, object] = {"slot": SLOTS[slot], "contentType": "image/jpeg", "contentLength": LENGTH}
        asked |= {"checksumSha256": CHECKSUM} if exact else {}
        asked |= {"owner": {"userId": user}} if actor else {}
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}

        def operation() -> Operation:
            upload_id, body = self.ids.next(), (user, slot, exact)
            replay: Step = lambda model: model.replay(asker, key, body) if key else None  # noqa: E731
            promise: Step = lambda model: model.create(  # noqa: E731
                upload_id, user, slot, (asker, key, body) if key else None
            )
            steps = self._allowed(asker, user, replay, promise)
            return Operation(steps, lambda: self._ask(asker, "create_upload_intent", asked, headers), "native")

        answer = self._does(operation, hit)
        if answer is None or answer.status != 201:
            return None
        upload_id: str = answer.body["uploadId"]
        assert self.model.alive(upload_id, user)
        assert key is None or self.model.keys[asker, key].upload_id == upload_id
        self._keep_form(upload_id, answer.body["upload"]["fields"], exact=exact)
        return upload_id

    def bind_public_id(self, user: str, slot: str, named: Named, hit: Hit | None = None) -> None:
        """Bind by public id."""
        place = f"user_{encode_owner(named.owner)}/{named.claimed}"
        if named.claimed is None:
            place = f"temp/user_{encode_owner(named.owner)}/images"
        body = {"publicId": f"app/{place}/{named.upload_id}"}
        step = partial(Model.bind, actor=user, user=user, slot=slot, named=named)
        self._does(self._change(user, f"bind_{slot}", body, step), hit)

    def bind_url(self, user: str, upload_id: str, hit: Hit | None = None) -> None:
        """Bind by URL: the last URL read of the upload, or one that does not exist."""
        url = self.urls.get(upload_id, f"{cloud.MEDIA_BASE_URL}/media/{upload_id}/full-{'0' * 32}.webp")
        named = Named(user, upload_id, misnamed=upload_id not in self.urls)
        step = partial(Model.bind, actor=user, user=user, slot="avatar", named=named)
        self._does(self._change(user, "set_avatar_url", {"avatarUrl": url}, step), hit)

    def point_elsewhere(self, user: str, url: str, hit: Hit | None = None) -> None:
        """Set an external picture."""
        step = partial(Model.change, actor=user, user=user, slot="avatar", wanted=url)
        self._does(self._change(user, "set_avatar_url", {"avatarUrl": url}, step), hit)

    def bind_id(self, actor: str, user: str, upload_id: str | None, hit: Hit | None = None) -> None:
        """Bind by upload id, also for another user; None unbinds."""
        if upload_id:
            step = partial(Model.bind, actor=actor, user=user, slot="avatar", named=Named(user, upload_id))
        else:
            step = partial(Model.change, actor=actor, user=user, slot="avatar", wanted=None)
        function = "update_my_profile_picture" if actor == user else "update_profile_picture"
        path = {"user_id": quote(user)}
        self._does(self._change(actor, function, {"uploadId": upload_id}, step, path), hit)

    def remove(self, actor: str, user: str, hit: Hit | None = None) -> None:
        """Remove the avatar."""
        step = partial(Model.change, actor=actor, user=user, slot="avatar", wanted=None)
        path = {"user_id": quote(user)}
        self._does(self._change(actor, "delete_profile_image", None, step, path), hit)

    def update(self, user: str, upload_id: str, framing: str | None, hit: Hit | None = None) -> None:
        """Crop an upload again; None for the default crop."""
        x, y = (float(each) for each in (framing or "focus:0,0").removeprefix("focus:").split(","))
        body = {"focus": {"x": x, "y": y} if framing else None}
        step = partial(Model.update, user=user, upload_id=upload_id, framing=framing)
        do = partial(self._ask, user, "update_upload", body, path={"uploadId": upload_id})
        self._does(lambda: Operation((step,), do, "update"), hit)
        self.urls.pop(upload_id, None)

    def take_off(self, user: str, slot: str, hit: Hit | None = None) -> None:
        """Remove the own picture from a slot."""
        step = partial(Model.change, actor=user, user=user, slot=slot, wanted=None)
        self._does(self._change(user, "remove_picture", None, step, {"slot": PATHS[slot]}), hit)

    def cancel(self, user: str, upload_id: str, hit: Hit | None = None) -> None:
        """Give up an upload."""
        self._does(lambda: self.cancelling(user, upload_id), hit)

    def send(self, actor: str, user: str, content: Content, hit: Hit | None = None) -> None:
        """Upload a picture through the API."""
        function = "upload_user_image" if actor == user else "update_profile_image"
        form = b64encode(FORM % BYTES[content]).decode()

        def operation() -> Operation:
            upload_id = self.ids.next()
            steps: Sequence[Step] = (
                partial(Model.create, upload_id=upload_id, owner=user, slot="avatar"),
                partial(Model.settle, upload_id=upload_id, content=content),
                partial(Model.accept, upload_id=upload_id),
                partial(Model.bind, actor=actor, user=user, slot="avatar", named=Named(user, upload_id)),
            )
            type_ = {"Content-Type": "multipart/form-data; boundary=b"}
            ask = partial(self._ask, actor, function, form, type_, {"user_id": quote(user)}, isBase64Encoded=True)
            return Operation(steps, ask, "direct")

        self._does(operation, hit)

    # --- what users see

    def profile(self, user: str) -> None:
        """Read the own profile and compare it with the model; every picture must exist."""
        answer = self._ask(user, "get_profile")
        assert answer.status == 200
        for slot, name in SLOTS.items():
            shown, held = answer.body[name], self.model.slots.get((user, slot))
            assert (shown and (shown["uploadId"] or shown["url"])) == held
            self._all_there(shown["derivatives"] if shown else {})

    def upload(self, user: str, upload_id: str) -> None:
        """Read an upload and compare it with the model."""
        answer = self._ask(user, "get_upload", path={"uploadId": upload_id})
        upload = self.model.alive(upload_id, user)
        if upload is None:
            assert answer.status == 404
            return
        assert (answer.status, answer.body["state"]) == (200, upload.state)
        until = answer.body.get("expiresAt")
        assert (until and datetime.fromisoformat(until).timestamp()) == upload.expires
        shown = answer.body.get("derivatives", {})
        assert bool(shown) == (upload.state in {"ready", "bound"})
        self._all_there(shown)
        if shown:
            self.urls[upload_id] = shown["full"]["url"]

    def user(self, actor: str, user: str) -> None:
        """Read a user and compare it with the model."""
        answer = self._ask(actor, "get_user", path={"user_id": quote(user)})
        if actor not in (user, JOAN):
            assert answer.status == 403
            return
        held, shown = self.model.slots.get((user, "avatar")), answer.body["image_url"]
        assert answer.status == 200
        assert answer.body["has_image"] == bool(held)
        if held in self.model.uploads:
            self._all_there({held: {"url": shown}})
            assert f"/{held}/" in shown
        else:
            assert shown == (held or "")

    # --- what browsers do

    def post(self, upload_id: str, content: Content) -> None:
        """Post a picture with the last form of the upload; compare whether S3 accepts it with the model."""
        form = self.model.forms[upload_id]
        taken = self.model.now <= form.until and (content is Content.PICTURE or not form.exact)
        assert self._takes(upload_id, BYTES[content]) == taken
        if taken:
            with self.world.injector.standing_aside():
                key = self.fields[upload_id]["key"]
                self.world.aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=BYTES[content])
                date_object(cloud.UPLOADS_BUCKET, key, self.world.now())
            self.world.observer.look()
            self.model.incoming[upload_id] = content
            self.arrived[upload_id] = self.model.now
            self.events.append(upload_id)

    # --- what the platform does

    def deliver(self, *upload_ids: str, hit: Hit | None = None) -> None:
        """Deliver S3's event, with one record or more."""
        self._does(partial(self.processing, *upload_ids), hit)

    def stream(self, hit: Hit | None = None) -> None:
        """Deliver removed rows through the stream."""
        if not self.world.observer.removed:
            return
        self.released += self.world.observer.removed
        self._does(lambda: Operation((), self.world.release), hit)

    def stream_again(self, number: int) -> None:
        """Deliver a record of the stream again."""
        if self.released:
            self.world.observer.removed.append(self.released[number % len(self.released)])

    def reconcile(self, hit: Hit | None = None) -> None:
        """Run reconcile: pending uploads whose original was stored a while ago get their event again."""
        self._does(lambda: Operation((), lambda: run("reconcile", an_event("reconcile"))), hit)
        keys = [event["Records"][0]["s3"]["object"]["key"] for event in take_messages("redrive")]
        again = [owned[1] for key in keys if (owned := parse_incoming_key(unquote_plus(key)))]
        self.events += again
        if not self.unknown:
            late = {each for each in self.model.incoming if self.arrived[each] < self.model.now - 10 * MINUTE}
            assert {each for each in late if (row := self.model.alive(each)) and row.state == "pending"} <= set(again)

    def take(self) -> None:
        """Receive all messages of the delete queue."""
        self.messages += take_messages("purge")

    def queue(self, number: int, hit: Hit | None = None, size: int = 1) -> None:
        """Deliver a batch of the delete queue, beginning with any message."""
        if not self.messages:
            self.take()
        batch = [self.messages.pop(number % len(self.messages)) for _ in range(min(size, len(self.messages)))]
        if not batch:
            return
        answer = self._under(hit, lambda: self._purge(batch))
        failures = answer["batchItemFailures"] if answer else _named(batch)
        assert self.unknown or not failures
        again = [message for name, message in zip(_named(batch), batch, strict=True) if name in failures]
        self.model = self._one_of([self._without(kept, batch) for kept in _subsets(again)])
        self.messages += again
        self.purged += batch

    def _without(self, kept: Sequence[dict[str, str]], batch: Sequence[dict[str, str]]) -> Model:
        """Return the model after these messages, except those that are kept."""
        model = self.model.copy()
        for message in batch:
            if message not in kept and message.get("owner_id"):
                model.clear(message["upload_id"])
        return model

    @staticmethod
    def _purge(batch: Sequence[dict[str, str]]) -> Any:
        event = an_event("purge_media")
        records = [dict(event["Records"][0], messageId=str(number)) for number in range(len(batch))]
        bodies = [{"body": json.dumps(message)} for message in batch]
        event["Records"] = [record | body for record, body in zip(records, bodies, strict=True)]
        return run("purge_media", event)

    def queue_again(self, number: int) -> None:
        """Deliver a message again."""
        if self.purged:
            self.messages.append(self.purged[number % len(self.purged)])

    def later(self, seconds: int) -> None:
        """Let time pass."""
        self.world._ahead += timedelta(seconds=seconds)
        self.model.now += seconds

    def remove_expired(self, goes: Callable[[int], bool] = lambda _: True) -> None:
        """Let DynamoDB remove all or some of the expired rows."""
        table = cloud.UPLOADS_TABLE
        with self.world.injector.standing_aside():
            rows = self.world.aws.rows(table)
            rows = [row for row in rows if "expires_at" in row and int(row["expires_at"]["N"]) <= self.model.now]
            for number, row in enumerate(sorted(rows, key=str)):
                if goes(number):
                    key = {name: row[name] for name in ("owner_id", "upload_id")}
                    self.world.aws.dynamodb.delete_item(TableName=table, Key=key)
        self.world.observer.look()

    def sweep(self) -> None:
        """Delete originals older than a day, as the lifecycle rule of the bucket does."""
        with self.world.injector.standing_aside():
            for key in self.world.aws.keys(cloud.UPLOADS_BUCKET):
                _, upload_id = parse_incoming_key(key) or ("", "")
                if self.arrived[upload_id] <= self.model.now - DAY:
                    self.world.aws.s3.delete_object(Bucket=cloud.UPLOADS_BUCKET, Key=key)
                    self.model.clear(upload_id)
        self.world.observer.look()

    # --- two at once

    def during(self, operation: Callable[[], Operation], at: int, other: Callable[[], object]) -> None:
        """Run something else to its end just before one of the operation's calls to AWS."""

        def happens() -> None:
            self.model = self._one_of(self.model.course(operation().steps)[0])
            other()

        self.world.injector.interrupt(at, happens)
        answer = operation().do()
        self.world.injector.disarm()
        self._follow(operation(), answer, known=True)

    def binding(self, user: str, slot: str, upload_id: str) -> Operation:
        """Return a bind by public id, for `during`."""
        body = {"publicId": f"app/temp/user_{encode_owner(user)}/images/{upload_id}"}
        step = partial(Model.bind, actor=user, user=user, slot=slot, named=Named(user, upload_id))
        return self._change(user, f"bind_{slot}", body, step)()

    def cancelling(self, user: str, upload_id: str) -> Operation:
        """Return the cancellation of an upload, for `during`."""
        upload = self.model.uploads.get(upload_id)
        if upload and upload.owner == user:
            self.world.observer.given_up.add(upload_id)
        step = partial(Model.cancel, user=user, upload_id=upload_id)
        return Operation((step,), partial(self._ask, user, "cancel_upload", path={"uploadId": upload_id}), "cancel")

    # --- at the end

    def settle_down(self) -> None:
        """Deliver everything and let time pass: only bound uploads may be left."""
        for _ in range(4):
            while self.events:
                self.deliver(self.events.pop())
            self._drain()
            self.later(2 * DAY)
            self.remove_expired()
            self.sweep()
            self.reconcile()  # finds what a crash while cropping again has left
            self._drain()
        assert self.world.broken(quiet=True) == []
        bound = {held for held in self.model.slots.values() if held in self.model.uploads}
        assert {key.split("/")[1] for key in self.world.observer.last.media} == bound

    def _drain(self) -> None:
        while self.world.observer.removed:
            self.stream()
        self.take()
        while self.messages:
            self.queue(0)

    # --- how it is done

    def _look(self) -> None:
        """Look at all data after every call that may have changed it."""
        injector = self.world.injector
        if not injector.is_aside and not injector.calls[-1].partition(".")[2].startswith(READS):
            self.world.observer.look()

    def agree(self) -> None:
        """Compare all data with the model, and check the invariants."""
        self._one_of([self.model])
        assert self.world.observer.broken == [], self.world.observer.broken[0]

    def _change(
        self, actor: str, function: str, body: object, step: Step, path: Mapping[str, str] | None = None
    ) -> Callable[[], Operation]:
        """Return an operation on a slot; only administrators may change other users' slots."""
        steps = self._allowed(actor, unquote(path["user_id"]) if path and "user_id" in path else actor, step)
        return lambda: Operation(steps, lambda: self._ask(actor, function, body, path=path), DIALECTS[function])

    @staticmethod
    def _allowed(actor: str, user: str, *steps: Step) -> Sequence[Step]:
        """Return the steps; a refusal where the actor is neither the user nor an administrator."""
        return steps if actor in (user, JOAN) else (lambda _: "owner_forbidden",)

    def processing(self, *upload_ids: str) -> Operation:
        """Return the processing of one event, with one record or more."""
        event, steps = an_event("process_upload"), list[Step]()
        records, event["Records"] = event["Records"], []
        for upload_id in upload_ids:
            record = deepcopy(records[0])
            record["s3"]["object"]["key"] = incoming_key(self._owner(upload_id), upload_id)
            event["Records"].append(record)
            steps.append(partial(Model.settle, upload_id=upload_id, content=self.model.incoming.get(upload_id)))
            steps.append(partial(Model.clear, upload_id=upload_id))
        return Operation(steps, lambda: run("process_upload", event))

    def _ask(
        self,
        user: str,
        function: str,
        body: object = ...,
        headers: Mapping[str, str] | None = None,
        path: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> Answer:
        """Call the API."""
        claims = {"sub": user, "admin": str(user == JOAN).lower(), "identity": "{}"}
        alone = MappingProxyType(headers or {"Content-Type": "application/json"})  # instead of the sample event's
        self.figures["calls of the API"] += 1
        return self.world.call(function, body, claims, headers=alone, pathParameters=path or {}, **changes)

    def _does(self, operation: Callable[[], Operation], hit: Hit | None) -> Any:
        """Perform an operation, retry it where `hit` says so, and return the last answer."""
        this = operation()
        answer = self._under(hit, this.do)
        self._follow(this, answer, known=not self.unknown)
        if hit and hit.again and self.unknown:
            this = operation()
            answer = self._under(None, this.do)
            self._follow(this, answer, known=not self.unknown)
        return answer

    def _under(self, hit: Hit | None, do: Callable[[], Any]) -> Any:
        """Return the answer, and set `unknown`."""
        injector, before = self.world.injector, self.figures["faults"]
        injector.calls.clear()
        if hit is None:
            injector.before_each = self._fail_at_random
        elif isinstance(hit.how, Fault):
            injector.arm(hit.at, hit.how)
        else:
            injector.refuse(hit.at, hit.how, hit.times)
            injector.before_each = partial(self._refuse_as_it_would, hit.how)
        answer, failed = None, None
        try:
            answer = do()
        except (Crash, Exception) as error:
            failed = error
        injector.disarm()
        injector.before_each = lambda _: None
        self.figures["faults"] += bool(hit and len(injector.calls) > hit.at)
        hurt = self.figures["faults"] > before
        if failed and not hurt:
            raise failed
        self.unknown = hurt and (answer is None or getattr(answer, "status", 503) == 503)
        return answer

    def _fail_at_random(self, _: str) -> None:
        """Let any call fail at random."""
        how = self.random_fault()
        if how:
            injector = self.world.injector
            self.figures["faults"] += 1
            injector.at = len(injector.calls)
            injector.fault, injector.refusal, injector.refusals = None, None, 0
            if isinstance(how, Fault):
                injector.fault = how
            else:
                injector.refusals = 1
                self._refuse_as_it_would(how, _)

    def _refuse_as_it_would(self, how: Later, call: str) -> None:
        """Answer with the error that the called service has for this."""
        if call.startswith("s3."):
            self.world.injector.refusal = Later.SLOW_DOWN
        else:
            self.world.injector.refusal = how if ".Transact" in call else Later.THROTTLED

    def _follow(self, operation: Operation, answer: Any, *, known: bool) -> None:
        """Apply the operation to the model; where its outcome is unknown, as many of its steps as the data shows."""
        course, outcome = self.model.course(operation.steps)
        if known and operation.dialect:
            assert (answer.status, outcome) == (ANSWERS[operation.dialect][outcome], outcome), answer.body
        self.model = self._one_of(course[-1:] if known else course)
        assert self.world.observer.broken == [], self.world.observer.broken[0]

    def _one_of(self, course: Sequence[Model]) -> Model:
        """Return the model that equals the data."""
        self.world.observer.look()
        found = self._found(keys=len(course) > 1)
        expected = [self._expected(model, keys=len(course) > 1) for model in course]
        assert found in expected, f"{found} equals none of {expected}"
        return course[expected.index(found)]

    def _expected(self, model: Model, *, keys: bool) -> object:
        rows = {upload_id: model.alive(upload_id) for upload_id in model.uploads}
        made = {(actor, kept.upload_id) for (actor, key), kept in model.keys.items() if model.key_in_use(actor, key)}
        return (
            {
                upload_id: (row.owner, row.slot, row.state, row.expires, row.framing)
                for upload_id, row in rows.items()
                if row
            },
            model.slots,
            model.incoming.keys(),
            made if keys else None,
        )

    def _found(self, *, keys: bool) -> object:
        last, now = self.world.observer.last, self.model.now
        rows = {owned: row for owned, row in last.uploads.items() if row.get("expires_at", now + 1) > now}
        incoming = [parse_incoming_key(key) or ("", key) for key in last.incoming]
        return (
            {
                id_: (owner, row["slot"], row["state"], row.get("expires_at"), row.get("framing"))
                for (owner, id_), row in rows.items()
            },
            {(user, slot.value): last.held(user, slot) for user, slot in last.slots},
            {upload_id for _, upload_id in incoming},
            self._keys_made() if keys else None,
        )

    def _keys_made(self) -> set[tuple[str, str]]:
        with self.world.injector.standing_aside():
            rows = [row for row in self.world.aws.rows(cloud.UPLOADS_TABLE) if "made" in row]
        now = int(self.model.now)
        return {(row["owner_id"]["S"], row["made"]["S"]) for row in rows if int(row["expires_at"]["N"]) > now}

    def _keep_form(self, upload_id: str, fields: Mapping[str, str], *, exact: bool) -> None:
        """Keep the form, which is valid for five minutes from the last full minute since the upload's creation."""
        upload = self.model.uploads[upload_id]
        signed = upload.created + (self.model.now - upload.created) // MINUTE * MINUTE
        until = min(signed + GRANT, upload.expires or signed + GRANT)
        self.model.forms[upload_id] = Form(until, exact)
        self.fields[upload_id] = fields

    def _takes(self, upload_id: str, content: bytes) -> bool:
        """Return whether S3 accepts a post, by the rules of the local stack's S3 edge."""
        fields, (signer, region) = Fields(self.fields[upload_id].items()), signing()
        name = signer.access_key or ""
        keys = Keys({name: signer.secret_key or ""}, region, {name: signer.token} if signer.token else {})
        try:
            permission = evaluate(fields, "a.jpg", bucket=cloud.UPLOADS_BUCKET, keys=keys, now=self.world.now())
            permission.check_content(BytesIO(content), len(content))
        except Refused:
            return False
        return True

    def _all_there(self, derivatives: Mapping[str, Mapping[str, str]]) -> None:
        keys = [shown["url"].removeprefix(f"{cloud.MEDIA_BASE_URL}/") for shown in derivatives.values()]
        assert set(keys) <= set(self.world.observer.last.media)

    def _owner(self, upload_id: str) -> str:
        key = self.fields[upload_id]["key"]
        owned = parse_incoming_key(key)
        assert owned
        return owned[0]
