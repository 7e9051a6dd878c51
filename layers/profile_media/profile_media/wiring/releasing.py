"""Queueing removed uploads for deletion."""

from collections.abc import Mapping, Sequence
from functools import cache

from profile_media.aws import settings
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.domain.ports import PurgeRequest
from profile_media.telemetry import count, logger


def release(removed: Mapping[str, PurgeRequest]) -> Sequence[str]:
    """Queues each removed upload; returns the sequence numbers of those the queue did not take."""
    refused = _queue().enqueue(list(removed.values()))
    for upload in removed.values():
        logger.info("upload released", owner=upload.owner_id, upload_id=upload.upload_id, queued=upload not in refused)
    count("UploadsReleased", len(removed) - len(refused))
    return [number for number, upload in removed.items() if upload in refused]


@cache
def _queue() -> SqsPurgeQueue:
    return SqsPurgeQueue(settings.load(settings.ReleasingSettings).purge_queue_url)
