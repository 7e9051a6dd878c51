"""Showing a profile to its owner."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.profiles import DynamoProfiles
from profile_media.domain.model import Profile
from profile_media.http.links import Links


def find(user_id: str) -> Profile:
    """The user's profile."""
    return _profiles().get(user_id)


def links() -> Links:
    """How this deployment names pictures."""
    chosen = settings.load(settings.ProfileReading)
    return Links(chosen.app_name, chosen.media_base_url)


@cache
def _profiles() -> DynamoProfiles:
    return DynamoProfiles(settings.load(settings.ProfileReading).users_table)
