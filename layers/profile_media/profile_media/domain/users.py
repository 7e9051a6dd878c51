"""Who users are: known from their tokens, just in time, or written by an administrator."""

from profile_media.domain.errors import OwnerForbidden, UserNotFound
from profile_media.domain.model import Caller, Identity, Profile
from profile_media.domain.ports import Clock, Profiles


def load_own_profile(profiles: Profiles, clock: Clock, caller: Caller) -> Profile:
    """The caller's own profile, written first where the token says something that the row does not.

    Raises UserNotFound where the row is of another tenant. Pictures are never touched.
    """
    profile = profiles.get(caller.user_id)
    check_tenant(caller, profile)
    identity = profile.identity.merged_with(caller.identity)
    if profile.created_at and profile.identity == identity:
        return profile
    return write(profiles, clock, caller.user_id, caller.tenant, identity)


def check_tenant(caller: Caller, profile: Profile) -> None:
    """Raises UserNotFound for a user of another tenant than the caller's."""
    if profile.created_at and profile.tenant != caller.tenant:
        raise UserNotFound("another tenant's")


def find(profiles: Profiles, clock: Clock, caller: Caller, user_id: str) -> Profile:
    """The profile of the user the caller acts for: itself, or for an administrator any user of its tenant.

    Raises OwnerForbidden where the caller may not act for others, and UserNotFound.
    """
    if user_id == caller.user_id:
        return load_own_profile(profiles, clock, caller)
    if not caller.is_admin:
        raise OwnerForbidden
    profile = profiles.get(user_id)
    check_tenant(caller, profile)
    if profile.created_at is None:
        raise UserNotFound("unknown")
    return profile


def write(profiles: Profiles, clock: Clock, user_id: str, tenant: str | None, identity: Identity) -> Profile:
    """The profile, once it says who the user is."""
    if not profiles.identify(user_id, tenant, identity, clock.now()):
        raise UserNotFound("another tenant's")
    return profiles.get(user_id)
