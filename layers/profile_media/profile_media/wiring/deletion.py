"""Enqueue removed uploads, and delete their objects."""

from collections.abc import Mapping, Sequence
from functools import cache

from profile_media.aws import settings
from profile_media.aws.objects import S3Incoming, S3Media
from profile_media.aws.purge_queue import SqsPurgeQueue, parse_body
from profile_media.domain import purge as purging
from profile_media.domain.ports import PurgeRequest
from profile_media.telemetry import count, logger


def release(removed: Mapping[str, PurgeRequest]) -> Sequence[str]:
    """Enqueue removed uploads. Return the sequence numbers of the ones that failed."""
    refused = _queue().enqueue(list(removed.values()))
    for upload in removed.values():
        logger.info(
            "upload released",
            owner=upload.owner_id,
            upload_id=upload.upload_id,
            trace_id=upload.trace_id,
            queued=upload not in refused,
        )
    count("UploadsReleased", len(removed) - len(refused))
    return [number for number, upload in removed.items() if upload in refused]


def purge(body: str) -> None:
    """Delete the objects of the upload that a message names."""
    request = parse_body(body)
    incoming, media = _buckets()
    with logger.append_context_keys(upload_id=request.upload_id, trace_id=request.trace_id):
        deleted = purging.purge(incoming, media, request)
        logger.info("upload purged", owner=request.owner_id, derivatives=deleted)
    count("ObjectsPurged", deleted)


@cache
def _queue() -> SqsPurgeQueue:
    return SqsPurgeQueue(settings.load(settings.ReleasingSettings).purge_queue_url)


@cache
def _buckets() -> tuple[S3Incoming, S3Media]:
    chosen = settings.load(settings.PurgingSettings)
    return S3Incoming(chosen.uploads_bucket), S3Media(chosen.media_bucket)
