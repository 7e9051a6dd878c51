"""Read and write users. A user's row is written from the token at the first call, or by an administrator."""

from profile_media.domain.errors import OwnerForbidden, UserNotFound
from profile_media.domain.model import Caller, Identity, Profile
from profile_media.domain.ports import Clock, Profiles


def load_own_profile(profiles: Profiles, clock: Clock, caller: Caller) -> Profile:
    """Return the caller's profile. Save the token's identity first if the row says something else.

    Raises UserNotFound if the row belongs to another tenant. The slots stay as they are.
    """
    profile = profiles.get(caller.user_id)
    check_tenant(caller, profile)
    identity = profile.identity.merged_with(caller.identity)
    if profile.created_at and profile.identity == identity:
        return profile
    return _save(profiles, clock, caller.user_id, caller.tenant, identity)


def check_tenant(caller: Caller, profile: Profile) -> None:
    """Raise UserNotFound for a user of another tenant than the caller's."""
    if profile.created_at and profile.tenant != caller.tenant:
        raise UserNotFound("another tenant's")


def find(profiles: Profiles, clock: Clock, caller: Caller, user_id: str) -> Profile:
    """Return the caller's own profile or, for an administrator, that of any user of its tenant.

    Raises OwnerForbidden if the caller may not act for others, and UserNotFound.
    """
    if user_id == caller.user_id:
        return load_own_profile(profiles, clock, caller)
    check_may_act(caller, user_id)
    profile = profiles.get(user_id)
    check_tenant(caller, profile)
    if profile.created_at is None:
        raise UserNotFound("unknown")
    return profile


def write(profiles: Profiles, clock: Clock, caller: Caller, user_id: str, identity: Identity) -> Profile:
    """Write the identity of a user of the caller's tenant and return the profile. Only administrators may do so.

    Raises OwnerForbidden, and UserNotFound for a user of another tenant.
    """
    if not caller.is_admin:
        raise OwnerForbidden
    return _save(profiles, clock, user_id, caller.tenant, identity)


def check_may_act(caller: Caller, user_id: str) -> None:
    """Raise OwnerForbidden unless the caller is this user or an administrator."""
    if user_id != caller.user_id and not caller.is_admin:
        raise OwnerForbidden


def _save(profiles: Profiles, clock: Clock, user_id: str, tenant: str | None, identity: Identity) -> Profile:
    if not profiles.save_identity(user_id, tenant, identity, clock.now()):
        raise UserNotFound("another tenant's")
    return profiles.get(user_id)
