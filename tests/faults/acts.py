"""Acts that may run at the same time on one user's pictures."""

import json
from collections.abc import Callable, Sequence

from profile_media.domain.model import Slot, Upload
from tests import cloud, pictures
from tests.builders import ADA, an_id, an_upload
from tests.faults.injector import Crash
from tests.faults.linearity import Wish
from tests.faults.schedule import Act, Stage, made_id
from tests.faults.stored import take_messages
from tests.faults.world import World
from tests.functions.conftest import Answer

PICTURE, OTHER = pictures.a_jpeg(64, 48), pictures.a_jpeg(48, 64)
ELSEWHERE = "https://pictures.example.org/ada.png"

AVATAR = (ADA, Slot.AVATAR)


def named(number: int, slot: Slot = Slot.AVATAR) -> Upload:
    """Return an upload with this number; only its id and slot matter."""
    return an_upload(upload_id=an_id(number), slot=slot)


def bind(number: int, slot: Slot = Slot.AVATAR) -> Act:
    """Bind by public id."""
    return Act(f"bind {number}", lambda stage: stage.world.bind(named(number, slot)), Wish((ADA, slot), an_id(number)))


def remove() -> Act:
    """Remove the avatar."""

    def do(stage: Stage) -> Answer:
        return stage.world.call("delete_profile_image", None, pathParameters={"user_id": ADA})

    return Act("remove", do, Wish(AVATAR, None))


def external() -> Act:
    """Set an external picture."""
    return Act(
        "external", lambda stage: stage.world.call("set_avatar_url", {"avatarUrl": ELSEWHERE}), Wish(AVATAR, ELSEWHERE)
    )


def direct(act: int) -> Act:
    """Upload a picture through the API; `act` is the number of this act in its play."""

    def send(stage: Stage) -> Answer:
        return stage.world.call("upload_user_image")

    wish = Wish(AVATAR, made_id(act, 1))
    return Act("direct upload", send, wish, writes_when_refused=True, stores_alone=True)


def process(number: int, *, stores_alone: bool = False) -> Act:
    """Process an upload: S3's event."""

    def do(stage: Stage) -> None:
        stage.world.process(named(number))

    return Act(f"process {number}", do, again=_processed(number), stores_alone=stores_alone)


def _processed(number: int) -> Callable[[World], object]:
    """Return S3's retry of the event."""
    return lambda world: world.process(named(number))


def post(number: int, content: bytes = OTHER) -> Act:
    """Post the form again with another picture, and process it."""

    def do(stage: Stage) -> None:
        stage.world.receive(named(number), content)
        stage.pause()
        stage.world.process(named(number))

    return Act(f"post {number} again", do, again=_processed(number))


def live(number: int, *others: int) -> Act:
    """Process an upload, bind it, replace it by others, and purge it."""

    def do(stage: Stage) -> None:
        stage.world.process(named(number))
        for each in (number, *others):
            stage.world.bind(named(each))
        deliver().do(stage)

    return Act(f"{number} lives", do, many=True, stores_alone=True)


def expire(hours: int) -> Act:
    """Let time pass; in a later step DynamoDB removes expired rows."""

    def do(stage: Stage) -> None:
        stage.world.put_clock_ahead(hours=hours)
        stage.pause()
        with stage.observed():
            stage.world.pass_time()

    return Act(f"{hours} h pass", do)


def deliver(*, pausing: bool = True) -> Act:
    """Deliver the stream's records, then the delete queue's messages. Messages that fail stay in the queue."""

    def do(stage: Stage) -> None:
        if stage.world.observer.removed:
            stage.world.release()
            if pausing:
                stage.pause()
        with stage.observed():
            messages = take_messages("purge")
        for number, message in enumerate(messages):
            try:
                stage.world.purge(message)
            except Crash:
                put_back(stage.world, messages[number:])
                raise

    return Act("deliver", do)


def put_back(world: World, messages: Sequence[dict[str, str]]) -> None:
    """Put messages back into the delete queue."""
    with world.injector.standing_aside():
        for message in messages:
            world.aws.sqs.send_message(QueueUrl=cloud.QUEUE_URL, MessageBody=json.dumps(message))


def intent(key: str, **body: object) -> Act:
    """Create an intent with an idempotency key."""
    asked = {"slot": "avatar", "contentType": "image/jpeg", "contentLength": 500, **body}

    def do(stage: Stage) -> Answer:
        return stage.world.call("create_upload_intent", asked, headers={"Idempotency-Key": key})

    return Act(f"intent {key}", do)


def write(**claims: str) -> Act:
    """Write the user, as an administrator."""
    return Act("put user", lambda stage: stage.world.call("put_user", claims=claims, pathParameters={"user_id": ADA}))


def look(**claims: str) -> Act:
    """Read the own profile; the token's identity is saved."""
    return Act("look", lambda stage: stage.world.call("get_profile", claims=claims))
