"""The reverse of the table in tests/template/test_rights.py: no call without its right, and no right without a call."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from profile_media.aws.presigner import S3Presigner
from profile_media.aws.session import s3, sqs
from profile_media.domain.model import utc_now
from tests import cloud, rights
from tests.assurance import Note
from tests.builders import an_upload
from tests.functions.conftest import Call, Rows
from tests.rights import PLATFORM, SELECTION, Right, Watch, calling, is_for_the_platform, needs, posting_needs
from tests.template.document import FOLDERS

pytestmark = pytest.mark.campaign("Rights")

UPLOADS, USERS = "UploadsTable.Arn", "UsersTable.Arn"
INCOMING = "${UploadsBucket.Arn}/incoming/*"
LISTING = '{"StringLike": {"s3:prefix": "media/*"}}'
LISTING_IF_SAID = '{"StringLikeIfExists": {"s3:prefix": "media/*"}}'


def watched(monkeypatch: pytest.MonkeyPatch, *granted: Right) -> Watch:
    """A watch in the place of the run's, for a function that has these rights."""
    watch = Watch(lambda _: granted)
    monkeypatch.setattr(rights, "WATCH", watch)
    return watch


type Decision = tuple[Right, str, Mapping[str, Any], bool]

DECISIONS: dict[str, Decision] = {
    "its table": (Right("dynamodb:GetItem", UPLOADS), "dynamodb.GetItem", {"TableName": "uploads"}, True),
    "another table": (Right("dynamodb:GetItem", USERS), "dynamodb.GetItem", {"TableName": "uploads"}, False),
    "another action": (Right("dynamodb:PutItem", UPLOADS), "dynamodb.GetItem", {"TableName": "uploads"}, False),
    "an index of its table": (
        *(Right("dynamodb:Query", UPLOADS), "dynamodb.Query"),
        *({"TableName": "uploads", "IndexName": "by-age"}, False),
    ),
    "a transaction of what it may": (
        *(Right("dynamodb:UpdateItem", UPLOADS), "dynamodb.TransactWriteItems"),
        *({"TransactItems": [{"Update": {"TableName": "uploads"}}]}, True),
    ),
    "a transaction of that and more": (
        *(Right("dynamodb:UpdateItem", UPLOADS), "dynamodb.TransactWriteItems"),
        *({"TransactItems": [{"Update": {"TableName": "uploads"}}, {"Delete": {"TableName": "uploads"}}]}, False),
    ),
    "a transaction that only looks": (
        *(Right("dynamodb:UpdateItem", UPLOADS), "dynamodb.TransactWriteItems"),
        *({"TransactItems": [{"ConditionCheck": {"TableName": "uploads"}}]}, False),
    ),
    "a transaction of reads": (
        *(Right("dynamodb:GetItem", UPLOADS), "dynamodb.TransactGetItems"),
        *({"TransactItems": [{"Get": {"TableName": "uploads"}}, {"Get": {"TableName": "users"}}]}, False),
    ),
    "its prefix": (Right("s3:GetObject", INCOMING), "s3.GetObject", {"Bucket": "uploads", "Key": "incoming/a"}, True),
    "another prefix": (Right("s3:GetObject", INCOMING), "s3.GetObject", {"Bucket": "uploads", "Key": "x"}, False),
    "another bucket": (
        Right("s3:GetObject", INCOMING),
        "s3.GetObject",
        {"Bucket": "media", "Key": "incoming/a"},
        False,
    ),
    "looking at an object": (
        *(Right("s3:GetObject", INCOMING), "s3.HeadObject"),
        *({"Bucket": "uploads", "Key": "incoming/a"}, True),
    ),
    "deleting several, of which one elsewhere": (
        *(Right("s3:DeleteObject", INCOMING), "s3.DeleteObjects"),
        *({"Bucket": "uploads", "Delete": {"Objects": [{"Key": "incoming/a"}, {"Key": "media/a"}]}}, False),
    ),
    "listing under its prefix": (
        *(Right("s3:ListBucket", "MediaBucket.Arn", LISTING), "s3.ListObjectsV2"),
        *({"Bucket": "media", "Prefix": "media/a/"}, True),
    ),
    "listing under another": (
        *(Right("s3:ListBucket", "MediaBucket.Arn", LISTING), "s3.ListObjectsV2"),
        *({"Bucket": "media", "Prefix": "med"}, False),
    ),
    "listing everything": (
        *(Right("s3:ListBucket", "MediaBucket.Arn", LISTING), "s3.ListObjectsV2"),
        *({"Bucket": "media"}, False),
    ),
    "listing everything where only a prefix that is said must fit": (
        *(Right("s3:ListBucket", "MediaBucket.Arn", LISTING_IF_SAID), "s3.ListObjectsV2"),
        *({"Bucket": "media"}, True),
    ),
    "a batch of messages": (
        *(Right("sqs:SendMessage", "PurgeQueue.Arn"), "sqs.SendMessageBatch"),
        *({"QueueUrl": cloud.QUEUE_URL}, True),
    ),
    "a call that nobody has thought of": (
        *(Right("s3:PutBucketPolicy", "MediaBucket.Arn"), "s3.PutBucketPolicy"),
        *({"Bucket": "media", "Policy": "{}"}, False),
    ),
}


@pytest.mark.parametrize(("right", "call", "params", "allowed"), DECISIONS.values(), ids=DECISIONS)
def test_decides_as_iam_does(right: Right, call: str, params: Mapping[str, Any], *, allowed: bool) -> None:
    watch = Watch(lambda _: [right])

    assert watch.permits("some_function", needs(call, params)) is allowed
    assert bool(watch.denied) is not allowed
    assert not allowed or watch.used == {("some_function", right)}


BESIDE_THE_RIGHT: dict[str, Callable[[], object]] = {
    "a call": lambda: s3().put_object(Bucket=cloud.MEDIA_BUCKET, Key="x", Body=b""),
    "a link": lambda: s3().generate_presigned_url("get_object", Params={"Bucket": cloud.MEDIA_BUCKET, "Key": "x"}),
    "a form": lambda: S3Presigner(cloud.UPLOADS_BUCKET, "https://x.example/").presign(
        an_upload(), utc_now(), utc_now()
    ),
    "a call in a thread": lambda: ThreadPoolExecutor(1).submit(sqs().purge_queue, QueueUrl=cloud.QUEUE_URL).exception(),
}


@pytest.mark.parametrize("does", BESIDE_THE_RIGHT.values(), ids=BESIDE_THE_RIGHT)
@pytest.mark.usefixtures("aws")
def test_whatever_a_handler_does_without_its_right_is_noticed(
    monkeypatch: pytest.MonkeyPatch, does: Callable[[], object]
) -> None:
    watch = watched(monkeypatch, Right("s3:PutObject", "${MediaBucket.Arn}/media/*"))
    with calling("some_function"), suppress(ClientError):
        does()
    assert len(watch.denied) == 1


@pytest.mark.parametrize("does", BESIDE_THE_RIGHT.values(), ids=BESIDE_THE_RIGHT)
@pytest.mark.usefixtures("aws")
def test_what_a_test_does_itself_is_free(monkeypatch: pytest.MonkeyPatch, does: Callable[[], object]) -> None:
    watch = watched(monkeypatch)
    does()
    assert watch.denied == []


def test_a_right_that_is_taken_away_is_missed(monkeypatch: pytest.MonkeyPatch, call: Call, rows: Rows) -> None:
    upload = rows.pending()
    watch = watched(monkeypatch)

    assert call("get_upload", pathParameters={"uploadId": upload.upload_id}).status == 500
    assert watch.denied == [
        f"get_upload may not dynamodb:GetItem on arn:aws:dynamodb:{cloud.REGION}:{cloud.ACCOUNT}:table/uploads {{}}"
    ]


def test_who_may_not_list_is_not_told_that_an_object_is_missing(
    monkeypatch: pytest.MonkeyPatch, aws: cloud.Cloud
) -> None:
    watch = watched(monkeypatch, Right("s3:GetObject", INCOMING))
    with calling("some_function"), pytest.raises(Exception, match="AccessDenied"):
        s3().get_object(Bucket=cloud.UPLOADS_BUCKET, Key="incoming/missing")
    assert watch.denied == ["some_function may not s3:ListBucket on arn:aws:s3:::uploads {}"]


def test_a_form_needs_the_right_to_its_key_and_one_without_a_key_to_every_key() -> None:
    def needed(conditions: str) -> list[str]:
        policy = b64encode(f'{{"expiration": "", "conditions": {conditions}}}'.encode()).decode()
        return [need.arn for need in posting_needs(policy)]

    assert needed('[{"bucket": "b"}, {"key": "k"}]') == ["arn:aws:s3:::b/k"]
    assert needed('[["eq", "$bucket", "b"], ["eq", "$key", "k"]]') == ["arn:aws:s3:::b/k"]
    assert needed('[{"bucket": "b"}, ["starts-with", "$key", "incoming/"]]') == ["arn:aws:s3:::b/*"]


def test_the_platforms_rights_are_the_platforms() -> None:
    """Neither does a handler use one of them, nor is the list longer than the template needs."""
    used_by_handlers = {right for _, right in rights.WATCH.used}
    granted = {right for folder in FOLDERS for right in rights.rights(folder) if is_for_the_platform(right)}

    assert not used_by_handlers & granted
    assert set(PLATFORM) <= {right.action for right in granted}


def test_no_right_is_spare(request: pytest.FixtureRequest, note: Note) -> None:
    if not request.config.stash[SELECTION].is_whole:
        pytest.skip("only some of the tests were asked for")
    watch = rights.WATCH

    spare = {folder: sorted(watch.spare(folder)) for folder in FOLDERS if watch.spare(folder)}

    assert spare == {}
    note.add("calls checked", watch.calls)
    note.add("rights in use", len(watch.used))
