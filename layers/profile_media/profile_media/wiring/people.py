"""Showing users, and writing who they are."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.clock import SystemClock
from profile_media.aws.profiles import DynamoProfiles
from profile_media.domain import users
from profile_media.domain.errors import OwnerForbidden
from profile_media.domain.model import Caller, Identity, Profile
from profile_media.http.links import Links
from profile_media.telemetry import logger


def load_own_profile(caller: Caller) -> Profile:
    """The caller's own profile, up to date with the caller's token."""
    return users.load_own_profile(_profiles(), SystemClock(), caller)


def find(caller: Caller, user_id: str) -> Profile:
    """The profile of the user the caller acts for."""
    return users.find(_profiles(), SystemClock(), caller, user_id)


def write(caller: Caller, user_id: str, identity: Identity) -> Profile:
    """Writes who a user of the caller's tenant is; only administrators may."""
    if not caller.is_admin:
        raise OwnerForbidden
    profile = users.write(_profiles(), SystemClock(), user_id, caller.tenant, identity)
    logger.info("user written", owner=user_id)
    return profile


def links() -> Links:
    """How this deployment names pictures."""
    chosen = settings.load(settings.ProfileReadingSettings)
    return Links(chosen.app_name, chosen.media_base_url)


@cache
def _profiles() -> DynamoProfiles:
    return DynamoProfiles(settings.load(settings.ProfileReadingSettings).users_table)
