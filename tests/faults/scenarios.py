"""Everything that functions do with AWS, once each: the data before, the invocation, its calls, and who retries it."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

import pytest

from profile_media.domain.formats import ContentType
from profile_media.domain.keys import media_key
from profile_media.domain.model import AutoBind, Derivative, Reason, Slot, State
from tests import cloud, pictures
from tests.builders import ADA, an_id, an_upload
from tests.faults.injector import READS
from tests.faults.observer import Snapshot, derivatives
from tests.faults.stored import rows_of
from tests.faults.world import OPEN_INTENTS, World
from tests.functions.conftest import Answer

PICTURE, OTHER_PICTURE = pictures.a_jpeg(64, 48), pictures.a_jpeg(48, 64)
CHECKSUM = b64encode(sha256(PICTURE).digest()).decode()
ELSEWHERE = "https://pictures.example.org/ada.png"
INTENT = {"slot": "avatar", "contentType": "image/jpeg", "contentLength": 482113}
ADMIN = {"sub": "auth0|root", "principalId": "auth0|root", "admin": "true"}
MANY = 21
"""Records: more than two batches of SQS, which takes ten messages."""
PAGE_SIZE = 20
"""Objects per page of a listing in these tests; S3 lists a thousand."""


class Retried(StrEnum):
    """Who retries an invocation that failed."""

    CLIENT = "the client, once"
    EVENT = "Lambda, three attempts in all"
    RECORD = "the stream, until it is done"
    MESSAGE = "the queue, five attempts in all"


type Arrange = Callable[[World], object]
type Invoke = Callable[[World], Any]


def profile(world: World) -> Any:
    """Read the user's profile."""
    return world.call("get_profile")


@dataclass(frozen=True)
class Scenario:
    """One thing that one function does."""

    name: str
    function: str
    arrange: Arrange
    invoke: Invoke
    calls: tuple[str, ...]
    """Its calls to AWS when nothing fails, in order. Empty where they are not known."""
    status: int | None = 200
    """The status of its answer; None for events."""
    retried: Retried = Retried.CLIENT
    elsewhere: Arrange | None = None
    """Happens while the picture is rendered."""
    shows: Invoke = profile
    """The API call that shows its effect."""
    passes: str = ""
    """A text in what the API shows between its two effects, where it has two."""
    leaves: bool = False
    """Whether a crash between storing and saving, or between saving and queueing, leaves objects to reconcile."""
    loser: bytes | None = None
    """The picture that loses where two different ones are posted for one upload. A crash between storing and saving
    may leave its derivatives to reconcile, because the purge deletes the keys of the row."""
    idempotent: bool = False
    """Whether a retry creates no second row."""

    @property
    def writes(self) -> bool:
        """Return whether any of its calls changes data."""
        return any(not call.startswith(READS) for call in self.calls)


# --- the data before


def nothing(_: World) -> None:
    """No data: a new user."""


def known(world: World) -> None:
    """Create a user without a picture."""
    world.call("put_user")


def ready(*slots: Slot) -> Arrange:
    """Create uploads, numbered from 1, and bind all but the last."""

    def arrange(world: World) -> None:
        known(world)
        for number, slot in enumerate(slots, 1):
            world.ready(PICTURE, number, slot)
            if number < len(slots):
                bind(number, slot)(world)

    return arrange


def bound(world: World) -> None:
    """Bind an avatar."""
    ready(Slot.AVATAR)(world)
    bind(1)(world)


def bound_cover(world: World) -> None:
    """Bind a cover image."""
    ready(Slot.COVER_IMAGE)(world)
    bind(1, Slot.COVER_IMAGE)(world)


def external(world: World) -> None:
    """Set an external picture, and create an upload to replace it."""
    ready(Slot.AVATAR)(world)
    set_url(ELSEWHERE)(world)


def pending(content: bytes = PICTURE, checksum: str | None = None) -> Arrange:
    """Create an upload whose picture is stored but not processed."""

    def arrange(world: World) -> None:
        with world.injector.standing_aside():
            now = world.now()
            world.rows.pending(
                upload_id=an_id(1),
                content_length=500_000,
                checksum_sha256=checksum,
                created_at=now,
                expires_at=(now + timedelta(hours=1)).replace(microsecond=0),
            )
        world.receive(an_upload(), content)

    return arrange


def bound_and_pending(world: World) -> None:
    """Bind an avatar, and create a pending upload that is to replace it as soon as it is ready."""
    known(world)
    world.bind(world.ready(OTHER_PICTURE, 2))
    with world.injector.standing_aside():
        now = world.now()
        times = {"created_at": now, "expires_at": (now + timedelta(hours=1)).replace(microsecond=0)}
        upload = world.rows.pending(upload_id=an_id(1), content_length=500_000, auto_bind=AutoBind(ADA, None), **times)
    world.receive(upload, PICTURE)


def after(arrange: Arrange, *then: Arrange) -> Arrange:
    """Run several, one after the other."""

    def arranged(world: World) -> None:
        for each in (arrange, *then):
            each(world)

    return arranged


def received_again(world: World) -> None:
    """Post the same form again."""
    world.receive(an_upload(), PICTURE)


def late(**duration: float) -> Arrange:
    """Let time pass while DynamoDB removes nothing."""
    return lambda world: world.put_clock_ahead(**duration)


def expired(world: World) -> None:
    """Let time pass until rows expire."""
    world.pass_time(hours=2)


def purged(world: World) -> None:
    """Let time pass until uploads expire and are purged, but not the counts of recent intents."""
    world.pass_time(hours=1.5)
    world.drain()


def used(world: World) -> None:
    """Refuse the pictures of all pending uploads."""
    with world.injector.standing_aside():
        for row in rows_of(cloud.UPLOADS_TABLE):
            if row.get("state") == State.PENDING:
                upload = world.rows.uploads.get(ADA, row["upload_id"])
                assert upload
                world.rows.processed(upload, state=State.REJECTED, reason=Reason.CORRUPT)


def original_lost(world: World) -> None:
    """Delete the original before its event is processed."""
    with world.injector.standing_aside():
        for key in world.aws.keys(cloud.UPLOADS_BUCKET):
            world.aws.s3.delete_object(Bucket=cloud.UPLOADS_BUCKET, Key=key)


def other_picture_settled(world: World) -> None:
    """Post another picture and process it first."""
    world.receive(an_upload(), OTHER_PICTURE)
    process(world)


def released(count: int) -> Arrange:
    """Let this many uploads expire."""

    def arrange(world: World) -> None:
        with world.injector.standing_aside():
            for number in range(1, count + 1):
                world.rows.pending(upload_id=an_id(number), created_at=world.now(), expires_at=world.now())
        world.pass_time(hours=2)

    return arrange


def objects(count: int) -> Arrange:
    """Store the objects of an upload without a row."""

    def arrange(world: World) -> None:
        with world.unobserved():
            for number in range(count):
                content = str(number).encode()
                described = Derivative("full", sha256(content).hexdigest()[:32], ContentType.WEBP, 1, 1, len(content))
                key = media_key(an_id(1), described)
                world.aws.s3.put_object(Bucket=cloud.MEDIA_BUCKET, Key=key, Body=content)
        world.receive(an_upload(), PICTURE)

    return arrange


def intended(count: int) -> Arrange:
    """Create this many intents."""

    def arrange(world: World) -> None:
        for number in range(count):
            intend(f"earlier-{number}")(world)

    return arrange


# --- invocations


def intend(key: str | None = "k", claims: dict[str, str] | None = None, **changes: object) -> Invoke:
    """Create an intent."""
    body = {**INTENT, **changes}
    return lambda world: world.call("create_upload_intent", body, claims, headers={"Idempotency-Key": key})


def process(world: World) -> None:
    """Deliver S3's event for upload 1."""
    world.process(an_upload())


def bind(number: int, slot: Slot = Slot.AVATAR) -> Invoke:
    """Bind by public id."""
    body = {"publicId": f"app/temp/user_YXV0aDB8YWRh/images/{an_id(number)}"}
    return lambda world: world.call(f"bind_{slot.value}", body)


def set_url(url: str) -> Invoke:
    """Set an external picture by its URL."""
    return lambda world: world.call("set_avatar_url", {"avatarUrl": url})


def set_own_url(world: World) -> Answer:
    """Bind upload 1 by the URL of its default derivative."""
    [row] = [row for row in rows_of(cloud.UPLOADS_TABLE) if row["upload_id"] == an_id(1)]
    [full] = [each for each in row["derivatives"] if each["name"] == "full"]
    return world.call(
        "set_avatar_url", {"avatarUrl": f"{cloud.MEDIA_BASE_URL}/media/{an_id(1)}/full-{full['digest']}.webp"}
    )


def picture_of(function: str, number: int | None, claims: dict[str, str] | None = None) -> Invoke:
    """Bind by upload id, or unbind."""
    body = {"uploadId": an_id(number) if number else None}
    return lambda world: world.call(function, body, claims)


def send(function: str, claims: dict[str, str] | None = None) -> Invoke:
    """Send the sample request."""
    return lambda world: world.call(function, ..., claims)


def send_text(world: World) -> Answer:
    """Send a form whose file is text."""
    form = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return world.call("upload_user_image", form, headers=headers, isBase64Encoded=False)


def look(wait: int) -> Invoke:
    """Read upload 1."""
    path, query = {"uploadId": an_id(1)}, {"wait": str(wait)}
    return lambda world: world.call("get_upload", ..., pathParameters=path, queryStringParameters=query)


def cancel(world: World) -> Answer:
    """Give up upload 1."""
    return world.cancel(an_id(1))


def update(**change: object) -> Invoke:
    """Crop upload 1 again, or describe it."""
    return lambda world: world.update(an_id(1), **change)


def take_off(slot: str) -> Invoke:
    """Remove the picture from a slot."""
    return lambda world: world.call("remove_picture", ..., pathParameters={"slot": slot})


def release(world: World) -> Any:
    """Deliver the stream's records."""
    return world.release() if world.observer.removed else {"batchItemFailures": []}


def purge(world: World) -> Any:
    """Deliver one message of the delete queue."""
    return world.purge({"owner_id": ADA, "upload_id": an_id(1)})


# --- scenarios and their calls

RECOGNISED = ("GetItem",)
INTRODUCED = ("GetItem", "UpdateItem", "GetItem")
STORED = ("PutObject",) * 5
BOUND = ("TransactGetItems", "TransactWriteItems")
UNBOUND = ("GetItem", "TransactWriteItems")
SETTLED = ("GetItem", "GetObject", *STORED, "UpdateItem")
PROCESSED = (*SETTLED, "DeleteObject")
INGESTED = ("TransactWriteItems", *STORED, "UpdateItem", *BOUND)
PRUNED = ("TransactWriteItems", *["GetItem"] * (1 + OPEN_INTENTS), "UpdateItem", "TransactWriteItems")
CANCELLED = ("GetItem", "TransactWriteItems")
REPLAYED = ("TransactWriteItems", "GetItem", "GetItem")
CREATE, PICTURE_OF, MY_PICTURE = "create_upload_intent", "update_profile_picture", "update_my_profile_picture"
CANCEL, UPDATE = "cancel_upload", "update_upload"
FOCUS = {"x": 0.5, "y": 0.0}
CROPPED = ("TransactGetItems", "GetObject", *STORED[1:])
"""All derivatives but the master."""
SWAPPED = (*CROPPED, "TransactWriteItems", "SendMessageBatch")
UPLOAD_IMAGE, UPDATE_IMAGE, DELETE_IMAGE = "upload_user_image", "update_profile_image", "delete_profile_image"
AVATAR, COVER = Slot.AVATAR, Slot.COVER_IMAGE


def intents(name: str, arrange: Arrange, invoke: Invoke, calls: tuple[str, ...], status: int = 201) -> Scenario:
    """Return a scenario of creating an intent."""
    return Scenario(name, CREATE, arrange, invoke, calls, status, idempotent="key" in name)


def processing(
    name: str, arrange: Arrange, calls: tuple[str, ...], elsewhere: Arrange | None = None, **more: Any
) -> Scenario:
    """Return a scenario of S3's event."""
    return Scenario(
        name, "process_upload", arrange, process, calls, None, Retried.EVENT, elsewhere, shows=look(0), **more
    )


SCENARIOS = (
    intents("an intent", nothing, intend(None), ("TransactWriteItems",)),
    intents("an intent with a key", nothing, intend(), ("TransactWriteItems",)),
    intents("a replayed key", intend(), intend(), REPLAYED),
    intents("a key with another body", intend(), intend(contentLength=7), REPLAYED[:2], 409),
    intents("a lapsed key", after(intend(), purged), intend(), (*REPLAYED, "DeleteItem", "TransactWriteItems")),
    intents("a full quota of used uploads", after(intended(OPEN_INTENTS), used), intend(None), PRUNED),
    intents(
        "a full quota of failed posts",
        after(intended(OPEN_INTENTS), late(minutes=6)),
        intend(None),
        (*PRUNED[:2], *PRUNED[-2:]),
    ),
    intents("a full quota", intended(OPEN_INTENTS), intend(None), PRUNED[:-2], 429),
    intents(
        "an intent for somebody else, with a key",
        known,
        intend(claims=ADMIN, owner={"userId": ADA}),
        ("GetItem", "TransactWriteItems"),
    ),
    processing("a picture", pending(checksum=CHECKSUM), (*SETTLED, "DeleteObject")),
    processing(
        "a picture bound at once", bound_and_pending, (*SETTLED, *BOUND, "DeleteObject"), passes='"state": "ready"'
    ),
    processing("no picture", pending(b"hello"), ("GetItem", "GetObject", "UpdateItem", "DeleteObject")),
    processing(
        "another picture than announced",
        pending(OTHER_PICTURE, CHECKSUM),
        ("GetItem", "GetObject", "UpdateItem", "DeleteObject"),
    ),
    processing("an event again", after(pending(), process, received_again), ("GetItem", "DeleteObject")),
    processing("an event after the bind", after(bound, received_again), ("GetItem", "DeleteObject")),
    processing("an event too late", after(pending(), late(hours=2)), ("GetItem", "DeleteObject")),
    processing(
        "an event after the purge",
        after(pending(), purged, received_again),
        ("GetItem", "DeleteObject", "SendMessageBatch"),
    ),
    processing("an event without its object", after(pending(), original_lost), ("GetItem", "GetObject")),
    processing(
        "a picture whose row goes meanwhile",
        pending(),
        (*SETTLED, "GetItem", "SendMessageBatch", "DeleteObject"),
        purged,
    ),
    processing(
        "a picture whose time is up meanwhile",
        pending(),
        (*SETTLED, "GetItem", "DeleteObjects", "DeleteObject"),
        late(hours=2),
    ),
    processing("a picture that is settled meanwhile", pending(), (*SETTLED, "GetItem", "DeleteObject"), process),
    processing(
        "a picture that loses against another",
        pending(),
        (*SETTLED, "GetItem", "DeleteObjects", "DeleteObject"),
        other_picture_settled,
        loser=PICTURE,
    ),
    processing(
        "a picture that is given up meanwhile",
        pending(),
        (*SETTLED, "GetItem", "SendMessageBatch", "DeleteObject"),
        cancel,
    ),
    processing(
        "a picture that arrives after it was given up",
        after(pending(), cancel, received_again),
        ("GetItem", "DeleteObject", "SendMessageBatch"),
    ),
    Scenario("a pending upload given up", CANCEL, pending(), cancel, CANCELLED, 204, shows=look(0)),
    Scenario("a ready upload given up", CANCEL, ready(AVATAR), cancel, CANCELLED, 204, shows=look(0)),
    Scenario("a bound upload not given up", CANCEL, bound, cancel, CANCELLED[:1], 409),
    Scenario("no upload to give up", CANCEL, nothing, cancel, CANCELLED[:1], 204, shows=look(0)),
    Scenario("a ready upload cropped", UPDATE, ready(AVATAR), update(focus=FOCUS), SWAPPED, shows=look(0), leaves=True),
    Scenario("an avatar cropped", UPDATE, bound, update(focus=FOCUS, alt="Ada"), SWAPPED, leaves=True),
    Scenario(
        "an avatar cropped back", UPDATE, after(bound, update(focus=FOCUS)), update(crop=None), SWAPPED, leaves=True
    ),
    Scenario("an avatar described", UPDATE, bound, update(alt="Ada"), ("TransactGetItems", "TransactWriteItems")),
    Scenario("an avatar cropped as it is", UPDATE, bound, update(crop=None), ("TransactGetItems",)),
    Scenario(
        "an avatar cropped while it is described",
        UPDATE,
        bound,
        update(focus=FOCUS),
        (*CROPPED, "TransactWriteItems", "GetItem", "SendMessageBatch", *SWAPPED),
        elsewhere=update(alt="Ada"),
        passes='"alt": "Ada"',
        leaves=True,
    ),
    Scenario("a cover image off", "remove_picture", bound_cover, take_off("cover-image"), UNBOUND, 204),
    Scenario("no cover image off", "remove_picture", bound, take_off("cover-image"), UNBOUND[:1], 204),
    Scenario("a first avatar", "bind_avatar", ready(AVATAR), bind(1), BOUND),
    Scenario("another avatar", "bind_avatar", ready(AVATAR, AVATAR), bind(2), BOUND),
    Scenario("the same avatar", "bind_avatar", bound, bind(1), BOUND[:1]),
    Scenario("an avatar for a picture elsewhere", "bind_avatar", external, bind(1), BOUND),
    Scenario("an avatar that is none", "bind_avatar", ready(COVER), bind(1), BOUND[:1], 400),
    Scenario("a first cover image", "bind_cover_image", ready(COVER), bind(1, COVER), BOUND),
    Scenario("another cover image", "bind_cover_image", ready(COVER, COVER), bind(2, COVER), BOUND),
    Scenario("the same cover image", "bind_cover_image", bound_cover, bind(1, COVER), BOUND[:1]),
    Scenario("a picture elsewhere", "set_avatar_url", bound, set_url(ELSEWHERE), (*RECOGNISED, *UNBOUND)),
    Scenario("an avatar by its URL", "set_avatar_url", ready(AVATAR), set_own_url, (*RECOGNISED, *BOUND)),
    Scenario(
        "an avatar by its id", PICTURE_OF, ready(AVATAR, AVATAR), picture_of(PICTURE_OF, 2), (*RECOGNISED, *BOUND)
    ),
    Scenario("an avatar off", PICTURE_OF, bound, picture_of(PICTURE_OF, None), (*RECOGNISED, *UNBOUND)),
    Scenario(
        "somebody's avatar by its id",
        PICTURE_OF,
        ready(AVATAR, AVATAR),
        picture_of(PICTURE_OF, 2, ADMIN),
        (*RECOGNISED, *BOUND),
    ),
    Scenario("an unknown avatar", PICTURE_OF, bound, picture_of(PICTURE_OF, 9), (*RECOGNISED, *BOUND[:1]), 404),
    Scenario(
        "my avatar by its id", MY_PICTURE, ready(AVATAR, AVATAR), picture_of(MY_PICTURE, 2), (*RECOGNISED, *BOUND)
    ),
    Scenario("my avatar off", MY_PICTURE, bound, picture_of(MY_PICTURE, None), (*RECOGNISED, *UNBOUND)),
    Scenario("a first picture in a form", UPLOAD_IMAGE, nothing, send(UPLOAD_IMAGE), (*INTRODUCED, *INGESTED)),
    Scenario("another picture in a form", UPLOAD_IMAGE, bound, send(UPLOAD_IMAGE), (*RECOGNISED, *INGESTED)),
    Scenario("no picture in a form", UPLOAD_IMAGE, bound, send_text, RECOGNISED, 400),
    Scenario("somebody's picture in a form", UPDATE_IMAGE, bound, send(UPDATE_IMAGE, ADMIN), (*RECOGNISED, *INGESTED)),
    Scenario("an avatar deleted", DELETE_IMAGE, bound, send(DELETE_IMAGE), (*RECOGNISED, *UNBOUND)),
    Scenario("a picture elsewhere taken off", DELETE_IMAGE, external, send(DELETE_IMAGE), (*RECOGNISED, *UNBOUND)),
    Scenario("no avatar deleted", DELETE_IMAGE, known, send(DELETE_IMAGE), (*RECOGNISED, *UNBOUND[:1])),
    Scenario("a user for the first time", "get_user", nothing, send("get_user"), INTRODUCED),
    Scenario("a user", "get_user", bound, send("get_user"), RECOGNISED),
    Scenario("nobody", "get_user", nothing, send("get_user", ADMIN), RECOGNISED, 404),
    Scenario("a user written", "put_user", nothing, send("put_user"), INTRODUCED[1:]),
    Scenario("a profile for the first time", "get_profile", nothing, send("get_profile"), INTRODUCED),
    Scenario("a profile", "get_profile", bound, send("get_profile"), RECOGNISED),
    Scenario("an upload", "get_upload", bound, look(0), ("GetItem",)),
    Scenario("an upload that keeps waiting", "get_upload", pending(), look(1), ("GetItem",) * 4),
    Scenario("no upload", "get_upload", nothing, look(0), ("GetItem",), 404),
    Scenario("a removed row", "release_media", released(1), release, ("SendMessageBatch",), None, Retried.RECORD),
    Scenario(
        "removed rows, many at once",
        "release_media",
        released(MANY),
        release,
        ("SendMessageBatch",) * 3,
        None,
        Retried.RECORD,
    ),
    Scenario(
        "a purge",
        "purge_media",
        objects(5),
        purge,
        ("ListObjectsV2", "ListObjectsV2", "DeleteObjects", "DeleteObject"),
        None,
        Retried.MESSAGE,
    ),
    Scenario(
        "a purge, page after page",
        "purge_media",
        objects(PAGE_SIZE + 1),
        purge,
        ("ListObjectsV2",) * 3 + ("DeleteObjects", "DeleteObject"),
        None,
        Retried.MESSAGE,
    ),
    Scenario(
        "a purge of nothing",
        "purge_media",
        nothing,
        purge,
        ("ListObjectsV2", "ListObjectsV2", "DeleteObject"),
        None,
        Retried.MESSAGE,
    ),
)


def quick(*names: str, among: Sequence[Scenario] = SCENARIOS) -> pytest.MarkDecorator:
    """Parametrize a test with scenarios; only the named ones run in `make test`, the others in `make assurance`."""
    assert set(names) <= {scenario.name for scenario in among}
    cases = [
        pytest.param(each, id=each.name, marks=() if each.name in names else pytest.mark.assurance) for each in among
    ]
    return pytest.mark.parametrize("scenario", cases)


# --- results

_RANDOM_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-(?!8000-0{12})[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+Z|\b1[789]\d{8}(?:\d{3})?\b|\d{8}T\d{6}Z|X-Amz-Signature=\w+|\b3[56]\d\d?\b"
)
_DIGEST = re.compile(r"(?<=-)[0-9a-f]{32}(?=\.)")
_SIGNED = ("policy", "x-amz-signature")


def said(answer: Any) -> Any:
    """Return an answer without ids, times and signatures."""
    if not isinstance(answer, Answer):
        return answer
    body = json.loads(json.dumps(answer.body))
    for name in _SIGNED:
        body.get("upload", {}).get("fields", {}).pop(name, None)
    text = _DIGEST.sub("<digest>", json.dumps(body, sort_keys=True))
    return answer.status, _TIME.sub("<time>", _RANDOM_ID.sub("<id>", text))


def pictures_of(world: World) -> Any:
    """Return slots, uploads and objects without upload ids, because a retried upload has another id."""
    world.observer.look()
    last = world.observer.last
    return (
        {place: held.get("url") or _contents(last, held) for place, held in last.slots.items()},
        sorted(
            (row["state"], row["slot"], row.get("reason", ""), _contents(last, row)) for row in last.uploads.values()
        ),
        sorted(digest for digest in last.media.values()),
        len(last.incoming),
    )


def all_data(world: World) -> Any:
    """Return all rows but counters, all objects, removed rows and messages."""
    uploads = [row for row in rows_of(cloud.UPLOADS_TABLE) if not row["upload_id"].startswith(("quota", "writes#"))]
    users = rows_of(cloud.USERS_TABLE)
    world.observer.look()
    last = world.observer.last
    return uploads, users, last.media, last.incoming, list(world.observer.removed), world.queued()


def _contents(last: Snapshot, holder: Any) -> list[str | None]:
    """Return the digests of the objects that a row or a slot names. Those in the keys may have a salt."""
    return [last.media.get(key) for key in derivatives(holder["upload_id"], holder)]
