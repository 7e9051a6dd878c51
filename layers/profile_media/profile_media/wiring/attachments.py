"""Changing what slots hold."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.clock import SystemClock
from profile_media.aws.profiles import DynamoProfiles
from profile_media.domain.bind import BindResult, SlotBinder
from profile_media.domain.model import Caller, Profile, Slot
from profile_media.domain.references import Reference
from profile_media.http.links import Links
from profile_media.telemetry import audit_bind, count


def bind(caller: Caller, slot: Slot, reference: Reference, owner_id: str | None = None) -> Profile:
    """Binds an upload of the owner's, the caller unless said otherwise, and puts on record who changed what."""
    owner_id = owner_id or caller.user_id
    return _recorded(caller, slot, owner_id, binding(caller).bind(owner_id, slot, reference))


def bind_external(caller: Caller, slot: Slot, url: str) -> Profile:
    """Points the caller's slot at a picture elsewhere."""
    return _recorded(caller, slot, caller.user_id, binding(caller).bind_external(caller.user_id, slot, url))


def unbind(caller: Caller, slot: Slot, owner_id: str | None = None) -> Profile:
    """Clears a slot."""
    owner_id = owner_id or caller.user_id
    return _recorded(caller, slot, owner_id, binding(caller).unbind(owner_id, slot))


def links() -> Links:
    """How this deployment names pictures."""
    chosen = settings.load(settings.BindingSettings)
    return Links(chosen.app_name, chosen.media_base_url)


def external_hosts() -> tuple[str, ...]:
    """Whose pictures may be pointed at."""
    return settings.load(settings.UrlBindingSettings).external_avatar_hosts


def binding(caller: Caller) -> SlotBinder:
    """What changes slots, within this caller's limit."""
    attachments, profiles = _tables()
    return SlotBinder(
        attachments, profiles, SystemClock(), caller, settings.load(settings.BindingSettings).writes_per_minute
    )


def _recorded(caller: Caller, slot: Slot, owner_id: str, bound: BindResult) -> Profile:
    audit_bind(slot, owner_id, caller.user_id, bound.profile.bound_upload_id(slot), bound.replaced_upload_id)
    count("Binds" if bound.profile.has_picture(slot) else "Removals")
    return bound.profile


@cache
def _tables() -> tuple[DynamoAttachments, DynamoProfiles]:
    chosen = settings.load(settings.BindingSettings)
    return DynamoAttachments(chosen.users_table, chosen.uploads_table), DynamoProfiles(chosen.users_table)
