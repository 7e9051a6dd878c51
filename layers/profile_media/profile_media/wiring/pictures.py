"""Bind and unbind pictures, and build their thumbnail URLs."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.clock import SystemClock
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.thumbnails import S3ThumbnailLinks
from profile_media.domain.access import Access
from profile_media.domain.bind import BindResult, SlotBinder
from profile_media.domain.model import Attachment, Profile, Slot
from profile_media.domain.policy import thumbnail_derivative
from profile_media.domain.references import Reference
from profile_media.http.links import Links
from profile_media.telemetry import audit_bind, count, count_slot


def bind(access: Access, slot: Slot, reference: Reference) -> Profile:
    """Bind an upload of the owner's."""
    return record(_binder().bind(access, slot, reference))


def bind_external(access: Access, slot: Slot, url: str) -> Profile:
    """Point the owner's slot at a picture on another host."""
    return record(_binder().bind_external(access, slot, url))


def unbind(access: Access, slot: Slot) -> Profile:
    """Clear the owner's slot."""
    return record(_binder().unbind(access, slot))


def record(result: BindResult) -> Profile:
    """Write the audit record of a changed slot and count it. Return the changed profile."""
    profile, slot = result.profile, result.slot
    audit_bind(slot, profile.user_id, result.actor_id, result.upload_id, result.replaced_upload_id)
    if profile.has_picture(slot):
        count_slot("Binds", slot)
    else:
        count("Removals")
    return profile


def external_hosts() -> tuple[str, ...]:
    """Return the hosts whose pictures a slot may point at."""
    return settings.load(settings.UrlBindingSettings).external_avatar_hosts


def thumbnail_url(profile: Profile, slot: Slot, links: Links) -> str | None:
    """Return a presigned URL of the slot's thumbnail; the plain URL of an external picture; None for an empty slot."""
    content = profile.attachments.get(slot)
    if not isinstance(content, Attachment):
        return links.picture_url(profile, slot)
    return _thumbnails().link(content.upload_id, thumbnail_derivative(slot, content.derivatives))


@cache
def make_binder(users_table: str, uploads_table: str, per_minute: int) -> SlotBinder:
    """Return a binder on these tables, with a limit of changes per user and minute."""
    attachments = DynamoAttachments(users_table, uploads_table)
    return SlotBinder(attachments, DynamoProfiles(users_table), SystemClock(), per_minute)


def _binder() -> SlotBinder:
    chosen = settings.load(settings.BindingSettings)
    return make_binder(chosen.users_table, chosen.uploads_table, chosen.writes_per_minute)


@cache
def _thumbnails() -> S3ThumbnailLinks:
    return S3ThumbnailLinks(settings.load(settings.ThumbnailSettings).media_bucket)
