"""The user, as the published SDKs read it: all their required keys, most of them for things that are not kept here."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from types import MappingProxyType

from profile_media.domain.model import Profile, Slot
from profile_media.http.links import Links
from profile_media.http.request import Json, Response

_NOT_KEPT: Json = MappingProxyType(
    {
        "primary_web3_wallet_id": None,
        "password_enabled": False,
        "two_factor_enabled": False,
        "totp_enabled": False,
        "backup_code_enabled": False,
        "web3_wallets": [],
        "passkeys": [],
        "external_accounts": [],
        "saml_accounts": [],
        "enterprise_accounts": [],
        "public_metadata": {},
        "private_metadata": {},
        "unsafe_metadata": {},
        "external_id": None,
        "banned": False,
        "locked": False,
        "lockout_expires_in_seconds": None,
        "verification_attempts_remaining": None,
        "delete_self_enabled": False,
        "create_organization_enabled": False,
        "mfa_enabled_at": None,
        "mfa_disabled_at": None,
        "legal_accepted_at": None,
    }
)
"""The identity provider's business. The SDKs fail without these keys, and at null where they expect a list or flag."""

_STRATEGIES: Mapping[str, str] = MappingProxyType({"email_address": "email_code", "phone_number": "phone_code"})
"""How the SDKs expect an address of each kind to have been verified; they refuse to read a strategy of our own."""


def render_user(profile: Profile, links: Links) -> Response:
    """The user, with the picture that is shown."""
    identity, picture_url = profile.identity, links.picture_url(profile, Slot.AVATAR)
    emails = _addresses(profile, "email_address", identity.email, verified=identity.email_verified)
    # No claim that is read says whether a phone number is verified, so none is said to be.
    phones = _addresses(profile, "phone_number", identity.phone_number, verified=False)
    user = {
        **_NOT_KEPT,
        "object": "user",
        "id": profile.user_id,
        "username": identity.username,
        "first_name": identity.first_name,
        "last_name": identity.last_name,
        "image_url": picture_url or "",
        "profile_image_url": picture_url or "",
        "has_image": picture_url is not None,
        "primary_email_address_id": _first_id(emails),
        "primary_phone_number_id": _first_id(phones),
        "email_addresses": emails,
        "phone_numbers": phones,
        "last_sign_in_at": _milliseconds(identity.last_login),
        "last_active_at": _milliseconds(identity.last_login),
        "created_at": _milliseconds(profile.created_at),
        "updated_at": _milliseconds(_updated_at(profile)),
    }
    return Response(HTTPStatus.OK, user)


def _addresses(profile: Profile, kind: str, address: str | None, *, verified: bool) -> list[Json]:
    """The one address of a kind that a user has, or none."""
    if address is None:
        return []
    verification = {
        "object": "verification_otp",
        "status": "verified" if verified else "unverified",
        "strategy": _STRATEGIES[kind],
        "attempts": None,
        "expire_at": None,
    }
    shown = {
        "id": _id(profile.user_id, kind, address),
        "object": kind,
        kind: address,
        "reserved": False,
        "verification": verification,
        "linked_to": [],
        "created_at": _milliseconds(profile.created_at),
        "updated_at": _milliseconds(_updated_at(profile)),
    }
    return [shown]


def _id(*parts: str) -> str:
    """An id that stays while the address does, and is nobody else's."""
    return "idn_" + sha256("\0".join(parts).encode()).hexdigest()[:27]


def _first_id(addresses: list[Json]) -> object:
    return addresses[0]["id"] if addresses else None


def _updated_at(profile: Profile) -> datetime | None:
    """When a picture was last changed; a user who never had one was last changed by becoming known."""
    return profile.updated_at or profile.created_at


def _milliseconds(moment: datetime | None) -> int | None:
    return round(moment.timestamp() * 1000) if moment else None
