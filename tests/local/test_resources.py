"""The service's own template becomes tables, buckets and queues with everything it says of them."""

import json
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from tools.local import aws
from tools.local.aws import Serialized
from tools.local.resources import create_all, media_headers
from tools.template import Template, read

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
    """The service's template, its resources made."""
    found = read(ROOT / "template.yaml", GIVEN, empty_aws, aws.REGION)
    create_all(found)
    return found


@pytest.mark.enable_socket
def test_queues_have_their_delays_and_dead_letters(template: Template) -> None:
    sqs = aws.client("sqs", template.endpoint)
    attributes = sqs.get_queue_attributes(QueueUrl=template.queue_url("PurgeQueue"), AttributeNames=["All"])[
        "Attributes"
    ]
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("7", "190")
    redrive = json.loads(attributes["RedrivePolicy"])
    assert int(redrive["maxReceiveCount"]) == 5
    assert redrive["deadLetterTargetArn"].endswith(":profile-media-local-PurgeDlq")


@pytest.mark.enable_socket
def test_tables_have_their_keys_expiry_and_stream(template: Template) -> None:
    dynamodb = aws.client("dynamodb", template.endpoint)
    name = template.name("UploadsTable")
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["owner_id", "upload_id"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


@pytest.mark.enable_socket
def test_the_uploads_bucket_has_its_cors_and_lifecycle_rules(template: Template) -> None:
    s3 = aws.client("s3", template.endpoint)
    bucket = template.name("UploadsBucket")
    (cors,) = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert (cors["AllowedOrigins"], cors["AllowedMethods"]) == (ORIGINS, ["POST"])
    assert cors["ExposeHeaders"] == ["ETag", "Location"]
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["ExpireIncoming"]["Filter"] == {"Prefix": "incoming/"}
    assert rules["ExpireIncoming"]["Expiration"]["Days"] == 1
    assert rules["Tidy"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_pictures_get_the_distributions_headers_though_there_is_none() -> None:
    found = read(ROOT / "template.yaml", {**GIVEN, "MediaBaseUrl": "http://127.0.0.1:2"}, "http://aws", aws.REGION)
    assert media_headers(found) == {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }


@pytest.mark.parametrize(
    ("target", "at_once"),
    [("DynamoDB_20120810.TransactWriteItems", 1), ("DynamoDBStreams_20120810.GetRecords", 1), ("", 2)],
)
def test_only_dynamodb_and_its_streams_take_one_request_at_a_time(target: str, at_once: int) -> None:
    meeting = threading.Barrier(2)
    met: list[bool] = []

    def app(_environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
        try:
            meeting.wait(timeout=0.3)
            met.append(True)
        except threading.BrokenBarrierError:
            met.append(False)
        return []

    serialized = Serialized(app)
    with ThreadPoolExecutor(2) as threads:
        for answer in [threads.submit(serialized, {"HTTP_X_AMZ_TARGET": target}, lambda *_: print) for _ in range(2)]:
            answer.result()
    assert met == [at_once == 2] * 2
