"""Each port three times: the fake, AWS's adapter on moto, and the adapter through a DynamoDB client as it comes.

The last holds every call to DynamoDB's own description, and shows that items are the same, however they are read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest

from profile_media.aws import session
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.checkpoints import DynamoCheckpoints
from profile_media.aws.objects import S3Incoming, S3Media, S3ObjectListings
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.redrive_queue import SqsRedriveQueue
from profile_media.aws.table_scans import DynamoTableScans
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
    RedriveQueue,
    TableScans,
    Uploads,
)
from profile_media.triggers.records import created_objects
from tests import cloud, fakes


@dataclass
class Ports:
    """One set of ports over the same rows and objects, and what a suite needs to look at them from outside."""

    uploads: Uploads
    profiles: Profiles
    attachments: Attachments
    incoming: Incoming
    media: Media
    purge_queue: PurgeQueue
    redrive_queue: RedriveQueue
    listings: ObjectListings
    scans: TableScans
    checkpoints: Checkpoints
    receive: Callable[[str, str, bytes], None]
    """Stores an original, as a browser would."""
    media_keys: Callable[[], set[str]]
    queued: Callable[[], list[dict[str, Any]]]
    """Takes what is on the delete queue."""
    redriven: Callable[[], list[str]]
    """Takes what is on the redrive queue: the keys."""


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
        scans=fakes.FakeScans(tables),
        checkpoints=fakes.FakeCheckpoints(),
        receive=lambda owner, upload, content: incoming.objects.update({incoming_key(owner, upload): content}),
        media_keys=lambda: set(media.objects),
        queued=lambda: [{"owner_id": each.owner_id, "upload_id": each.upload_id} for each in queue.messages],
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
        scans=DynamoTableScans(cloud.USERS_TABLE, cloud.UPLOADS_TABLE),
        checkpoints=DynamoCheckpoints(cloud.UPLOADS_TABLE),
        receive=receive,
        media_keys=lambda: aws.keys(cloud.MEDIA_BUCKET),
        queued=aws.messages,
        redriven=lambda: [key for event in aws.messages(cloud.REDRIVE_URL) for _, key in created_objects(event)],
    )


@pytest.fixture(params=["fake", "aws", "stock"])
def ports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """All of them."""
    if request.param == "fake":
        return _fake()
    if request.param == "stock":
        client = botocore.session.get_session().create_client("dynamodb")
        monkeypatch.setattr(session, "dynamodb", lambda: client)
    return _on_aws(request.getfixturevalue("aws"))
