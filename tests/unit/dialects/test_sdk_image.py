"""Dialect 4: the user as the published SDKs require it, and their errors."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from profile_media.dialects import sdk_image
from profile_media.dialects.sdk_image.showing import render_user
from profile_media.domain import errors
from profile_media.domain.model import Attachment, ExternalPicture, Identity, Profile, Reason, Slot
from profile_media.domain.policy import default_derivative
from profile_media.http.user_id import parse_user_id
from tests.builders import ADA, GRACE, NOW, an_id, derivatives_for
from tests.requests import LINKS, a_request

NEVER_NULL = {
    "object", "id", "has_image", "public_metadata", "email_addresses", "phone_numbers", "web3_wallets",
    "passkeys", "password_enabled", "two_factor_enabled", "totp_enabled", "backup_code_enabled",
    "external_accounts", "saml_accounts", "enterprise_accounts", "banned", "locked", "updated_at", "created_at",
    "delete_self_enabled", "create_organization_enabled",
}  # fmt: skip
"""The 21 keys that the Python SDK's model requires and refuses null for."""

NULLABLE = {
    "username", "first_name", "last_name", "image_url", "primary_email_address_id", "primary_phone_number_id",
    "primary_web3_wallet_id", "private_metadata", "unsafe_metadata", "external_id", "last_sign_in_at",
    "lockout_expires_in_seconds", "verification_attempts_remaining", "last_active_at", "mfa_enabled_at",
    "mfa_disabled_at", "legal_accepted_at", "profile_image_url",
}  # fmt: skip
"""The contract's other keys."""

FULL = Identity(
    email="ada@example.com",
    email_verified=True,
    first_name="Ada",
    last_name="Lovelace",
    phone_number="+4930123456",
    username="ada",
    picture_url="https://pictures.example.com/ada.png",
    last_login=NOW - timedelta(hours=1),
)


def a_profile(**changes: Any) -> Profile:
    return replace(Profile(ADA, created_at=NOW), **changes)


def user(profile: Profile) -> Any:
    return render_user(profile, LINKS).body


@pytest.mark.parametrize("identity", [Identity(), FULL])
def test_user_has_every_key_and_null_only_where_sdks_accept_it(identity: Identity) -> None:
    body = user(a_profile(identity=identity))
    assert set(body) == NEVER_NULL | NULLABLE
    assert {name for name in NEVER_NULL if body[name] is None} == set()
    assert body["object"] == "user"


def test_times_are_whole_milliseconds() -> None:
    known = datetime(2026, 11, 20, 12, 0, 0, 123000, tzinfo=UTC)
    body = user(a_profile(identity=FULL, created_at=known, updated_at=known + timedelta(milliseconds=877)))
    assert (body["created_at"], body["updated_at"]) == (1795176000123, 1795176001000)
    assert body["last_sign_in_at"] == body["last_active_at"] == 1795172400000
    assert all(type(body[name]) is int for name in body if name.endswith("_at") and body[name] is not None)
    assert user(a_profile())["updated_at"] == user(a_profile())["created_at"]


def test_address_is_object_with_stable_id() -> None:
    first, again = user(a_profile(identity=FULL)), user(a_profile(identity=FULL))
    [email], [phone] = first["email_addresses"], first["phone_numbers"]
    assert email["linked_to"] == phone["linked_to"] == []
    assert (email["object"], email["email_address"]) == ("email_address", "ada@example.com")
    assert (phone["object"], phone["phone_number"]) == ("phone_number", "+4930123456")
    assert (email["verification"]["status"], email["verification"]["strategy"]) == ("verified", "email_code")
    assert (phone["verification"]["status"], phone["verification"]["strategy"]) == ("unverified", "phone_code")
    assert email["id"].startswith("idn_")
    assert first["primary_email_address_id"] == email["id"] == again["primary_email_address_id"]
    assert first["primary_phone_number_id"] == phone["id"] != email["id"]
    other = user(replace(a_profile(identity=FULL), user_id=GRACE))
    assert other["primary_email_address_id"] != email["id"]


def test_unverified_address_is_shown_as_unverified() -> None:
    [email] = user(a_profile(identity=replace(FULL, email_verified=False)))["email_addresses"]
    assert email["verification"]["status"] == "unverified"


def test_image_url_and_has_image_follow_picture() -> None:
    uploaded = Attachment(an_id(1), derivatives_for(Slot.AVATAR))
    external = ExternalPicture("https://elsewhere.example.com/a.png")
    profiles = {
        "uploaded": a_profile(identity=FULL, attachments={Slot.AVATAR: uploaded}),
        "external": a_profile(identity=FULL, attachments={Slot.AVATAR: external}),
        "the provider's": a_profile(identity=FULL, attachments={Slot.COVER_IMAGE: external}),
        "none": a_profile(attachments={Slot.COVER_IMAGE: external}),
    }
    shown = {name: (user(profile)["image_url"], user(profile)["has_image"]) for name, profile in profiles.items()}
    assert shown == {
        "uploaded": (LINKS.url(an_id(1), default_derivative(Slot.AVATAR, uploaded.derivatives)), True),
        "external": ("https://elsewhere.example.com/a.png", True),
        "the provider's": ("https://pictures.example.com/ada.png", True),
        "none": ("", False),
    }


@pytest.mark.parametrize("sent", ["auth0|ada", "auth0%7Cada", "auth0%7cada"])
def test_parse_user_id_accepts_any_path_encoding(sent: str) -> None:
    assert parse_user_id(a_request(path={"user_id": sent})) == ADA


def test_every_wrong_field_is_one_error() -> None:
    body: Any = sdk_image.render_error(errors.RequestInvalid(("first_name: wrong", "role: wrong")), "r")
    assert [error["message"] for error in body["errors"]] == ["first_name: wrong", "role: wrong"]
    assert {error["code"] for error in body["errors"]} == {"request_invalid"}
    assert body["clerk_trace_id"] == "r"


@pytest.mark.parametrize("error", [None, errors.UserNotFound("unknown"), errors.ImageUnacceptable(Reason.CORRUPT)])
def test_error_always_has_three_texts(error: errors.MediaError | None) -> None:
    body: Any = sdk_image.render_error(error, "r")
    [shown] = body["errors"]
    assert all(isinstance(shown[name], str) and shown[name] for name in ("message", "long_message", "code"))
    assert "unknown" not in str(shown)
    assert shown.get("meta", {}) == ({"reason": "corrupt"} if isinstance(error, errors.ImageUnacceptable) else {})
