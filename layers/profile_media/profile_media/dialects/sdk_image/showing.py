"""The user, with all keys that the published SDKs require. This service keeps no values for most of them."""

from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

from profile_media.domain.model import Profile, Slot
from profile_media.http.links import Links, known_since
from profile_media.http.request import Response
from profile_media.http.wire import Url, documented

Milliseconds = Annotated[int, Field(ge=0)]
Empty = Annotated[list[Any], Field(max_length=0)]
Blank = Annotated[dict[str, Any], Field(max_length=0)]


@documented
class Verification(TypedDict):
    """The verification of an address."""

    object: str
    status: Literal["verified", "unverified"]
    strategy: Literal["email_code", "phone_code"]
    """The SDKs refuse to read any other strategy."""
    attempts: None
    expire_at: None


@documented
class _Address(TypedDict):
    id: str
    reserved: bool
    verification: Verification
    linked_to: Empty
    created_at: Milliseconds
    updated_at: Milliseconds


@documented
class SdkEmailAddress(_Address):
    """The user's email address."""

    object: Literal["email_address"]
    email_address: str


@documented
class SdkPhoneNumber(_Address):
    """The user's phone number."""

    object: Literal["phone_number"]
    phone_number: str


@documented
class _NotKept(TypedDict):
    """Values that only an identity provider keeps. The SDKs fail if a key is missing, or if a list or flag is null."""

    primary_web3_wallet_id: None
    web3_wallets: Empty
    passkeys: Empty
    external_accounts: Empty
    saml_accounts: Empty
    enterprise_accounts: Empty
    public_metadata: Blank
    private_metadata: Blank
    unsafe_metadata: Blank
    external_id: None
    password_enabled: bool
    two_factor_enabled: bool
    totp_enabled: bool
    backup_code_enabled: bool
    banned: bool
    locked: bool
    lockout_expires_in_seconds: None
    verification_attempts_remaining: None
    delete_self_enabled: bool
    create_organization_enabled: bool
    mfa_enabled_at: None
    mfa_disabled_at: None
    legal_accepted_at: None


_NOT_KEPT: _NotKept = {
    "primary_web3_wallet_id": None,
    "web3_wallets": [],
    "passkeys": [],
    "external_accounts": [],
    "saml_accounts": [],
    "enterprise_accounts": [],
    "public_metadata": {},
    "private_metadata": {},
    "unsafe_metadata": {},
    "external_id": None,
    "password_enabled": False,
    "two_factor_enabled": False,
    "totp_enabled": False,
    "backup_code_enabled": False,
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


@documented
class SdkUser(_NotKept):
    """The user, in the form that the published SDKs read."""

    object: Literal["user"]
    id: str
    username: str | None
    first_name: str | None
    last_name: str | None
    image_url: Url | Literal[""]
    """Empty if there is no picture."""
    profile_image_url: Url | Literal[""]
    has_image: bool
    primary_email_address_id: str | None
    primary_phone_number_id: str | None
    email_addresses: Annotated[list[SdkEmailAddress], Field(max_length=1)]
    phone_numbers: Annotated[list[SdkPhoneNumber], Field(max_length=1)]
    last_sign_in_at: Milliseconds | None
    last_active_at: Milliseconds | None
    created_at: Milliseconds
    updated_at: Milliseconds


def render_user(profile: Profile, links: Links) -> Response:
    """Render the user."""
    identity, picture_url = profile.identity, links.picture_url(profile, Slot.AVATAR)
    last_login = _milliseconds(identity.last_login) if identity.last_login else None
    emails, phones = _email_addresses(profile), _phone_numbers(profile)
    body: SdkUser = {
        **_NOT_KEPT,
        "object": "user",
        "id": profile.user_id,
        "username": identity.username,
        "first_name": identity.first_name,
        "last_name": identity.last_name,
        "image_url": picture_url or "",
        "profile_image_url": picture_url or "",
        "has_image": picture_url is not None,
        "primary_email_address_id": emails[0]["id"] if emails else None,
        "primary_phone_number_id": phones[0]["id"] if phones else None,
        "email_addresses": emails,
        "phone_numbers": phones,
        "last_sign_in_at": last_login,
        "last_active_at": last_login,
        "created_at": _milliseconds(known_since(profile)),
        "updated_at": _milliseconds(_updated_at(profile)),
    }
    return Response(HTTPStatus.OK, body)


def _email_addresses(profile: Profile) -> list[SdkEmailAddress]:
    email = profile.identity.email
    if email is None:
        return []
    address = _address(profile, "email_address", email, "email_code", verified=profile.identity.email_verified)
    return [{**address, "object": "email_address", "email_address": email}]


def _phone_numbers(profile: Profile) -> list[SdkPhoneNumber]:
    number = profile.identity.phone_number
    if number is None:
        return []
    # No claim that this service reads tells whether a phone number is verified.
    address = _address(profile, "phone_number", number, "phone_code", verified=False)
    return [{**address, "object": "phone_number", "phone_number": number}]


def _address(
    profile: Profile, kind: str, address: str, strategy: Literal["email_code", "phone_code"], *, verified: bool
) -> _Address:
    return {
        "id": _id(profile.user_id, kind, address),
        "reserved": False,
        "verification": {
            "object": "verification_otp",
            "status": "verified" if verified else "unverified",
            "strategy": strategy,
            "attempts": None,
            "expire_at": None,
        },
        "linked_to": [],
        "created_at": _milliseconds(known_since(profile)),
        "updated_at": _milliseconds(_updated_at(profile)),
    }


def _id(*parts: str) -> str:
    """Derive an id that is stable for the address and unique to the user."""
    return "idn_" + sha256("\0".join(parts).encode()).hexdigest()[:27]


def _updated_at(profile: Profile) -> datetime:
    """Return when a picture was last changed, or else when the user was first seen."""
    return profile.updated_at or known_since(profile)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
