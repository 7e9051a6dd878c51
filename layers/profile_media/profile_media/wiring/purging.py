"""Deleting what removed uploads left behind."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.objects import S3Incoming, S3Media
from profile_media.aws.purge_queue import parse_body
from profile_media.domain import purge as purging
from profile_media.telemetry import count, logger


def purge(body: str) -> None:
    """Deletes everything of the upload a message names."""
    removed = parse_body(body)
    incoming, media = _buckets()
    deleted = purging.purge(incoming, media, removed)
    logger.info("upload purged", owner=removed.owner_id, upload_id=removed.upload_id, derivatives=deleted)
    count("ObjectsPurged", deleted)


@cache
def _buckets() -> tuple[S3Incoming, S3Media]:
    chosen = settings.load(settings.PurgingSettings)
    return S3Incoming(chosen.uploads_bucket), S3Media(chosen.media_bucket)
