"""The table of rights: each function has exactly these."""

import pytest

from profile_media.domain.keys import INCOMING_PREFIX, MASTERS_PREFIX, MEDIA_PREFIX
from tests.rights import Right, rights, role, statements
from tests.template.document import FOLDERS

UPLOADS = "UploadsTable.Arn"
USERS = "UsersTable.Arn"
INCOMING_OBJECTS = f"${{UploadsBucket.Arn}}/{INCOMING_PREFIX}*"
MEDIA_OBJECTS = f"${{MediaBucket.Arn}}/{MEDIA_PREFIX}*"
MASTERS = f"${{MediaBucket.Arn}}/{MASTERS_PREFIX}*"
PREFIXES = f'{{"s3:prefix": ["{MEDIA_PREFIX}*", "{MASTERS_PREFIX}*"]}}'
UPLOADS_BUCKET = "arn:${AWS::Partition}:s3:::${AWS::StackName}-uploads-${AWS::AccountId}-${AWS::Region}"
"""A computed name, because process_upload cannot refer to the bucket that notifies it."""

BIND: set[tuple[str, ...]] = {
    ("dynamodb:GetItem", USERS),
    ("dynamodb:UpdateItem", USERS),
    ("dynamodb:GetItem", UPLOADS),
    ("dynamodb:UpdateItem", UPLOADS),
    ("dynamodb:DeleteItem", UPLOADS),
}

SHOW: set[tuple[str, ...]] = {("dynamodb:GetItem", USERS), ("dynamodb:UpdateItem", USERS)}
"""A read also stores what the token says about the user."""

UNBIND: set[tuple[str, ...]] = SHOW | {("dynamodb:DeleteItem", UPLOADS)}

PRESIGN: set[tuple[str, ...]] = {("s3:GetObject", MEDIA_OBJECTS)}

STORE = {(action, objects) for action in ("s3:PutObject", "s3:DeleteObject") for objects in (MEDIA_OBJECTS, MASTERS)}

INGEST: set[tuple[str, ...]] = {
    ("dynamodb:PutItem", UPLOADS),
    *STORE,
    ("sqs:SendMessage", "PurgeQueue.Arn"),
}

READ_STREAM = {
    ("dynamodb:DescribeStream", "UploadsTable.StreamArn"),
    ("dynamodb:GetRecords", "UploadsTable.StreamArn"),
    ("dynamodb:GetShardIterator", "UploadsTable.StreamArn"),
    ("dynamodb:ListStreams", "UploadsTable.StreamArn"),
    ("sqs:SendMessage", "ReleaseFailures.Arn"),
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
    "cancel_upload": {(f"dynamodb:{action}", UPLOADS) for action in ("GetItem", "UpdateItem", "DeleteItem")},
    "update_upload": {
        *(("dynamodb:" + action, table) for action in ("GetItem", "UpdateItem") for table in (USERS, UPLOADS)),
        ("s3:GetObject", MEDIA_OBJECTS),
        ("s3:GetObject", MASTERS),
        ("s3:PutObject", MEDIA_OBJECTS),
        ("s3:ListBucket", "MediaBucket.Arn", f'{{"StringLikeIfExists": {PREFIXES}}}'),
        ("sqs:SendMessage", "PurgeQueue.Arn"),
    },
    "get_profile": SHOW,
    "remove_picture": UNBIND,
    "bind_avatar": BIND,
    "bind_cover_image": BIND,
    "upload_user_image": BIND | INGEST,
    "set_avatar_url": BIND,
    "update_profile_picture": BIND | PRESIGN,
    "update_my_profile_picture": BIND | PRESIGN,
    "update_profile_image": BIND | INGEST,
    "delete_profile_image": UNBIND,
    "get_user": SHOW,
    "put_user": SHOW,
    "process_upload": BIND
    | {
        ("s3:GetObject", f"{UPLOADS_BUCKET}/{INCOMING_PREFIX}*"),
        ("s3:DeleteObject", f"{UPLOADS_BUCKET}/{INCOMING_PREFIX}*"),
        ("s3:ListBucket", UPLOADS_BUCKET, f'{{"StringLikeIfExists": {{"s3:prefix": "{INCOMING_PREFIX}*"}}}}'),
        *STORE,
        ("sqs:SendMessage", "PurgeQueue.Arn"),
        ("sqs:SendMessage", "ProcessFailures.Arn"),
        ("sqs:ReceiveMessage", "RedriveQueue.Arn"),
        ("sqs:DeleteMessage", "RedriveQueue.Arn"),
        ("sqs:GetQueueAttributes", "RedriveQueue.Arn"),
    },
    "release_media": {
        ("sqs:SendMessage", "PurgeQueue.Arn"),
        *READ_STREAM,
    },
    "purge_media": {
        ("s3:DeleteObject", MEDIA_OBJECTS),
        ("s3:DeleteObject", MASTERS),
        ("s3:DeleteObject", INCOMING_OBJECTS),
        ("s3:ListBucket", "MediaBucket.Arn", f'{{"StringLike": {PREFIXES}}}'),
        ("sqs:ReceiveMessage", "PurgeQueue.Arn"),
        ("sqs:DeleteMessage", "PurgeQueue.Arn"),
        ("sqs:GetQueueAttributes", "PurgeQueue.Arn"),
    },
    "reconcile": {
        *(("dynamodb:" + action, table) for action in ("Scan", "GetItem", "UpdateItem") for table in (USERS, UPLOADS)),
        *((f"dynamodb:{action}", UPLOADS) for action in ("BatchGetItem", "PutItem", "DeleteItem")),
        ("dynamodb:Query", "${UploadsTable.Arn}/index/by-upload-id"),
        ("s3:ListBucket", "UploadsBucket.Arn", f'{{"StringLike": {{"s3:prefix": "{INCOMING_PREFIX}*"}}}}'),
        ("s3:ListBucket", "MediaBucket.Arn", f'{{"StringLikeIfExists": {PREFIXES}}}'),
        ("s3:GetObject", MEDIA_OBJECTS),
        ("s3:GetObject", MASTERS),
        ("s3:PutObject", MEDIA_OBJECTS),
        ("sqs:SendMessage", "PurgeQueue.Arn"),
        ("sqs:SendMessage", "RedriveQueue.Arn"),
        ("sqs:SendMessage", "ReconcileFailures.Arn"),
    },
}
"""By function: action, resource, and a condition if there is one."""

MANAGED = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",  # writes logs
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",  # writes traces
}
"""The managed policies of every function. Those for SQS and DynamoDB are not used: they hold for all resources."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_function_has_exactly_the_rights_of_the_table(folder: str) -> None:
    assert rights(folder) == {Right(*right) for right in RIGHTS[folder]}


@pytest.mark.parametrize("folder", FOLDERS)
def test_rights_have_no_wildcard_and_name_resources_of_this_stack(folder: str) -> None:
    for statement in statements(folder):
        assert statement["Effect"] == "Allow"
        assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}
    for action, resource, *_ in rights(folder):
        assert "*" not in action
        assert "*" not in resource.removesuffix("/*")
        assert "." in resource or "${" in resource


@pytest.mark.parametrize("folder", FOLDERS)
def test_function_has_only_the_managed_policies_for_logs_and_traces(folder: str) -> None:
    assert set(role(folder)["ManagedPolicyArns"]) == MANAGED


def test_only_create_upload_intent_can_store_originals() -> None:
    """A processing function that could would trigger itself."""
    writers = {
        folder
        for folder in FOLDERS
        for action, resource, *_ in rights(folder)
        if action == "s3:PutObject" and resource.endswith(f"/{INCOMING_PREFIX}*")
    }

    assert writers == {"create_upload_intent"}


def test_reconcile_cannot_delete_objects() -> None:
    assert not [right for right in rights("reconcile") if right.action.startswith("s3:Delete")]
