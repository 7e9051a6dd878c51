"""AWS says: later. Within the SDK's patience nobody notices; beyond it the caller is told when to come back."""

from itertools import product

import pytest

from profile_media.aws.session import ATTEMPTS
from profile_media.domain.model import State, Upload
from tests import cloud, pictures
from tests.builders import ADA, an_id
from tests.faults.injector import Refusal
from tests.faults.test_crash_points import BIND, PROCESS
from tests.faults.world import World
from tests.functions.conftest import an_event, run

NOTICED, UNNOTICED = ATTEMPTS, ATTEMPTS - 1
API = {
    "create_upload_intent": ["dynamodb.TransactWriteItems"],
    "get_upload": ["dynamodb.GetItem"],
    "get_profile": ["dynamodb.GetItem"],
    "bind_avatar": BIND,
}
POINTS = [(function, at) for function, calls in API.items() for at in range(len(calls))]


def refusal_of(call: str) -> Refusal:
    return Refusal.SLOW_DOWN if call.startswith("s3") else Refusal.THROTTLED


def everything(world: World) -> object:
    return (
        world.aws.rows(cloud.UPLOADS_TABLE),
        world.aws.rows(cloud.USERS_TABLE),
        world.aws.keys(cloud.MEDIA_BUCKET),
        world.aws.keys(cloud.UPLOADS_BUCKET),
    )


@pytest.fixture
def upload(world: World) -> Upload:
    return world.rows.ready()


def ask(world: World, function: str, upload: Upload) -> int:
    body = {"publicId": f"app/temp/user_YXV0aDB8YWRh/images/{upload.upload_id}"} if "bind" in function else ...
    path = {"uploadId": upload.upload_id} if function == "get_upload" else {}
    return world.call(function, body, pathParameters=path).status


@pytest.mark.parametrize(("function", "at"), POINTS)
def test_a_few_refusals_are_not_noticed(world: World, upload: Upload, function: str, at: int) -> None:
    world.injector.refuse(at, Refusal.THROTTLED, UNNOTICED)
    assert ask(world, function, upload) in {200, 201}


@pytest.mark.parametrize(("function", "at"), POINTS)
def test_more_are_a_503_that_says_when_and_changes_nothing(
    world: World, upload: Upload, function: str, at: int
) -> None:
    before = everything(world)
    world.injector.refuse(at, Refusal.THROTTLED, NOTICED)
    body = {"publicId": f"app/temp/user_YXV0aDB8YWRh/images/{upload.upload_id}"} if "bind" in function else ...
    path = {"uploadId": upload.upload_id} if function == "get_upload" else {}
    answer = world.call(function, body, pathParameters=path)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    world.injector.disarm()
    assert everything(world) == before


@pytest.mark.parametrize(("at", "times"), [*product(range(len(BIND)), (1, 4))])
def test_transactions_wait_for_those_in_their_way(world: World, upload: Upload, at: int, times: int) -> None:
    world.injector.refuse(at, Refusal.IN_CONFLICT, times)
    assert ask(world, "bind_avatar", upload) == 200
    assert world.slots() == {"avatar": upload.upload_id}


@pytest.mark.parametrize("at", range(len(BIND)))
def test_transactions_do_not_wait_for_ever(world: World, upload: Upload, at: int) -> None:
    world.injector.refuse(at, Refusal.IN_CONFLICT, 99)
    assert ask(world, "bind_avatar", upload) == 503
    world.injector.disarm()
    assert world.slots() == {}


def test_an_intent_waits_for_those_in_its_way(world: World) -> None:
    world.injector.refuse(0, Refusal.IN_CONFLICT, 2)
    assert world.call("create_upload_intent").status == 201


@pytest.mark.parametrize("at", range(len(PROCESS)))
def test_processing_is_tried_again_by_the_platform(world: World, at: int) -> None:
    picture = pictures.a_jpeg(64, 48)
    pending = world.rows.pending(upload_id=an_id(4), content_length=len(picture))
    world.receive(pending, picture)
    world.injector.refuse(at, refusal_of(PROCESS[at]), NOTICED)
    with pytest.raises(Exception, match=r"ThrottlingException|SlowDown"):
        world.process(pending)
    world.injector.disarm()
    world.process(pending)
    row = world.rows.uploads.get(ADA, pending.upload_id)
    assert row
    assert row.state is State.READY
    assert world.aws.keys(cloud.UPLOADS_BUCKET) == set()


@pytest.mark.parametrize("at", range(3))
def test_a_purge_that_was_refused_comes_again(world: World, at: int) -> None:
    picture = pictures.a_jpeg(64, 48)
    pending = world.rows.pending(upload_id=an_id(4), content_length=len(picture))
    world.receive(pending, picture)
    world.process(pending)
    event = an_event("purge_media")
    event["Records"][0]["body"] = f'{{"owner_id": "{ADA}", "upload_id": "{an_id(4)}"}}'
    world.injector.refuse(at, Refusal.SLOW_DOWN, NOTICED)
    message_id = event["Records"][0]["messageId"]
    assert run("purge_media", event) == {"batchItemFailures": [{"itemIdentifier": message_id}]}
    world.injector.disarm()
    assert run("purge_media", event) == {"batchItemFailures": []}
    assert world.aws.keys(cloud.MEDIA_BUCKET) == set()
