"""Showing a picture to whoever is handed the link."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.thumbnails import S3ThumbnailLinks
from profile_media.domain.model import Attachment, Profile, Slot
from profile_media.wiring import attachments

THUMBNAIL = "thumb"


def thumbnail_url(profile: Profile, slot: Slot) -> str | None:
    """A presigned link to the slot's thumbnail; the plain URL of a picture that is not ours, or none."""
    held = profile.attachments.get(slot)
    if not isinstance(held, Attachment):
        return attachments.links().picture_url(profile, slot)
    thumbnail = next((each for each in held.derivatives if each.name == THUMBNAIL), held.shown[-1])
    return _viewing().link(held.upload_id, thumbnail)


@cache
def _viewing() -> S3ThumbnailLinks:
    return S3ThumbnailLinks(settings.load(settings.ThumbnailSettings).media_bucket)
