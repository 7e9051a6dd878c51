"""The identity in the authorizer's context: http reads the fields that auth writes."""

from dataclasses import fields
from datetime import UTC, datetime

from profile_media.auth import claims
from profile_media.domain.model import Identity
from profile_media.http import identity


def test_from_json_reads_what_the_authorizer_wrote() -> None:
    said = {
        "email": "ada@example.com",
        "email_verified": True,
        "given_name": "Ada",
        "family_name": "Lovelace",
        "phone_number": "+44 20",
        "preferred_username": "ada",
        "picture": "https://example.com/ada.png",
        "role": "editor",
        "auth_time": 1_700_000_000,
    }

    read = identity.from_json(claims.read_identity(said))

    assert read == Identity(
        email="ada@example.com",
        email_verified=True,
        first_name="Ada",
        last_name="Lovelace",
        phone_number="+44 20",
        username="ada",
        picture_url="https://example.com/ada.png",
        role="editor",
        last_login=datetime.fromtimestamp(1_700_000_000, UTC),
    )
    assert None not in (getattr(read, field.name) for field in fields(Identity)), "a field has no claim"


def test_from_json_ignores_members_of_another_version() -> None:
    assert identity.from_json('{"email":"a@b.example","shoe_size":43}') == Identity(email="a@b.example")
