"""An AWS in memory (moto) with the resources that the template deploys, and clients for the tests themselves."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from tests import aws_calls
from tests.template.document import properties

ACCOUNT = "123456789012"
REGION = "eu-central-1"
UPLOADS_BUCKET = "uploads"
MEDIA_BUCKET = "media"
UPLOADS_TABLE = "uploads"
USERS_TABLE = "users"
QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/purge"
REDRIVE_URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/redrive"
MEDIA_BASE_URL = "https://media.example.com"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "session-token-of-the-role",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR": "false",  # tests purge a queue more than once a minute
    "POWERTOOLS_SERVICE_NAME": "profile-media",
    "POWERTOOLS_METRICS_NAMESPACE": "ProfileMedia",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "ALLOWED_ORIGINS": "https://app.example.com,https://other.example.com",
    "APP_NAME": "app",
    "UPLOADS_TABLE": UPLOADS_TABLE,
    "LONGEST_WAIT_SECONDS": "0",  # tests of handlers do not wait
    "USERS_TABLE": USERS_TABLE,
    "UPLOADS_BUCKET": UPLOADS_BUCKET,
    "MEDIA_BUCKET": MEDIA_BUCKET,
    "UPLOADS_URL": f"https://{UPLOADS_BUCKET}.s3.{REGION}.amazonaws.com/",
    "MEDIA_BASE_URL": MEDIA_BASE_URL,
    "PURGE_QUEUE_URL": QUEUE_URL,
    "REDRIVE_QUEUE_URL": REDRIVE_URL,
}
"""The environment variables of all functions together."""


@dataclass
class Cloud:
    """Clients of the tests themselves; tests/aws_calls.py does not see their calls."""

    s3: Any
    dynamodb: Any
    sqs: Any

    def keys(self, bucket: str) -> set[str]:
        """Return every key of a bucket."""
        return {entry["Key"] for entry in self.s3.list_objects_v2(Bucket=bucket).get("Contents", ())}

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return every item of a table."""
        items: list[dict[str, Any]] = self.dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
        return items

    def messages(self, url: str = QUEUE_URL) -> list[dict[str, Any]]:
        """Remove all messages from a queue and return their bodies, parsed."""
        bodies = []
        while taken := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [json.loads(message["Body"]) for message in taken]
            for message in taken:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@cache
def _session() -> botocore.session.Session:
    return aws_calls.unhook(botocore.session.get_session())


def on_the_wire(value: Any) -> Any:
    """Return one of moto's DynamoDB values in the format of the wire."""
    if isinstance(value, DynamoType):
        return {value.type: on_the_wire(value.value)}
    if isinstance(value, dict):
        return {name: on_the_wire(each) for name, each in value.items()}
    return [on_the_wire(each) for each in value] if isinstance(value, list | tuple | set) else value


def deploy() -> Cloud:
    """Create the tables, buckets and queues."""
    create = _session().create_client
    built = Cloud(create("s3"), create("dynamodb"), create("sqs"))
    _create_resources(built)
    return built


def empty(built: Cloud) -> None:
    """Delete all data and create the resources again, for the same clients."""
    s3_backends[ACCOUNT]["aws"].reset()
    dynamodb_backends[ACCOUNT][REGION].reset()
    sqs_backends[ACCOUNT][REGION].reset()
    _create_resources(built)


_SCHEMA = {"BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"}


def _create_resources(built: Cloud) -> None:
    for bucket in (UPLOADS_BUCKET, MEDIA_BUCKET):
        built.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name, logical_id in ((UPLOADS_TABLE, "UploadsTable"), (USERS_TABLE, "UsersTable")):
        schema = {key: value for key, value in properties(logical_id).items() if key in _SCHEMA}
        built.dynamodb.create_table(TableName=name, **schema)
    for queue in ("purge", "redrive"):
        built.sqs.create_queue(QueueName=queue)
