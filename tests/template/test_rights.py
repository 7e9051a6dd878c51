"""What each function may do, exactly: any right more or less than this table fails."""

import pytest

from profile_media.domain.keys import INCOMING_PREFIX, MEDIA_PREFIX
from tests.rights import Right, rights, role, statements
from tests.template.document import FOLDERS

pytestmark = pytest.mark.campaign("Rights")

UPLOADS = "UploadsTable.Arn"
USERS = "UsersTable.Arn"
INCOMING_OBJECTS = f"${{UploadsBucket.Arn}}/{INCOMING_PREFIX}*"
MEDIA_OBJECTS = f"${{MediaBucket.Arn}}/{MEDIA_PREFIX}*"
UPLOADS_BUCKET = "arn:${AWS::Partition}:s3:::${AWS::StackName}-uploads-${AWS::AccountId}-${AWS::Region}"
"""Spelt out where the function cannot refer to the bucket, because the bucket waits for the function."""

BIND: set[tuple[str, ...]] = {
    ("dynamodb:GetItem", USERS),
    ("dynamodb:UpdateItem", USERS),
    ("dynamodb:GetItem", UPLOADS),
    ("dynamodb:UpdateItem", UPLOADS),
    ("dynamodb:DeleteItem", UPLOADS),
}

SHOW: set[tuple[str, ...]] = {("dynamodb:GetItem", USERS), ("dynamodb:UpdateItem", USERS)}
"""Seeing a user writes, too: what the token says anew."""

PRESIGN: set[tuple[str, ...]] = {("s3:GetObject", MEDIA_OBJECTS)}

INGEST: set[tuple[str, ...]] = {
    ("dynamodb:PutItem", UPLOADS),
    ("s3:PutObject", MEDIA_OBJECTS),
    ("s3:DeleteObject", MEDIA_OBJECTS),
    ("sqs:SendMessage", "PurgeQueue.Arn"),
}

RIGHTS: dict[str, set[tuple[str, ...]]] = {
    "authorize": set(),
    "preflight": set(),
    "create_upload_intent": {
        ("dynamodb:GetItem", UPLOADS),
        ("dynamodb:PutItem", UPLOADS),
        ("dynamodb:UpdateItem", UPLOADS),
        ("dynamodb:DeleteItem", UPLOADS),
        ("dynamodb:GetItem", USERS),
        ("s3:PutObject", INCOMING_OBJECTS),
    },
    "get_upload": {("dynamodb:GetItem", UPLOADS)},
    "get_profile": SHOW,
    "bind_avatar": BIND,
    "bind_cover_image": BIND,
    "upload_user_image": BIND | INGEST,
    "set_avatar_url": BIND,
    "update_profile_picture": BIND | PRESIGN,
    "update_my_profile_picture": BIND | PRESIGN,
    "update_profile_image": BIND | INGEST,
    "delete_profile_image": BIND - {("dynamodb:GetItem", UPLOADS)},
    "get_user": SHOW,
    "put_user": SHOW,
    "process_upload": {
        ("dynamodb:GetItem", UPLOADS),
        ("dynamodb:UpdateItem", UPLOADS),
        ("s3:GetObject", f"{UPLOADS_BUCKET}/{INCOMING_PREFIX}*"),
        ("s3:DeleteObject", f"{UPLOADS_BUCKET}/{INCOMING_PREFIX}*"),
        ("s3:ListBucket", UPLOADS_BUCKET, f'{{"StringLikeIfExists": {{"s3:prefix": "{INCOMING_PREFIX}*"}}}}'),
        ("s3:PutObject", MEDIA_OBJECTS),
        ("s3:DeleteObject", MEDIA_OBJECTS),
        ("sqs:SendMessage", "PurgeQueue.Arn"),
        ("sqs:SendMessage", "ProcessFailures.Arn"),
        ("sqs:ReceiveMessage", "RedriveQueue.Arn"),
        ("sqs:DeleteMessage", "RedriveQueue.Arn"),
        ("sqs:GetQueueAttributes", "RedriveQueue.Arn"),
    },
    "release_media": {
        ("sqs:SendMessage", "PurgeQueue.Arn"),
        ("sqs:SendMessage", "ReleaseFailures.Arn"),
        ("dynamodb:DescribeStream", "UploadsTable.StreamArn"),
        ("dynamodb:GetRecords", "UploadsTable.StreamArn"),
        ("dynamodb:GetShardIterator", "UploadsTable.StreamArn"),
        ("dynamodb:ListStreams", "UploadsTable.StreamArn"),
    },
    "purge_media": {
        ("s3:DeleteObject", MEDIA_OBJECTS),
        ("s3:DeleteObject", INCOMING_OBJECTS),
        ("s3:ListBucket", "MediaBucket.Arn", f'{{"StringLike": {{"s3:prefix": "{MEDIA_PREFIX}*"}}}}'),
        ("sqs:ReceiveMessage", "PurgeQueue.Arn"),
        ("sqs:DeleteMessage", "PurgeQueue.Arn"),
        ("sqs:GetQueueAttributes", "PurgeQueue.Arn"),
    },
    "reconcile": {
        *(("dynamodb:" + action, table) for action in ("Scan", "GetItem", "UpdateItem") for table in (USERS, UPLOADS)),
        ("dynamodb:PutItem", UPLOADS),
        ("dynamodb:DeleteItem", UPLOADS),
        ("s3:ListBucket", "UploadsBucket.Arn", f'{{"StringLike": {{"s3:prefix": "{INCOMING_PREFIX}*"}}}}'),
        ("s3:ListBucket", "MediaBucket.Arn", f'{{"StringLikeIfExists": {{"s3:prefix": "{MEDIA_PREFIX}*"}}}}'),
        ("s3:GetObject", MEDIA_OBJECTS),
        ("s3:PutObject", MEDIA_OBJECTS),
        ("sqs:SendMessage", "PurgeQueue.Arn"),
        ("sqs:SendMessage", "RedriveQueue.Arn"),
        ("sqs:SendMessage", "ReconcileFailures.Arn"),
    },
}
"""Function, action, resource, and the condition where there is one."""

EVERYBODYS = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",  # writing logs
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",  # writing traces
}
"""What SAM gives every function; SQS's and DynamoDB's own, which hold for every queue and table, are not among them."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_may_do_exactly_what_the_table_says(folder: str) -> None:
    assert rights(folder) == {Right(*right) for right in RIGHTS[folder]}


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_is_granted_by_wildcard_or_exclusion(folder: str) -> None:
    for statement in statements(folder):
        assert statement["Effect"] == "Allow"
        assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}
    for action, resource, *_ in rights(folder):
        assert "*" not in action
        assert "*" not in resource.removesuffix("/*")
        assert "." in resource or "${" in resource  # of this stack, never of the account


@pytest.mark.parametrize("folder", FOLDERS)
def test_managed_policies_are_for_logs_and_traces_only(folder: str) -> None:
    assert set(role(folder)["ManagedPolicyArns"]) == EVERYBODYS


def test_processing_cannot_set_itself_off() -> None:
    writes = {resource for action, resource, *_ in rights("process_upload") if action == "s3:PutObject"}

    assert writes == {MEDIA_OBJECTS}


def test_only_the_intent_can_let_anybody_write_to_the_uploads_bucket() -> None:
    writers = {
        folder
        for folder in FOLDERS
        for action, resource, *_ in rights(folder)
        if action == "s3:PutObject" and resource.endswith(f"/{INCOMING_PREFIX}*")
    }

    assert writers == {"create_upload_intent"}


def test_what_looks_for_leftovers_cannot_delete_any() -> None:
    assert not [right for right in rights("reconcile") if right.action.startswith("s3:Delete")]
