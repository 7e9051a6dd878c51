"""Compare the calls that functions make with their policies: no call without a right, no right without a call."""

import runpy
from base64 import b64encode
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from profile_media.aws.session import s3, sqs
from tests import aws_calls, cloud
from tests.faults.scenarios import (
    ADMIN,
    SCENARIOS,
    UPDATE_IMAGE,
    UPLOAD_IMAGE,
    Scenario,
    known,
    late,
    purged,
    send,
)
from tests.faults.test_reconcile import DAMAGED, DamagedWorld, damaged
from tests.faults.world import World
from tests.functions.conftest import Answer, an_event, run
from tests.rights import PLATFORM, Right, Usage, is_for_the_platform, needs, posting_needs, rights, running
from tests.template.document import FOLDERS, ROOT

__all__ = ["damaged"]

OPERATIONS: Mapping[str, tuple[str, ...]] = runpy.run_path(str(ROOT / "layers/dependencies/trim"))["OPERATIONS"]
"""The operations that the layer describes."""

UPLOADS, USERS = "UploadsTable.Arn", "UsersTable.Arn"
INCOMING = "${UploadsBucket.Arn}/incoming/*"
LISTING = '{"StringLike": {"s3:prefix": "media/*"}}'
LISTING_IF_SAID = '{"StringLikeIfExists": {"s3:prefix": "media/*"}}'


EXPIRING = [
    Scenario("a form whose row expires", function, known, send(function, claims), (), None, elsewhere=happens)
    for function, claims in ((UPLOAD_IMAGE, None), (UPDATE_IMAGE, ADMIN))
    for happens in (purged, late(hours=2))
]
"""Direct uploads that expire while their picture is rendered: only these delete objects and enqueue purges."""


class Calls:
    """The names of the calls that functions make."""

    def __init__(self) -> None:
        self.made: set[str] = set()

    def called(self, call: str, params: Mapping[str, Any]) -> None:
        """Take note of a call."""
        self.made.add(call)

    def failed(self, call: str, params: Mapping[str, Any], code: str) -> None:
        """Errors do not matter here."""


def test_functions_use_exactly_the_rights_of_the_template(world: World, damaged: DamagedWorld) -> None:
    usage, calls = Usage(), Calls()
    for scenario in [*SCENARIOS, *EXPIRING]:
        world.reset()
        with aws_calls.heard_by(usage), aws_calls.heard_by(calls):
            scenario.arrange(world)
            world.while_rendering = scenario.elsewhere and (lambda happen=scenario.elsewhere: happen(world))
            answer = scenario.invoke(world)
        if isinstance(answer, Answer) and "upload" in answer.body:
            usage.check(scenario.function, posting_needs(answer.body["upload"]["fields"]["policy"]))
    world.reset()
    damaged.damage(whole=True)
    damaged.age_master(DAMAGED)
    with aws_calls.heard_by(usage), aws_calls.heard_by(calls):
        damaged.reconcile()
        assert damaged.focus(DAMAGED) == 200
        damaged.settle()

    described = {f"{service}.{operation}" for service, names in OPERATIONS.items() for operation in names}
    assert described - calls.made == {"s3.HeadBucket"}
    assert calls.made <= described
    assert usage.denied == []
    assert {folder: usage.unused(folder) for folder in FOLDERS if usage.unused(folder)} == {}
    platform = {right for folder in FOLDERS for right in rights(folder) if is_for_the_platform(right)}
    assert not platform & {right for _, right in usage.used}
    assert set(PLATFORM) <= {right.action for right in platform}


type Decision = tuple[Right, str, Mapping[str, Any], bool]

DECISIONS: dict[str, Decision] = {
    "same table": (Right("dynamodb:GetItem", UPLOADS), "dynamodb.GetItem", {"TableName": "uploads"}, True),
    "other table": (Right("dynamodb:GetItem", USERS), "dynamodb.GetItem", {"TableName": "uploads"}, False),
    "other action": (Right("dynamodb:PutItem", UPLOADS), "dynamodb.GetItem", {"TableName": "uploads"}, False),
    "index of the table": (
        *(Right("dynamodb:Query", UPLOADS), "dynamodb.Query"),
        *({"TableName": "uploads", "IndexName": "by-age"}, False),
    ),
    "transaction with one allowed write": (
        *(Right("dynamodb:UpdateItem", UPLOADS), "dynamodb.TransactWriteItems"),
        *({"TransactItems": [{"Update": {"TableName": "uploads"}}]}, True),
    ),
    "transaction with another write": (
        *(Right("dynamodb:UpdateItem", UPLOADS), "dynamodb.TransactWriteItems"),
        *({"TransactItems": [{"Update": {"TableName": "uploads"}}, {"Delete": {"TableName": "uploads"}}]}, False),
    ),
    "transaction with a condition check": (
        *(Right("dynamodb:UpdateItem", UPLOADS), "dynamodb.TransactWriteItems"),
        *({"TransactItems": [{"ConditionCheck": {"TableName": "uploads"}}]}, False),
    ),
    "transaction of reads of two tables": (
        *(Right("dynamodb:GetItem", UPLOADS), "dynamodb.TransactGetItems"),
        *({"TransactItems": [{"Get": {"TableName": "uploads"}}, {"Get": {"TableName": "users"}}]}, False),
    ),
    "same prefix": (Right("s3:GetObject", INCOMING), "s3.GetObject", {"Bucket": "uploads", "Key": "incoming/a"}, True),
    "other prefix": (Right("s3:GetObject", INCOMING), "s3.GetObject", {"Bucket": "uploads", "Key": "x"}, False),
    "other bucket": (
        Right("s3:GetObject", INCOMING),
        "s3.GetObject",
        {"Bucket": "media", "Key": "incoming/a"},
        False,
    ),
    "metadata of an object": (
        *(Right("s3:GetObject", INCOMING), "s3.HeadObject"),
        *({"Bucket": "uploads", "Key": "incoming/a"}, True),
    ),
    "several deletes, one under another prefix": (
        *(Right("s3:DeleteObject", INCOMING), "s3.DeleteObjects"),
        *({"Bucket": "uploads", "Delete": {"Objects": [{"Key": "incoming/a"}, {"Key": "media/a"}]}}, False),
    ),
    "listing of the prefix": (
        *(Right("s3:ListBucket", "MediaBucket.Arn", LISTING), "s3.ListObjectsV2"),
        *({"Bucket": "media", "Prefix": "media/a/"}, True),
    ),
    "listing of another prefix": (
        *(Right("s3:ListBucket", "MediaBucket.Arn", LISTING), "s3.ListObjectsV2"),
        *({"Bucket": "media", "Prefix": "med"}, False),
    ),
    "listing of everything": (
        *(Right("s3:ListBucket", "MediaBucket.Arn", LISTING), "s3.ListObjectsV2"),
        *({"Bucket": "media"}, False),
    ),
    "listing of everything where a prefix is optional": (
        *(Right("s3:ListBucket", "MediaBucket.Arn", LISTING_IF_SAID), "s3.ListObjectsV2"),
        *({"Bucket": "media"}, True),
    ),
    "batch of messages": (
        *(Right("sqs:SendMessage", "PurgeQueue.Arn"), "sqs.SendMessageBatch"),
        *({"QueueUrl": cloud.QUEUE_URL}, True),
    ),
    "unknown call": (
        *(Right("s3:PutBucketPolicy", "MediaBucket.Arn"), "s3.PutBucketPolicy"),
        *({"Bucket": "media", "Policy": "{}"}, False),
    ),
}


@pytest.mark.parametrize(("right", "call", "params", "allowed"), DECISIONS.values(), ids=DECISIONS)
def test_decision_equals_that_of_iam(right: Right, call: str, params: Mapping[str, Any], *, allowed: bool) -> None:
    usage = Usage(lambda _: [right])

    usage.check("some_function", needs(call, params))

    assert (usage.denied == []) is allowed
    assert not allowed or usage.used == {("some_function", right)}


@pytest.mark.usefixtures("aws")
def test_usage_notices_calls_links_and_threads_without_a_right() -> None:
    usage = Usage(lambda _: [Right("s3:GetObject", INCOMING)])
    with aws_calls.heard_by(usage):
        s3().put_object(Bucket=cloud.MEDIA_BUCKET, Key="x", Body=b"")  # made by the test itself
        with running("some_function"), ThreadPoolExecutor(1) as pool:
            s3().put_object(Bucket=cloud.MEDIA_BUCKET, Key="x", Body=b"")
            s3().generate_presigned_url("get_object", Params={"Bucket": cloud.MEDIA_BUCKET, "Key": "x"})
            pool.submit(sqs().purge_queue, QueueUrl=cloud.QUEUE_URL).result()
            with pytest.raises(s3().exceptions.NoSuchKey):
                s3().get_object(Bucket=cloud.UPLOADS_BUCKET, Key="incoming/missing")

    assert [denied.split(" on ")[0] for denied in usage.denied] == [
        "some_function may not s3:PutObject",
        "some_function may not s3:GetObject",
        "some_function may not sqs:PurgeQueue",
        "some_function may not s3:ListBucket",
    ]


@pytest.mark.usefixtures("aws")
def test_usage_notices_a_handler_without_a_right() -> None:
    usage = Usage(lambda _: [])
    with aws_calls.heard_by(usage):
        run("get_upload", an_event("get_upload"))

    table = f"arn:aws:dynamodb:{cloud.REGION}:{cloud.ACCOUNT}:table/uploads"
    assert usage.denied == [f"get_upload may not dynamodb:GetItem on {table} {{}}"]


@pytest.mark.parametrize(
    ("conditions", "arn"),
    [
        ('[{"bucket": "b"}, {"key": "k"}]', "arn:aws:s3:::b/k"),
        ('[["eq", "$bucket", "b"], ["eq", "$key", "k"]]', "arn:aws:s3:::b/k"),
        ('[{"bucket": "b"}, ["starts-with", "$key", "incoming/"]]', "arn:aws:s3:::b/*"),
    ],
)
def test_post_policy_needs_the_right_to_its_exact_key_or_to_every_key(conditions: str, arn: str) -> None:
    policy = b64encode(f'{{"expiration": "", "conditions": {conditions}}}'.encode()).decode()
    assert [need.arn for need in posting_needs(policy)] == [arn]
