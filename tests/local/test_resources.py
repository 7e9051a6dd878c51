"""The service's template becomes tables, buckets and queues with all their properties."""

import json
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from tests.local.standins import DEADLINE_SECONDS
from tools.local import aws
from tools.local.aws import Serialized
from tools.local.resources import create_all, media_headers
from tools.template import TABLE, Template, read

ROOT = Path(__file__).resolve().parents[2]
ORIGINS = ["http://127.0.0.1:3001", "http://localhost:3001"]
GIVEN = {
    "TokenIssuer": "http://127.0.0.1:1",
    "TokenAudience": "a",
    "AllowedOrigins": ",".join(ORIGINS),
    "PurgeDelaySeconds": "7",
}


@pytest.fixture
def template(empty_aws: str) -> Template:
    """The service's template, with its resources created."""
    found = read(ROOT / "template.yaml", GIVEN, empty_aws, aws.REGION)
    create_all(found)
    return found


@pytest.mark.enable_socket
def test_queues_have_delays_and_dead_letter_queues(template: Template) -> None:
    sqs = aws.client("sqs", template.endpoint)
    attributes = sqs.get_queue_attributes(QueueUrl=template.queue_url("PurgeQueue"), AttributeNames=["All"])[
        "Attributes"
    ]
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("7", "190")
    redrive = json.loads(attributes["RedrivePolicy"])
    assert int(redrive["maxReceiveCount"]) == 5
    assert redrive["deadLetterTargetArn"].endswith(":profile-media-local-PurgeDlq")


@pytest.mark.enable_socket
def test_tables_have_keys_expiry_stream_and_indexes(template: Template) -> None:
    dynamodb = aws.client("dynamodb", template.endpoint)
    name = template.name("UploadsTable")
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["owner_id", "upload_id"]
    declared = next(found for found in template.of_type(TABLE) if found.logical_id == "UploadsTable").properties
    assert table["StreamSpecification"] == {"StreamEnabled": True, **declared["StreamSpecification"]}
    indexes = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
    assert indexes == [index["IndexName"] for index in declared.get("GlobalSecondaryIndexes", [])]
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


@pytest.mark.enable_socket
def test_uploads_bucket_has_cors_and_lifecycle_rules(template: Template) -> None:
    s3 = aws.client("s3", template.endpoint)
    bucket = template.name("UploadsBucket")
    (cors,) = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert (cors["AllowedOrigins"], cors["AllowedMethods"]) == (ORIGINS, ["POST"])
    assert cors["ExposeHeaders"] == ["ETag", "Location"]
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["ExpireIncoming"]["Filter"] == {"Prefix": "incoming/"}
    assert rules["ExpireIncoming"]["Expiration"]["Days"] == 1
    assert rules["Tidy"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_media_headers_are_those_of_the_distribution() -> None:
    found = read(ROOT / "template.yaml", {**GIVEN, "MediaBaseUrl": "http://127.0.0.1:2"}, "http://aws", aws.REGION)
    assert media_headers(found) == {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }


def _in_two_threads(app: WSGIApplication, target: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        for answer in [threads.submit(app, {"HTTP_X_AMZ_TARGET": target}, lambda *_: print) for _ in range(2)]:
            answer.result()


@pytest.mark.parametrize("target", ["DynamoDB_20120810.TransactWriteItems", "DynamoDBStreams_20120810.GetRecords"])
def test_dynamodb_requests_are_serialized(target: str) -> None:
    active: list[int] = []
    most: list[int] = []

    def app(_environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
        active.append(1)
        time.sleep(0.05)
        most.append(len(active))
        active.pop()
        return []

    _in_two_threads(Serialized(app), target)
    assert most == [1, 1]


def test_other_requests_are_not_serialized() -> None:
    both_active = threading.Barrier(2)

    def app(_environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
        both_active.wait(timeout=DEADLINE_SECONDS)
        return []

    _in_two_threads(Serialized(app), "")
