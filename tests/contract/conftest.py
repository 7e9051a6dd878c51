"""Each port twice: the fake, and the AWS adapter on moto."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.checkpoints import DynamoCheckpoints
from profile_media.aws.objects import S3Incoming, S3Media, S3ObjectListings
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.redrive_queue import SqsRedriveQueue
from profile_media.aws.table_scans import DynamoTableScans
from profile_media.aws.upload_index import DynamoUploadIndex
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.keys import incoming_key
from profile_media.domain.ports import (
    Attachments,
    Checkpoints,
    Incoming,
    Media,
    ObjectListings,
    Profiles,
    PurgeQueue,
    PurgeRequest,
    RedriveQueue,
    TableScans,
    UploadIndex,
    Uploads,
)
from profile_media.triggers.records import created_objects
from tests import cloud, fakes


@dataclass
class Ports:
    """All ports on the same rows and objects, and functions that look at these from outside."""

    uploads: Uploads
    profiles: Profiles
    attachments: Attachments
    incoming: Incoming
    media: Media
    purge_queue: PurgeQueue
    redrive_queue: RedriveQueue
    listings: ObjectListings
    index: UploadIndex
    scans: TableScans
    checkpoints: Checkpoints
    receive: Callable[[str, str, bytes], None]
    """Store an original, as a browser would."""
    media_keys: Callable[[], set[str]]
    queued: Callable[[], list[PurgeRequest]]
    """Take the messages of the delete queue."""
    redriven: Callable[[], list[str]]
    """Take the messages of the redrive queue; return the keys."""


def _fake() -> Ports:
    tables, incoming, media, queue = fakes.FakeTables(), fakes.FakeIncoming(), fakes.FakeMedia(), fakes.FakePurgeQueue()
    redrive_queue = fakes.FakeRedriveQueue()
    return Ports(
        uploads=fakes.FakeUploads(tables),
        profiles=fakes.FakeProfiles(tables),
        attachments=fakes.FakeAttachments(tables),
        incoming=incoming,
        media=media,
        purge_queue=queue,
        redrive_queue=redrive_queue,
        listings=fakes.FakeListings(incoming, media),
        index=fakes.FakeUploadIndex(tables),
        scans=fakes.FakeScans(tables),
        checkpoints=fakes.FakeCheckpoints(),
        receive=lambda owner, upload, content: incoming.objects.update({incoming_key(owner, upload): content}),
        media_keys=lambda: set(media.objects),
        queued=lambda: queue.messages,
        redriven=lambda: redrive_queue.keys,
    )


def _on_aws(aws: cloud.Cloud) -> Ports:
    def receive(owner: str, upload: str, content: bytes) -> None:
        aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=incoming_key(owner, upload), Body=content)

    return Ports(
        uploads=DynamoUploads(cloud.UPLOADS_TABLE),
        profiles=DynamoProfiles(cloud.USERS_TABLE),
        attachments=DynamoAttachments(cloud.USERS_TABLE, cloud.UPLOADS_TABLE),
        incoming=S3Incoming(cloud.UPLOADS_BUCKET),
        media=S3Media(cloud.MEDIA_BUCKET),
        purge_queue=SqsPurgeQueue(cloud.QUEUE_URL),
        redrive_queue=SqsRedriveQueue(cloud.REDRIVE_URL, cloud.UPLOADS_BUCKET),
        listings=S3ObjectListings(cloud.UPLOADS_BUCKET, cloud.MEDIA_BUCKET),
        index=DynamoUploadIndex(cloud.UPLOADS_TABLE),
        scans=DynamoTableScans(cloud.USERS_TABLE, cloud.UPLOADS_TABLE),
        checkpoints=DynamoCheckpoints(cloud.UPLOADS_TABLE),
        receive=receive,
        media_keys=lambda: aws.keys(cloud.MEDIA_BUCKET),
        queued=lambda: [_purge_request(message) for message in aws.messages()],
        redriven=lambda: [_redriven_key(event) for event in aws.messages(cloud.REDRIVE_URL)],
    )


def _purge_request(message: dict[str, Any]) -> PurgeRequest:
    keys = message["media_keys"]
    return PurgeRequest(message["owner_id"], message["upload_id"], None if keys is None else tuple(keys))


def _redriven_key(event: dict[str, Any]) -> str:
    [(bucket, key, _)] = created_objects(event)
    assert bucket == cloud.UPLOADS_BUCKET
    return key


@pytest.fixture(params=["fake", "aws"])
def ports(request: pytest.FixtureRequest) -> Ports:
    """Return the ports."""
    return _fake() if request.param == "fake" else _on_aws(request.getfixturevalue("aws"))
