"""Tasks that may run at the same time on one user's pictures."""

import json
from collections.abc import Callable, Sequence

from profile_media.domain.model import Slot, Upload
from tests import cloud, pictures
from tests.builders import ADA, an_id, an_upload
from tests.faults.injector import Crash
from tests.faults.linearity import Wish
from tests.faults.scheduler import Scheduler, Task, made_id
from tests.faults.stored import take_messages
from tests.faults.world import World
from tests.functions.conftest import Answer

PICTURE, OTHER = pictures.a_jpeg(64, 48), pictures.a_jpeg(48, 64)
ELSEWHERE = "https://pictures.example.org/ada.png"

AVATAR = (ADA, Slot.AVATAR)


def named(number: int, slot: Slot = Slot.AVATAR) -> Upload:
    """Return an upload with this number; only its id and slot matter."""
    return an_upload(upload_id=an_id(number), slot=slot)


def bind(number: int, slot: Slot = Slot.AVATAR) -> Task:
    """Bind by public id."""
    return Task(
        f"bind {number}", lambda scheduler: scheduler.world.bind(named(number, slot)), Wish((ADA, slot), an_id(number))
    )


def remove() -> Task:
    """Remove the avatar."""

    def do(scheduler: Scheduler) -> Answer:
        return scheduler.world.call("delete_profile_image", None, pathParameters={"user_id": ADA})

    return Task("remove", do, Wish(AVATAR, None))


def cancel(number: int) -> Task:
    """Give up an upload."""
    return cancel_id(an_id(number))


def cancel_id(upload_id: str) -> Task:
    """Give up the upload with this id."""
    return Task("give up", lambda scheduler: scheduler.world.cancel(upload_id))


def update(number: int, **change: object) -> Task:
    """Crop an upload again, or describe it."""

    def do(scheduler: Scheduler) -> Answer:
        return scheduler.world.update(an_id(number), **change)

    return Task(f"update {number}", do, writes_when_refused=True, stores_alone=True, leaves=True)


def external() -> Task:
    """Set an external picture."""
    return Task(
        "external",
        lambda scheduler: scheduler.world.call("set_avatar_url", {"avatarUrl": ELSEWHERE}),
        Wish(AVATAR, ELSEWHERE),
    )


def direct(task: int) -> Task:
    """Upload a picture through the API; `task` is the number of this task in its execution."""

    def send(scheduler: Scheduler) -> Answer:
        return scheduler.world.call("upload_user_image")

    wish = Wish(AVATAR, made_id(task, 1))
    return Task("direct upload", send, wish, writes_when_refused=True, stores_alone=True)


def process(number: int, *, stores_alone: bool = False, binds: bool = False) -> Task:
    """Process an upload: S3's event. It binds the upload if its intent said so."""

    def do(scheduler: Scheduler) -> None:
        scheduler.world.process(named(number))

    return Task(f"process {number}", do, many=binds, again=_processed(number), stores_alone=stores_alone)


def _processed(number: int) -> Callable[[World], object]:
    """Return S3's retry of the event."""
    return lambda world: world.process(named(number))


def post(number: int, content: bytes = OTHER) -> Task:
    """Post the form again with another picture, and process it."""

    def do(scheduler: Scheduler) -> None:
        scheduler.world.receive(named(number), content)
        scheduler.pause_at_next_call()
        scheduler.world.process(named(number))

    return Task(f"post {number} again", do, again=_processed(number))


def live(number: int, *others: int) -> Task:
    """Process an upload, bind it, replace it by others, and purge it."""

    def do(scheduler: Scheduler) -> None:
        scheduler.world.process(named(number))
        for each in (number, *others):
            scheduler.world.bind(named(each))
        deliver().do(scheduler)

    return Task(f"{number} lives", do, many=True, stores_alone=True)


def expire(hours: int) -> Task:
    """Let time pass; in a later step DynamoDB removes expired rows."""

    def do(scheduler: Scheduler) -> None:
        scheduler.world.put_clock_ahead(hours=hours)
        scheduler.pause()
        with scheduler.observed():
            scheduler.world.pass_time()

    return Task(f"{hours} h pass", do)


def deliver(*, pausing: bool = True) -> Task:
    """Deliver the stream's records, then the delete queue's messages. Messages that fail stay in the queue."""

    def do(scheduler: Scheduler) -> None:
        if scheduler.world.observer.removed:
            scheduler.world.release()
            if pausing:
                scheduler.pause()
        with scheduler.observed():
            messages = take_messages("purge")
        for number, message in enumerate(messages):
            try:
                scheduler.world.purge(message)
            except Crash:
                put_back(scheduler.world, messages[number:])
                raise

    return Task("deliver", do)


def put_back(world: World, messages: Sequence[dict[str, str]]) -> None:
    """Put messages back into the delete queue."""
    with world.injector.standing_aside():
        for message in messages:
            world.aws.sqs.send_message(QueueUrl=cloud.QUEUE_URL, MessageBody=json.dumps(message))


def ask(world: World, key: str, **body: object) -> Answer:
    """Ask for an intent."""
    asked = {"slot": "avatar", "contentType": "image/jpeg", "contentLength": 500, **body}
    return world.call("create_upload_intent", asked, headers={"Idempotency-Key": key})


def intent(key: str, **body: object) -> Task:
    """Create an intent with an idempotency key."""

    def do(scheduler: Scheduler) -> Answer:
        return ask(scheduler.world, key, **body)

    return Task(f"intent {key}", do)


def write(**claims: str) -> Task:
    """Write the user, as an administrator."""
    return Task(
        "put user", lambda scheduler: scheduler.world.call("put_user", claims=claims, pathParameters={"user_id": ADA})
    )


def look(**claims: str) -> Task:
    """Read the own profile; the token's identity is saved."""
    return Task("look", lambda scheduler: scheduler.world.call("get_profile", claims=claims))
