"""The items of the tables: rows of version 0.1.0 are read, and new rows have the same encoding."""

from datetime import UTC, datetime, timedelta
from typing import Any

from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.formats import ContentType
from profile_media.domain.model import (
    Attachment,
    AutoBind,
    Derivative,
    ExternalPicture,
    Identity,
    Profile,
    Reason,
    Slot,
    State,
    Upload,
)
from profile_media.domain.ports import IdempotencyRecord, QuotaEntry, QuotaUsage
from tests import cloud
from tests.builders import ADA, an_id

CREATED = datetime(2026, 11, 20, 12, 0, 0, 7000, UTC)
EXPIRES = datetime(2026, 11, 20, 13, tzinfo=UTC)
MILLISECONDS, SECONDS = "1795176000007", "1795179600"

DERIVATIVE = Derivative("full", "d" * 32, ContentType.WEBP, 512, 512, 1000)
DERIVATIVE_ITEM = {
    "M": {
        "name": {"S": "full"},
        "digest": {"S": "d" * 32},
        "content_type": {"S": "image/webp"},
        "width": {"N": "512"},
        "height": {"N": "512"},
        "size": {"N": "1000"},
    }
}
UPLOAD = Upload(
    owner_id=ADA,
    upload_id=an_id(1),
    slot=Slot.COVER_IMAGE,
    state=State.READY,
    content_type=ContentType.JPEG,
    content_length=1234,
    created_at=CREATED,
    expires_at=EXPIRES,
    checksum_sha256="c" * 43 + "=",
    width=40,
    height=30,
    derivatives=(DERIVATIVE,),
)
UPLOAD_ITEM: dict[str, Any] = {
    "owner_id": {"S": ADA},
    "upload_id": {"S": an_id(1)},
    "slot": {"S": "cover_image"},
    "state": {"S": "ready"},
    "content_type": {"S": "image/jpeg"},
    "content_length": {"N": "1234"},
    "created_at": {"N": MILLISECONDS},
    "expires_at": {"N": SECONDS},
    "checksum_sha256": {"S": "c" * 43 + "="},
    "width": {"N": "40"},
    "height": {"N": "30"},
    "derivatives": {"L": [DERIVATIVE_ITEM]},
}
USER_ITEM: dict[str, Any] = {
    "user_id": {"S": ADA},
    "avatar": {"M": {"upload_id": {"S": an_id(1)}, "derivatives": {"L": [DERIVATIVE_ITEM]}}},
    "cover_image": {"M": {"url": {"S": "https://example.com/ada.png"}}},
    "identity": {
        "M": {"email": {"S": "ada@example.com"}, "email_verified": {"BOOL": True}, "last_login": {"N": SECONDS}}
    },
    "tenant": {"S": "acme"},
    "created_at": {"N": MILLISECONDS},
    "updated_at": {"N": MILLISECONDS},
}


def test_upload_row_of_first_version_is_read(aws: cloud.Cloud) -> None:
    aws.dynamodb.put_item(TableName=cloud.UPLOADS_TABLE, Item=UPLOAD_ITEM)
    assert DynamoUploads(cloud.UPLOADS_TABLE).get(ADA, an_id(1)) == UPLOAD


def test_rejected_row_of_first_version_is_read(aws: cloud.Cloud) -> None:
    added = {"state": {"S": "rejected"}, "reason": {"S": "too_small"}}
    aws.dynamodb.put_item(TableName=cloud.UPLOADS_TABLE, Item={**UPLOAD_ITEM, **added})
    upload = DynamoUploads(cloud.UPLOADS_TABLE).get(ADA, an_id(1))
    assert upload
    assert (upload.state, upload.reason) == (State.REJECTED, Reason.TOO_SMALL)


def test_user_row_of_first_version_is_read(aws: cloud.Cloud) -> None:
    aws.dynamodb.put_item(TableName=cloud.USERS_TABLE, Item=USER_ITEM)
    attachments: dict[Slot, Attachment | ExternalPicture] = {
        Slot.AVATAR: Attachment(an_id(1), (DERIVATIVE,)),
        Slot.COVER_IMAGE: ExternalPicture("https://example.com/ada.png"),
    }
    identity = Identity(email="ada@example.com", email_verified=True, last_login=EXPIRES)
    profile = Profile(ADA, attachments, CREATED, identity, "acme", CREATED)
    assert DynamoProfiles(cloud.USERS_TABLE).get(ADA) == profile
    assert DynamoAttachments(cloud.USERS_TABLE, cloud.UPLOADS_TABLE).read(ADA, an_id(9)) == (profile, None)


def test_idempotency_record_and_quota_of_first_version_are_read(aws: cloud.Cloud) -> None:
    key = {"owner_id": {"S": ADA}, "upload_id": {"S": "idempotency#" + "k" * 64}}
    record = {**key, "made": {"S": an_id(1)}, "request_hash": {"S": "r"}, "expires_at": {"N": SECONDS}}
    quota = {"owner_id": {"S": ADA}, "upload_id": {"S": "quota"}, "open": {"SS": [f"{MILLISECONDS}#{an_id(1)}"]}}
    for item in (record, quota):
        aws.dynamodb.put_item(TableName=cloud.UPLOADS_TABLE, Item=item)
    uploads = DynamoUploads(cloud.UPLOADS_TABLE)
    found = uploads.find_idempotency_record(ADA, "k" * 64)
    assert found == IdempotencyRecord(ADA, "k" * 64, "r", an_id(1), EXPIRES)
    assert uploads.quota_usage(ADA) == QuotaUsage(open=frozenset({QuotaEntry(CREATED, an_id(1))}))


def test_new_upload_row_has_the_old_encoding_and_the_index_key(aws: cloud.Cloud) -> None:
    pending = Upload(
        owner_id=ADA,
        upload_id=an_id(1),
        slot=Slot.COVER_IMAGE,
        state=State.PENDING,
        content_type=ContentType.JPEG,
        content_length=1234,
        created_at=CREATED,
        expires_at=EXPIRES,
        checksum_sha256="c" * 43 + "=",
        auto_bind=AutoBind(ADA, None),
    )
    uploads = DynamoUploads(cloud.UPLOADS_TABLE)
    uploads.create(pending, None, open_limit=9, recent_limit=9)
    assert uploads.save_result(UPLOAD, CREATED)
    rows = {item["upload_id"]["S"]: item for item in aws.rows(cloud.UPLOADS_TABLE)}
    added = {"id_prefix": {"S": an_id(1)[:2]}, "auto_bind": {"M": {"actor_id": {"S": ADA}}}}
    assert rows[an_id(1)] == {**UPLOAD_ITEM, **added}
    expires_at = datetime.fromtimestamp(int(rows["quota"]["expires_at"]["N"]), UTC)
    assert expires_at == EXPIRES + timedelta(hours=1)
