"""Errors that only AWS adapters can have: eventually consistent reads, pagination, and partly failed batches."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.stub import Stubber

from profile_media.aws import objects, purge_queue, session, table_scans, tables, upload_index
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.checkpoints import DynamoCheckpoints
from profile_media.aws.models import UploadItem
from profile_media.aws.presigner import S3Presigner
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.table_scans import DynamoTableScans
from profile_media.aws.thumbnails import S3ThumbnailLinks
from profile_media.aws.upload_index import DynamoUploadIndex
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.errors import Unavailable
from profile_media.domain.keys import media_key
from profile_media.domain.ports import Page, PurgeRequest, Revision, UploadKey
from tests import aws_calls, cloud
from tests.builders import ADA, NOW, a_derivative, a_ready_upload, an_id, an_upload
from tests.fakes import a_slot_change

CONTENTS = [(a_derivative(content=bytes([number])), b"webp") for number in range(7)]


def read_everything() -> None:
    uploads, scans = DynamoUploads(cloud.UPLOADS_TABLE), DynamoTableScans(cloud.USERS_TABLE, cloud.UPLOADS_TABLE)
    uploads.get(ADA, an_id(1))
    uploads.find_idempotency_record(ADA, "key")
    uploads.quota_usage(ADA)
    DynamoProfiles(cloud.USERS_TABLE).get(ADA)
    DynamoAttachments(cloud.USERS_TABLE, cloud.UPLOADS_TABLE).read(ADA, an_id(1))
    DynamoCheckpoints(cloud.UPLOADS_TABLE).load("pictures")
    scans.upload_ids(None)
    scans.profiles(None)
    DynamoUploadIndex(cloud.UPLOADS_TABLE).get_rows([UploadKey(ADA, an_id(1))])


@pytest.mark.usefixtures("aws")
def test_reads_are_strongly_consistent() -> None:
    weak: list[str] = []
    reads: list[str] = []

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        reads.append(model.name)
        options = [params, *params.get("RequestItems", {}).values()]
        if model.name != "TransactGetItems" and not any(each.get("ConsistentRead") for each in options):
            weak.append(model.name)

    events = tables.connection().client.meta.events
    events.register("before-parameter-build.dynamodb", record, "record reads")
    read_everything()
    events.unregister("before-parameter-build.dynamodb", unique_id="record reads")
    assert (weak, len(reads)) == ([], 9)


@pytest.mark.usefixtures("aws")
def test_all_tables_are_used_over_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    create = Session.create_client

    def record(made_by: Session, name: str, *arguments: Any, **options: Any) -> Any:
        made.append(name)
        return create(made_by, name, *arguments, **options)

    monkeypatch.setattr(Session, "create_client", record)
    tables.connection.cache_clear()
    read_everything()
    assert made == ["dynamodb"]
    assert tables.connection().session is session.session()


def bind(owner_id: str, number: int) -> None:
    uploads, upload = DynamoUploads(cloud.UPLOADS_TABLE), a_ready_upload(owner_id=owner_id, upload_id=an_id(number))
    uploads.create(an_upload(owner_id=owner_id, upload_id=an_id(number)), None, open_limit=9, recent_limit=9)
    assert uploads.save_result(upload, NOW)
    assert DynamoAttachments(cloud.USERS_TABLE, cloud.UPLOADS_TABLE).change_slot(a_slot_change(upload))


def pages[Item](read: Callable[[str | None], Page[Item]]) -> list[list[Item]]:
    """Read all pages."""
    page = read(None)
    found = [[*page.items]]
    while page.next is not None:
        page = read(page.next)
        found.append([*page.items])
    return found


@pytest.mark.usefixtures("aws")
def test_scans_continue_where_a_page_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_scans, "PROFILES_PER_PAGE", 2)
    owners = [f"user{number}" for number in range(5)]
    for number, owner in enumerate(owners):
        bind(owner, number)
    scans = DynamoTableScans(cloud.USERS_TABLE, cloud.UPLOADS_TABLE)
    assert sorted(profile.user_id for page in pages(scans.profiles) for profile in page) == owners
    assert sorted(each for page in pages(scans.upload_ids) for each in page) == [an_id(number) for number in range(5)]


@pytest.mark.usefixtures("aws")
def test_index_pages_are_full_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_index, "KEYS_PER_PAGE", 2)
    ids = [an_id(number) for number in (0, 1, 2, 0x7F000000, 0xFF000000)]
    for upload_id in ids:
        upload = an_upload(upload_id=upload_id)
        DynamoUploads(cloud.UPLOADS_TABLE).create(upload, None, open_limit=9, recent_limit=9)
    found = pages(DynamoUploadIndex(cloud.UPLOADS_TABLE).keys_after)
    assert [[key.upload_id for key in page] for page in found] == [ids[:2], ids[2:4], ids[4:]]


@pytest.mark.parametrize("answers", [2, 5])
def test_unprocessed_keys_are_read_again(monkeypatch: pytest.MonkeyPatch, answers: int) -> None:
    monkeypatch.setattr("profile_media.aws.tables.time.sleep", lambda _: None)
    index, upload = DynamoUploadIndex(cloud.UPLOADS_TABLE), an_upload()
    key = {"owner_id": {"S": ADA}, "upload_id": {"S": upload.upload_id}}
    wanted = {cloud.UPLOADS_TABLE: {"Keys": [key], "ConsistentRead": True}}
    expected = {"RequestItems": wanted, "ReturnConsumedCapacity": "TOTAL"}
    with Stubber(tables.connection().client) as dynamodb:
        for _ in range(answers - 1):
            dynamodb.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": wanted}, expected)
        item = UploadItem.of(upload).serialize()
        rows = {cloud.UPLOADS_TABLE: [item]}
        dynamodb.add_response("batch_get_item", {"Responses": rows, "UnprocessedKeys": {}}, expected)
        assert index.get_rows([UploadKey(ADA, upload.upload_id)]) == [upload]


def test_keys_that_stay_unprocessed_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profile_media.aws.tables.time.sleep", lambda _: None)
    wanted = {cloud.UPLOADS_TABLE: {"Keys": [{"owner_id": {"S": ADA}, "upload_id": {"S": an_id(1)}}]}}
    with Stubber(tables.connection().client) as dynamodb:
        for _ in range(5):
            dynamodb.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": wanted})
        with pytest.raises(Unavailable):
            DynamoUploadIndex(cloud.UPLOADS_TABLE).get_rows([UploadKey(ADA, an_id(1))])


def test_listings_and_delete_prefix_continue_where_a_page_ended(
    aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = objects.S3Media(cloud.MEDIA_BUCKET)
    listings = objects.S3ObjectListings(cloud.UPLOADS_BUCKET, cloud.MEDIA_BUCKET)
    media.store(an_id(1), CONTENTS)
    media.store(an_id(2), CONTENTS[:1])
    original = session.s3().list_objects_v2
    monkeypatch.setattr(session.s3(), "list_objects_v2", lambda **query: original(**query, MaxKeys=3))
    stored = aws.keys(cloud.MEDIA_BUCKET)
    assert [each.key for page in pages(listings.media) for each in page] == sorted(stored)
    assert listings.derivatives(an_id(1)) == {key for key in stored if an_id(1) in key}
    assert media.delete_prefix(an_id(1)) == 7
    assert len(aws.keys(cloud.MEDIA_BUCKET)) == 1


@pytest.mark.parametrize(
    ("name", "size", "storage"),
    [
        ("master", objects.SMALLEST_INFREQUENT, "STANDARD_IA"),
        ("master", objects.SMALLEST_INFREQUENT - 1, "STANDARD"),
        ("full", objects.SMALLEST_INFREQUENT, "STANDARD"),
    ],
)
def test_large_master_is_stored_for_infrequent_access(aws: cloud.Cloud, name: str, size: int, storage: str) -> None:
    content = bytes(size)
    objects.S3Media(cloud.MEDIA_BUCKET).store(an_id(1), [(a_derivative(name=name, content=content), content)])
    [entry] = aws.s3.list_objects_v2(Bucket=cloud.MEDIA_BUCKET)["Contents"]
    assert entry["StorageClass"] == storage


def test_delete_takes_more_keys_than_one_request(aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "DELETE_BATCH", 3)
    media = objects.S3Media(cloud.MEDIA_BUCKET)
    media.store(an_id(1), CONTENTS)
    media.delete(media_key(an_id(1), derivative) for derivative, _ in CONTENTS)
    assert aws.keys(cloud.MEDIA_BUCKET) == set()


@pytest.mark.parametrize(
    ("table", "key", "path"),
    [
        (cloud.UPLOADS_TABLE, {"owner_id": {"S": ADA}, "upload_id": {"S": an_id(1)}}, "derivatives"),
        (cloud.USERS_TABLE, {"user_id": {"S": ADA}}, "avatar.derivatives"),
    ],
)
def test_revise_fails_if_row_or_slot_has_other_derivatives(
    aws: cloud.Cloud, table: str, key: dict[str, Any], path: str
) -> None:
    bind(ADA, 1)
    attachments = DynamoAttachments(cloud.USERS_TABLE, cloud.UPLOADS_TABLE)
    profile, bound = attachments.read(ADA, an_id(1))
    assert bound
    aws.dynamodb.update_item(TableName=table, Key=key, UpdateExpression=f"REMOVE {path}[0]")
    before = attachments.read(ADA, an_id(1))
    revised = replace(bound, derivatives=(a_derivative(),))
    assert not attachments.revise(Revision(profile, bound, revised, None, NOW))
    assert attachments.read(ADA, an_id(1)) == before


@pytest.mark.usefixtures("aws")
def test_delete_raises_if_s3_refuses_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = {"Errors": [{"Key": "media/x", "Code": "InternalError", "Message": "again"}]}
    monkeypatch.setattr(session.s3(), "delete_objects", lambda **_: refusal)
    with pytest.raises(objects.DeleteFailed, match="InternalError"):
        objects.S3Media(cloud.MEDIA_BUCKET).delete(["media/x"])


@pytest.mark.usefixtures("aws")
def test_fetch_raises_if_access_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(**_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")

    monkeypatch.setattr(session.s3(), "get_object", deny)
    with pytest.raises(ClientError, match="AccessDenied"):
        objects.S3Incoming(cloud.UPLOADS_BUCKET).fetch(ADA, an_id(1), 9)


@pytest.mark.usefixtures("aws")
def test_enqueue_returns_requests_that_sqs_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [PurgeRequest(ADA, an_id(number)) for number in range(12)]

    def refuse_some(**query: Any) -> dict[str, Any]:
        return {"Failed": [{"Id": entry["Id"]} for entry in query["Entries"] if entry["Id"] in ("1", "11")]}

    monkeypatch.setattr(session.sqs(), "send_message_batch", refuse_some)
    assert purge_queue.SqsPurgeQueue(cloud.QUEUE_URL).enqueue(requests) == [requests[1], requests[11]]


OWN_KEY = f"media/{an_id(1)}/full-{'d' * 32}.webp"


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        (f'{{"owner_id": "{ADA}", "upload_id": "{an_id(1)}"}}', None),
        (f'{{"owner_id": "{ADA}", "upload_id": "{an_id(1)}", "media_keys": ["{OWN_KEY}"]}}', (OWN_KEY,)),
    ],
    ids=["first version", "keys"],
)
def test_purge_message_is_parsed(body: str, keys: tuple[str, ...] | None) -> None:
    assert purge_queue.parse_body(body) == PurgeRequest(ADA, an_id(1), keys)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"owner_id": "ada"}',
        '{"owner_id": "ada", "upload_id": "../../x"}',
        f'{{"owner_id": 1, "upload_id": "{an_id(1)}"}}',
        f'{{"owner_id": null, "upload_id": "{an_id(1)}", "more": 1}}',
        f'{{"owner_id": null, "upload_id": "{an_id(2)}", "media_keys": ["{OWN_KEY}"]}}',
        f'{{"owner_id": null, "upload_id": "{an_id(1)}", "media_keys": ["incoming/x"]}}',
        f'{{"owner_id": null, "upload_id": "{an_id(1)}", "media_keys": [1]}}',
    ],
)
def test_foreign_purge_message_is_refused(body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever its text
        purge_queue.parse_body(body)


@pytest.mark.usefixtures("aws")
def test_presigned_post_without_session_has_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = session.signing()[0]._replace(token=None)
    monkeypatch.setattr(session, "signing", lambda: (credentials, cloud.REGION))
    fields = S3Presigner(cloud.UPLOADS_BUCKET, "https://uploads.example.com/").presign(an_upload(), NOW, NOW).fields
    assert "x-amz-security-token" not in fields
    assert fields["x-amz-date"] == "20261120T120000Z"


@pytest.mark.usefixtures("aws")
def test_presigned_post_uses_the_present_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    presigner = S3Presigner(cloud.UPLOADS_BUCKET, "https://uploads.example.com/")
    first = presigner.presign(an_upload(), NOW, NOW)
    assert presigner.presign(an_upload(), NOW, NOW) == first
    credentials = session.signing()[0]._replace(access_key="AKIANEW")
    monkeypatch.setattr(session, "signing", lambda: (credentials, cloud.REGION))
    assert presigner.presign(an_upload(), NOW, NOW).fields["x-amz-credential"].startswith("AKIANEW/")


@pytest.fixture
def fresh_session(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let all clients be made again, as in a function that has just started."""
    cached = (tables.connection, session.s3, session.sqs, session._boto3)
    monkeypatch.setattr(session, "_sessions", [])
    for each in cached:
        each.cache_clear()
    yield
    for each in cached:
        each.cache_clear()


@pytest.mark.usefixtures("aws", "fresh_session")
def test_signatures_use_the_credentials_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    # Credentials that end within ten minutes are read again by botocore whenever they are used.
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", (datetime.now(UTC) + timedelta(minutes=5)).isoformat())
    presigner = S3Presigner(cloud.UPLOADS_BUCKET, "https://uploads.example.com/")
    links = S3ThumbnailLinks(cloud.MEDIA_BUCKET)

    def signed_with() -> list[str]:
        """Return the access keys of a form, a link, and requests to DynamoDB, SQS and S3."""
        sent: list[str] = []

        def record(call: str, request: AWSPreparedRequest, send: aws_calls.Send) -> AWSResponse:
            sent.append(str(request.headers["Authorization"]))
            return send()

        with aws_calls.through(record):
            DynamoProfiles(cloud.USERS_TABLE).get(ADA)
            purge_queue.SqsPurgeQueue(cloud.QUEUE_URL).enqueue([PurgeRequest(ADA, an_id(1))])
            objects.S3Media(cloud.MEDIA_BUCKET).delete([OWN_KEY])
        form = presigner.presign(an_upload(), NOW, NOW).fields["x-amz-credential"]
        return re.findall(r"AKIA[A-Z]+", " ".join([form, links.link(an_id(1), a_derivative()), *sent]))

    for key in ("AKIAFIRST", "AKIASECOND"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        assert signed_with() == [key] * 5
