"""Bodies of dialect 4; the published SDKs hold the answers to schemas of their own."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tools.openapi.wire.model import Absent, Url, Wire

Milliseconds = Annotated[int, Field(ge=0)]
Nothing = Annotated[list[Any], Field(max_length=0)]
"""A list of things that are not kept here."""

Blank = Annotated[dict[str, Any], Field(max_length=0)]


class Verification(Wire):
    """Whether an address is known to be the user's."""

    object: str
    status: Literal["verified", "unverified"]
    strategy: Literal["email_code", "phone_code"]
    attempts: None
    expire_at: None


class _Address(Wire):
    id: str
    reserved: bool
    verification: Verification
    linked_to: Nothing
    created_at: Milliseconds | None
    updated_at: Milliseconds | None


class SdkEmailAddress(_Address):
    """The user's email address."""

    object: Literal["email_address"]
    email_address: str


class SdkPhoneNumber(_Address):
    """The user's phone number."""

    object: Literal["phone_number"]
    phone_number: str


class SdkUser(Wire):
    """The user, in the form that the published SDKs read."""

    object: Literal["user"]
    id: str
    username: str | None
    first_name: str | None
    last_name: str | None
    image_url: Url | Literal[""]
    """Empty where there is no picture."""
    profile_image_url: Url | Literal[""]
    has_image: bool
    primary_email_address_id: str | None
    primary_phone_number_id: str | None
    primary_web3_wallet_id: None
    email_addresses: Annotated[list[SdkEmailAddress], Field(max_length=1)]
    phone_numbers: Annotated[list[SdkPhoneNumber], Field(max_length=1)]
    web3_wallets: Nothing
    passkeys: Nothing
    external_accounts: Nothing
    saml_accounts: Nothing
    enterprise_accounts: Nothing
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
    last_sign_in_at: Milliseconds | None
    last_active_at: Milliseconds | None
    created_at: Milliseconds
    updated_at: Milliseconds


class SdkProblem(Wire):
    """One error."""

    message: str
    long_message: str
    code: str
    meta: dict[str, int | str] | Absent = None


class SdkErrors(Wire):
    """Errors, in the form that the published SDKs read."""

    errors: Annotated[list[SdkProblem], Field(min_length=1)]
    clerk_trace_id: str
    """The request's id."""
