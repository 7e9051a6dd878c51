"""Binding uploads to slots."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.clock import SystemClock
from profile_media.domain import bind as binding
from profile_media.domain.model import Caller, Profile, Slot
from profile_media.domain.references import Reference
from profile_media.http.links import Links
from profile_media.telemetry import audit_bind, count


def bind(caller: Caller, slot: Slot, reference: Reference) -> Profile:
    """Binds an upload of the caller's own, and puts on record who changed what."""
    bound = binding.bind(_attachments(), SystemClock(), caller.user_id, slot, reference)
    audit_bind(slot, caller.user_id, caller.user_id, reference.upload_id, bound.superseded)
    count("Binds")
    return bound.profile


def links() -> Links:
    """How this deployment names pictures."""
    chosen = settings.load(settings.Binding)
    return Links(chosen.app_name, chosen.media_base_url)


@cache
def _attachments() -> DynamoAttachments:
    chosen = settings.load(settings.Binding)
    return DynamoAttachments(chosen.users_table, chosen.uploads_table)
