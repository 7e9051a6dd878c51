"""AWS as the tests see it: moto in process, with what the template would have deployed, and eyes behind the scenes."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

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
    "POWERTOOLS_SERVICE_NAME": "profile-media",
    "POWERTOOLS_METRICS_NAMESPACE": "ProfileMedia",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "ALLOWED_ORIGINS": "https://app.example.com,https://other.example.com",
    "APP_NAME": "app",
    "UPLOADS_TABLE": UPLOADS_TABLE,
    "USERS_TABLE": USERS_TABLE,
    "UPLOADS_BUCKET": UPLOADS_BUCKET,
    "MEDIA_BUCKET": MEDIA_BUCKET,
    "UPLOADS_URL": f"https://{UPLOADS_BUCKET}.s3.{REGION}.amazonaws.com/",
    "MEDIA_BASE_URL": MEDIA_BASE_URL,
    "PURGE_QUEUE_URL": QUEUE_URL,
    "REDRIVE_QUEUE_URL": REDRIVE_URL,
}
"""A function's environment, all of them at once."""


@dataclass
class Cloud:
    """Clients that look at what the functions did."""

    s3: Any
    dynamodb: Any
    sqs: Any

    def keys(self, bucket: str) -> set[str]:
        """Every key in a bucket."""
        return {entry["Key"] for entry in self.s3.list_objects_v2(Bucket=bucket).get("Contents", ())}

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every item of a table."""
        items: list[dict[str, Any]] = self.dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
        return items

    def messages(self, url: str = QUEUE_URL) -> list[dict[str, Any]]:
        """Takes all messages off a queue, the delete queue unless told."""
        bodies = []
        while taken := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [json.loads(message["Body"]) for message in taken]
            for message in taken:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@cache
def _behind_the_scenes() -> botocore.session.Session:
    """A session of the tests' own: tests/rights.py holds the functions' to their rights."""
    return botocore.session.get_session()


def on_the_wire(value: Any) -> Any:
    """One of moto's values of DynamoDB, as it goes over the wire."""
    if isinstance(value, DynamoType):
        return {value.type: on_the_wire(value.value)}
    if isinstance(value, dict):
        return {name: on_the_wire(each) for name, each in value.items()}
    return [on_the_wire(each) for each in value] if isinstance(value, list | tuple | set) else value


def deploy() -> Cloud:
    """Makes what the functions expect to be there; the tables as the template has them."""
    make = _behind_the_scenes().create_client
    built = Cloud(make("s3"), make("dynamodb"), make("sqs"))
    _furnish(built)
    return built


def empty(built: Cloud) -> None:
    """Makes it all anew, for the same clients."""
    s3_backends[ACCOUNT]["aws"].reset()
    dynamodb_backends[ACCOUNT][REGION].reset()
    sqs_backends[ACCOUNT][REGION].reset()
    _furnish(built)


_SCHEMA = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


def _furnish(built: Cloud) -> None:
    for bucket in (UPLOADS_BUCKET, MEDIA_BUCKET):
        built.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name, logical_id in ((UPLOADS_TABLE, "UploadsTable"), (USERS_TABLE, "UsersTable")):
        table = properties(logical_id)
        schema = {key: table[key] for key in _SCHEMA if key in table}
        built.dynamodb.create_table(TableName=name, **schema)
    for queue in ("purge", "redrive"):
        built.sqs.create_queue(QueueName=queue)
