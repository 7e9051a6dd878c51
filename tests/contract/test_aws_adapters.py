"""What only AWS's adapters can get wrong: weak reads, and batch calls that fail in part."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto.core.botocore_stubber import BotocoreStubber

from profile_media.aws import dynamodb, objects, purge_queue, session, table_scans, tables
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.checkpoints import DynamoCheckpoints
from profile_media.aws.presigner import S3Presigner
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.table_scans import DynamoTableScans
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.ports import Page, PurgeRequest
from tests import cloud
from tests.builders import ADA, NOW, a_derivative, an_id, an_upload
from tests.functions.conftest import Rows


def test_every_read_is_strong(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[dict[str, Any]] = []
    original = BotocoreStubber.__call__

    def recording(stubber: BotocoreStubber, event_name: str, request: Any, **more: Any) -> Any:
        if event_name.endswith(("GetItem", "Scan")):
            reads.append(json.loads(request.body))
        return original(stubber, event_name, request, **more)

    monkeypatch.setattr(BotocoreStubber, "__call__", recording)
    uploads = DynamoUploads(cloud.UPLOADS_TABLE)
    uploads.get(ADA, an_id(1))
    uploads.find_idempotency_record(ADA, "key")
    uploads.quota_usage(ADA)
    DynamoProfiles(cloud.USERS_TABLE).get(ADA)
    DynamoAttachments(cloud.USERS_TABLE, cloud.UPLOADS_TABLE).read(ADA, an_id(1))  # a transaction, which always is
    DynamoCheckpoints(cloud.UPLOADS_TABLE).load("pictures")
    DynamoTableScans(cloud.USERS_TABLE, cloud.UPLOADS_TABLE).uploads(None)
    DynamoTableScans(cloud.USERS_TABLE, cloud.UPLOADS_TABLE).profiles(None)
    assert [read["ConsistentRead"] for read in reads] == [True] * 7


def test_items_are_documents_and_the_rest_of_what_describes_dynamodb_is_as_it_was() -> None:
    stock, ours = (
        each.get_component("data_loader").load_service_model("dynamodb", "service-2")
        for each in (botocore.session.get_session(), session.session())
    )
    stock["shapes"]["AttributeValue"]["document"] = True
    assert ours == stock
    assert session.dynamodb().meta.service_model.shape_for("AttributeValue").is_document_type


STOCK = botocore.session.get_session()
REGIONS = [
    *(
        region
        for partition in STOCK.get_available_partitions()
        for region in STOCK.get_available_regions("dynamodb", partition_name=partition)
    ),
    "eu-central-9",  # not there yet
]


@pytest.mark.parametrize("region", REGIONS)
def test_the_endpoint_is_the_one_that_the_rules_name(region: str) -> None:
    stock, ours = (each.create_client("dynamodb", region_name=region) for each in (STOCK, session.session()))
    assert ours.meta.endpoint_url == _called_at(ours) == _called_at(stock)


@pytest.mark.parametrize("variant", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_other_kinds_of_endpoints_are_left_to_the_rules(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variant, "true")
    stock, ours = botocore.session.get_session(), session.session.__wrapped__()
    for region in ("us-gov-west-1", "us-iso-east-1"):
        each = [_called_at(made.create_client("dynamodb", region_name=region)) for made in (stock, ours)]
        assert each[0] == each[1]


def _called_at(client: Any) -> str:
    """Where it says it sends a call, which is sent nowhere."""

    def tell(request: Any, **_: Any) -> None:
        raise LookupError(request.url)

    client.meta.events.register_first("before-send.dynamodb.GetItem", tell)
    with pytest.raises(LookupError) as told:
        client.get_item(TableName="users", Key={"user_id": {"S": ADA}})
    return str(told.value).rstrip("/")


def test_an_item_comes_as_it_was_sent(aws: cloud.Cloud) -> None:
    item = {"user_id": {"S": ADA}, "all": {"M": {"n": {"N": "1"}, "l": {"L": [{"BOOL": True}]}, "s": {"SS": ["a"]}}}}
    assert dynamodb.write(dynamodb.put(cloud.USERS_TABLE, item, "attribute_not_exists(#user_id)"))
    assert dynamodb.get(cloud.USERS_TABLE, tables.user_key(ADA)) == item == aws.rows(cloud.USERS_TABLE)[0]


def test_counts_are_kept_for_as_long_as_they_are_asked_for(aws: cloud.Cloud) -> None:
    upload = Rows().bound()
    quota, writes = (
        int(item["expires_at"]["N"])
        for name in ("quota", tables.WRITES_PREFIX)
        for item in aws.rows(cloud.UPLOADS_TABLE)
        if item["upload_id"]["S"].startswith(name)
    )
    assert quota >= (upload.created_at + timedelta(hours=1)).timestamp()
    assert writes >= (upload.created_at + timedelta(minutes=1)).timestamp()


def test_a_scan_goes_on_where_its_page_ended(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_scans, "ROWS_A_PAGE", 2)
    owners = [f"user{number}" for number in range(5)]
    rows, both = Rows(), DynamoTableScans(cloud.USERS_TABLE, cloud.UPLOADS_TABLE)
    for owner in owners:
        rows.bound(owner_id=owner)
    assert sorted(upload.owner_id for upload in paged(both.uploads)) == owners
    assert sorted(profile.user_id for profile in paged(both.profiles)) == owners


def test_a_listing_goes_on_where_its_page_ended(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    media, listings = (
        objects.S3Media(cloud.MEDIA_BUCKET),
        objects.S3ObjectListings(cloud.UPLOADS_BUCKET, cloud.MEDIA_BUCKET),
    )
    for number, count in ((1, 7), (2, 1)):
        media.store(an_id(number), [(a_derivative(content=bytes([each])), b"webp") for each in range(count)])
    original = session.s3().list_objects_v2
    monkeypatch.setattr(session.s3(), "list_objects_v2", lambda **query: original(**query, MaxKeys=3))
    stored = aws.keys(cloud.MEDIA_BUCKET)
    assert len(stored) == 8
    assert [each.key for each in paged(listings.media)] == sorted(stored)
    assert listings.derivatives(an_id(1)) == {key for key in stored if an_id(1) in key}


def paged[Item](scan: Callable[[str | None], Page[Item]]) -> list[Item]:
    """All there is, page by page."""
    page = scan(None)
    items = [*page.items]
    while page.next is not None:
        page = scan(page.next)
        items += page.items
    return items


@pytest.mark.parametrize(
    ("table", "key", "path"),
    [
        (cloud.UPLOADS_TABLE, {"owner_id": {"S": ADA}, "upload_id": {"S": an_id(1)}}, "derivatives"),
        (cloud.USERS_TABLE, {"user_id": {"S": ADA}}, "avatar.derivatives"),
    ],
)
def test_derivatives_are_renamed_only_where_row_and_slot_both_name_what_was_read(
    aws: cloud.Cloud, table: str, key: dict[str, Any], path: str
) -> None:
    bound = Rows().bound(upload_id=an_id(1))
    aws.dynamodb.update_item(TableName=table, Key=key, UpdateExpression=f"REMOVE {path}[0]")
    attachments = DynamoAttachments(cloud.USERS_TABLE, cloud.UPLOADS_TABLE)
    before = attachments.read(ADA, bound.upload_id)
    assert not attachments.rename(bound, (a_derivative(),))
    assert attachments.read(ADA, bound.upload_id) == before


def test_a_delete_that_s3_refuses_in_part_fails(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    media = objects.S3Media(cloud.MEDIA_BUCKET)
    media.store(an_id(1), [(a_derivative(), b"webp")])
    refusal = {"Errors": [{"Key": "media/x", "Code": "InternalError", "Message": "again"}]}
    monkeypatch.setattr(session.s3(), "delete_objects", lambda **_: refusal)
    with pytest.raises(objects.DeleteFailed, match="InternalError"):
        media.purge(an_id(1))


def test_an_original_that_s3_keeps_to_itself_is_not_gone(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(**_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")

    incoming = objects.S3Incoming(cloud.UPLOADS_BUCKET)
    assert incoming.fetch(ADA, an_id(1), 9) is None
    monkeypatch.setattr(session.s3(), "get_object", denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        incoming.fetch(ADA, an_id(1), 9)


def test_messages_that_sqs_refuses_are_told(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = [PurgeRequest(ADA, an_id(number)) for number in range(12)]
    refusal = {"Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": False}]}
    monkeypatch.setattr(session.sqs(), "send_message_batch", lambda **_: refusal)
    assert purge_queue.SqsPurgeQueue(cloud.QUEUE_URL).enqueue(removed) == [removed[1], removed[11]]


def test_a_grant_without_a_session_has_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = session.signing()[0]._replace(token=None)
    monkeypatch.setattr(session, "signing", lambda: (credentials, cloud.REGION))
    grants = S3Presigner(cloud.UPLOADS_BUCKET, "https://uploads.example.com/")
    fields = grants.presign(an_upload(), NOW, NOW).fields
    assert "x-amz-security-token" not in fields
    assert fields["x-amz-date"] == "20261120T120000Z"


def test_storing_beyond_a_page_is_purged_whole(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    media = objects.S3Media(cloud.MEDIA_BUCKET)
    media.store(an_id(1), [(a_derivative(content=str(number).encode()), b"webp") for number in range(7)])
    original = session.s3().get_paginator

    class Paged:
        def paginate(self, **query: Any) -> Any:
            return original("list_objects_v2").paginate(**query, PaginationConfig={"PageSize": 3})

    monkeypatch.setattr(session.s3(), "get_paginator", lambda _: Paged())
    assert media.purge(an_id(1)) == 7
    assert aws.keys(cloud.MEDIA_BUCKET) == set()
