"""Decide whether a caller may change a user's pictures.

Every use case that changes pictures takes an `Access`. Only the functions of this module can make one, so a handler
that forgets to ask does not type-check and does not run.
"""

from dataclasses import InitVar, dataclass

from profile_media.domain.model import AutoBind, Caller
from profile_media.domain.ports import Clock, Profiles
from profile_media.domain.users import check_may_act, check_tenant, find

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Access:
    """The permission of `caller` to change the pictures of `owner_id`."""

    caller: Caller
    owner_id: str
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only profile_media.domain.access makes an Access")


def grant_own(caller: Caller) -> Access:
    """Return the access of every caller to its own pictures. No call is made."""
    return Access(caller, caller.user_id, _SEAL)


def grant_for_user(profiles: Profiles, clock: Clock, caller: Caller, user_id: str) -> Access:
    """Return the caller's access to a user that exists: itself, or for an administrator any user of its tenant.

    Raises OwnerForbidden if the caller may not act for others, and UserNotFound. Saves the caller's identity if
    the token says something new.
    """
    return Access(caller, find(profiles, clock, caller, user_id).user_id, _SEAL)


def grant_for_intent(profiles: Profiles, caller: Caller, owner_id: str) -> Access:
    """Return the caller's access to an owner of an upload, who need not exist yet.

    Raises OwnerForbidden if the caller may not act for others, and UserNotFound for a user of another tenant. A
    caller's own intent makes no call.
    """
    check_may_act(caller, owner_id)
    if owner_id != caller.user_id:
        check_tenant(caller, profiles.get(owner_id))
    return Access(caller, owner_id, _SEAL)


def grant_recorded(auto_bind: AutoBind, owner_id: str) -> Access:
    """Return the access that was checked when the intent was made and recorded with its upload."""
    return Access(Caller(auto_bind.actor_id, tenant=auto_bind.tenant), owner_id, _SEAL)
