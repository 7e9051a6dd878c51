"""Show users, write who they are, and decide whose pictures a caller may change."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.clock import SystemClock
from profile_media.aws.profiles import DynamoProfiles
from profile_media.domain import access, users
from profile_media.domain.access import Access
from profile_media.domain.model import Caller, Identity, Profile
from profile_media.telemetry import logger


def load_own_profile(caller: Caller) -> Profile:
    """Return the caller's own profile, updated from the caller's token."""
    return users.load_own_profile(_profiles(), SystemClock(), caller)


def find(caller: Caller, user_id: str) -> Profile:
    """Return the profile of a user whom the caller may see."""
    return users.find(_profiles(), SystemClock(), caller, user_id)


def access_to(caller: Caller, user_id: str) -> Access:
    """Return the caller's access to the pictures of a user that exists. Saves the caller's own identity."""
    return access.grant_for_user(_profiles(), SystemClock(), caller, user_id)


def write(caller: Caller, user_id: str, identity: Identity) -> Profile:
    """Write the identity of a user of the caller's tenant."""
    profile = users.write(_profiles(), SystemClock(), caller, user_id, identity)
    logger.info("user written", owner=user_id)
    return profile


@cache
def _profiles() -> DynamoProfiles:
    return DynamoProfiles(settings.load(settings.ProfileReadingSettings).users_table)
