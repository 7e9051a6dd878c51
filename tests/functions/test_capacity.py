"""The calls to AWS and the capacity units of every step from the intent to the purge, counted exactly."""

import json
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from functions.authorize.app import handler as authorize
from profile_media.domain.keys import incoming_key
from profile_media.domain.model import Slot
from profile_media.domain.policy import SIZES
from tests import cloud, pictures
from tests.builders import ADA, an_id
from tests.functions.conftest import Call, an_event, run
from tests.functions.meter import Usage, metered
from tests.functions.test_authorize import CONTEXT, Published, deployed, published
from tests.tokens import a_token

__all__ = ["deployed", "published"]

PICTURE = pictures.a_jpeg(64, 48)
PUTS = ["PutObject"] * (len(SIZES[Slot.AVATAR]) + 1)
"""One for each size of an avatar, and one for the master."""

BIND = ["TransactGetItems", "TransactWriteItems"]

CANCEL = ["GetItem", "TransactWriteItems"]

LIFE = {
    # A transaction of two items below 1 KB: the upload's row and the owner's quota.
    "intent": Usage(["TransactWriteItems"], write_units=4),
    "process": Usage(["GetItem", "GetObject", *PUTS, "UpdateItem", "DeleteObject"], read_units=1, write_units=1),
    "poll": Usage(["GetItem"], read_units=1),
    # Reads two rows; writes the user's, which counts the change, the new upload's and the old one's.
    "bind": Usage(BIND, read_units=4, write_units=6),
    "release": Usage(["SendMessageBatch"]),
    "purge": Usage(["DeleteObjects"]),
}


class Life:
    """Does the steps of one user's avatar by calling the handlers, and measures each."""

    def __init__(self, aws: cloud.Cloud, call: Call) -> None:
        self.aws, self.call = aws, call
        self.usage: dict[str, Usage] = {}

    def intend(self, **more: object) -> str:
        """Create an intent and store the picture, as a browser would. Return the upload's id."""
        asked = {"slot": "avatar", "contentType": "image/jpeg", "contentLength": len(PICTURE), **more}
        with metered(self.aws) as self.usage["intent"]:
            answer = self.call("create_upload_intent", asked, headers={"Idempotency-Key": None})
        key = answer.body["upload"]["fields"]["key"]
        self.aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=PICTURE)
        return str(answer.body["uploadId"])

    def process(self, upload_id: str) -> None:
        event = an_event("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = incoming_key(ADA, upload_id)
        with metered(self.aws) as self.usage["process"]:
            run("process_upload", event)

    def bind(self, upload_id: str) -> None:
        with metered(self.aws) as self.usage["poll"]:
            self.call("get_upload", pathParameters={"uploadId": upload_id})
        with metered(self.aws) as self.usage["bind"]:
            body = {"publicId": f"app/temp/user_YXV0aDB8YWRh/images/{upload_id}"}
            assert self.call("bind_avatar", body).status == 200

    def release(self, *rows: dict[str, Any]) -> None:
        event = an_event("release_media")
        template = event["Records"][0]
        event["Records"] = [{**template, "dynamodb": _change(number, row)} for number, row in enumerate(rows)]
        with metered(self.aws) as self.usage["release"]:
            run("release_media", event)

    def purge(self) -> None:
        event = an_event("purge_media")
        event["Records"] = [
            {**event["Records"][0], "messageId": str(number), "body": json.dumps(body)}
            for number, body in enumerate(self.aws.messages())
        ]
        with metered(self.aws) as self.usage["purge"]:
            assert run("purge_media", event) == {"batchItemFailures": []}

    def avatar(self) -> str:
        upload_id = self.intend()
        self.process(upload_id)
        self.bind(upload_id)
        return upload_id

    def replace_avatar(self, upload_id: str) -> None:
        """Replace an avatar and delete it, from the intent to the purge."""
        old = self.row(upload_id)
        self.avatar()
        self.release(old)
        self.purge()

    def row(self, upload_id: str) -> dict[str, Any]:
        key = {"owner_id": {"S": ADA}, "upload_id": {"S": upload_id}}
        row: dict[str, Any] = self.aws.dynamodb.get_item(TableName=cloud.UPLOADS_TABLE, Key=key)["Item"]
        return row


def _change(number: int, row: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a stream record that describes a removed row."""
    keys = {name: row[name] for name in ("owner_id", "upload_id")}
    return {"Keys": keys, "OldImage": row, "SequenceNumber": str(number), "StreamViewType": "OLD_IMAGE"}


@pytest.fixture
def life(aws: cloud.Cloud, call: Call) -> Life:
    call("get_profile")  # saves the user's row and creates the clients
    return Life(aws, call)


def test_every_step_makes_these_calls_and_uses_these_units(life: Life, aws: cloud.Cloud) -> None:
    life.replace_avatar(life.avatar())
    assert life.usage == LIFE
    assert len(aws.keys(cloud.MEDIA_BUCKET)) == len(PUTS)


def test_first_avatar_writes_one_row_less(life: Life) -> None:
    life.avatar()
    assert life.usage["bind"] == Usage(BIND, read_units=4, write_units=4)


def test_intent_that_asks_to_bind_saves_the_poll_and_the_call_of_bind(life: Life) -> None:
    life.process(life.intend(bind=True))
    assert life.usage["intent"] == LIFE["intent"]
    process = LIFE["process"].calls
    assert life.usage["process"] == Usage([*process[:-1], *BIND, process[-1]], read_units=5, write_units=5)
    assert life.call("get_profile").body["avatar"]


def test_new_crop_stores_all_sizes_and_writes_row_and_slot(life: Life) -> None:
    upload_id = life.avatar()
    for body, calls in (
        ({"focus": {"x": 0.5, "y": 0.0}}, ["GetObject", *PUTS[1:], "TransactWriteItems", "SendMessageBatch"]),
        ({"focus": {"x": 0.5, "y": 0.0}}, []),
        ({"alt": "Ada"}, ["TransactWriteItems"]),
    ):
        with metered(life.aws) as usage:
            assert life.call("update_upload", body, pathParameters={"uploadId": upload_id}).status == 200
        assert usage.calls == ["TransactGetItems", *calls]
        assert (usage.read_units, usage.write_units) == (4, 4 if calls else 0)


@pytest.mark.parametrize("processed", [False, True], ids=["pending", "ready"])
def test_giving_up_reads_the_row_and_deletes_it_with_its_quota_entry(life: Life, processed: bool) -> None:
    upload_id = life.intend()
    if processed:
        life.process(upload_id)
    with metered(life.aws) as usage:
        life.call("cancel_upload", pathParameters={"uploadId": upload_id})
    assert usage == Usage(CANCEL, read_units=1, write_units=4)
    with metered(life.aws) as usage:
        life.call("cancel_upload", pathParameters={"uploadId": upload_id})
    assert usage == Usage(CANCEL[:1], read_units=1)


def test_removing_a_picture_reads_the_user_and_writes_two_rows(life: Life) -> None:
    life.avatar()
    with metered(life.aws) as usage:
        life.call("remove_picture", pathParameters={"slot": "avatar"})
    assert usage == Usage(["GetItem", "TransactWriteItems"], read_units=1, write_units=4)
    with metered(life.aws) as usage:
        life.call("remove_picture", pathParameters={"slot": "avatar"})
    assert usage == Usage(["GetItem"], read_units=1)


def test_purge_without_keys_lists_and_deletes_the_original(life: Life) -> None:
    upload_id = life.intend()
    life.release(life.row(upload_id))
    life.purge()
    assert life.usage["purge"] == Usage(["ListObjectsV2", "ListObjectsV2", "DeleteObject"])


def test_ten_removed_uploads_are_released_with_one_call(life: Life, aws: cloud.Cloud) -> None:
    bound = life.row(life.avatar())
    derivatives = bound["derivatives"]
    rows = [{**bound, "upload_id": {"S": an_id(number)}, "derivatives": derivatives} for number in range(10)]
    life.release(*rows)
    life.purge()
    assert life.usage["release"] == LIFE["release"]
    assert life.usage["purge"] == Usage(LIFE["purge"].calls * 10)


def test_authorizer_that_knows_the_keys_makes_no_call(published: Published, aws: cloud.Cloud) -> None:
    event = {**an_event("authorize"), "authorizationToken": f"Bearer {a_token(exp=4_000_000_000)}"}
    with metered(aws) as usage:
        for _ in range(3):
            authorize(event, CONTEXT)
    assert usage == Usage()
    assert published.fetches == 1


@pytest.mark.parametrize("others", [10, pytest.param(100_000, marks=pytest.mark.assurance)])
def test_no_step_depends_on_the_number_of_users(life: Life, others: int) -> None:
    old = life.avatar()
    for table in (cloud.USERS_TABLE, cloud.UPLOADS_TABLE):
        items: dict[DynamoType, Any] = dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables[table].items
        items.update((DynamoType({"S": f"auth0|{number}"}), items[DynamoType({"S": ADA})]) for number in range(others))
    life.replace_avatar(old)
    assert life.usage == LIFE
