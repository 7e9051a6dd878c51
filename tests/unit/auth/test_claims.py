"""The profile's fields that are read from a token's claims."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_media.auth.claims import IDENTITY_CLAIMS, LATEST, MAX_IDENTITY, read_identity

pytestmark = pytest.mark.disable_socket

USUAL = {
    "sub": "auth0|ada",
    "email": "ada@example.com",
    "email_verified": True,
    "given_name": "Ada",
    "family_name": "Lovelace",
    "phone_number": "+44 20 7946 0018",
    "preferred_username": "ada",
    "picture": "https://example.com/people/ada.png?size=128#top",
    "role": "editor",
    "auth_time": 1_700_000_000,
}

CLAIMS = [
    "email",
    "email_verified",
    "given_name",
    "family_name",
    "phone_number",
    "preferred_username",
    "picture",
    "role",
    "roles",
    "auth_time",
]


def read(**claims: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_identity(claims))
    return found


def test_every_field_is_read_from_its_claim() -> None:
    assert read(**USUAL) == {
        "email": "ada@example.com",
        "email_verified": True,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "phone_number": "+44 20 7946 0018",
        "username": "ada",
        "picture_url": "https://example.com/people/ada.png?size=128#top",
        "role": "editor",
        "last_login": 1_700_000_000,
    }


def test_missing_claims_give_empty_object() -> None:
    assert read_identity({"sub": "auth0|ada"}) == "{}"


def test_identity_is_compact_ascii() -> None:
    assert read_identity({"given_name": "Zo\u00eb", "email_verified": True}) == '{"first_name":"Zo\\u00eb"}'


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize(
    "value",
    [None, "", " ", 1.5, -1, ["", 1, None], [], {}, {"a": "b"}, "\0", "a\nb", "a\u202eb", "\ud800", [["editor"]]],
    ids=ascii,
)
def test_malformed_claim_is_ignored_alone(claim: str, value: object) -> None:
    others = {name: usual for name, usual in USUAL.items() if name not in (claim, "role", "email_verified")}

    assert read(**{**others, claim: value}) == read(**others)


@pytest.mark.parametrize(
    "email",
    ["ada", "@example.com", "ada@", "a b@example.com", "ada@example.com, b@c", "a@b@c", "x" * 310 + "@example.com", 1],
)
def test_email_verified_needs_email(email: object) -> None:
    assert read(email=email, email_verified=True) == {}


@pytest.mark.parametrize("verified", ["true", 1, 0, None, "false"])
def test_email_verified_must_be_boolean(verified: object) -> None:
    assert read(email="ada@example.com", email_verified=verified) == {"email": "ada@example.com"}


@pytest.mark.parametrize(
    "picture",
    [
        "http://example.com/a.png",
        "HTTPS://example.com/a.png",
        "//example.com/a.png",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "https://",
        "https:///a.png",
        "https://user@example.com/a.png",
        "https://example.com\\@evil.example/a.png",
        "https://example.com/a b.png",
        'https://example.com/"onload="x',
        "https://example.com/<script>",
        "https://ex\u00e4mple.com/a.png",
        "https://example.com/\u00e9.png",
        "https://example.com:port/a.png",
        "https://example.com/a.png\n",
        "https://example.com/" + "x" * 2029,
    ],
)
def test_picture_must_be_https_url(picture: str) -> None:
    found = read(picture=picture)

    assert found == ({"picture_url": picture.strip()} if picture.endswith("\n") else {})


def test_picture_length_limit_is_inclusive() -> None:
    url = "https://example.com/" + "x" * 2028

    assert len(url) == 2048
    assert read(picture=url) == {"picture_url": url}


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"role": "editor"}, "editor"),
        ({"roles": ["editor", "admin"]}, "editor"),
        ({"roles": "editor"}, "editor"),
        ({"role": ["editor"]}, "editor"),
        ({"role": 1, "roles": [1, "", "editor"]}, "editor"),
        ({"role": "editor", "roles": ["admin"]}, "editor"),
    ],
)
def test_role_is_first_text(claims: dict[str, object], role: str) -> None:
    assert read(**claims) == {"role": role}


@pytest.mark.parametrize("name", ["x" * 5000, "\U0001f600" * 500, "\u00e9" * 500, '"' * 500])
@pytest.mark.parametrize("claim", ["given_name", "family_name", "preferred_username"])
def test_long_name_is_cut(claim: str, name: str) -> None:
    (cut,) = read(**{claim: name}).values()

    assert name.startswith(cut)
    assert 370 <= len(json.dumps(cut)) <= 482


@pytest.mark.parametrize("seconds", [0, LATEST])
def test_last_login_accepts_possible_time(seconds: int) -> None:
    assert read(auth_time=seconds) == {"last_login": seconds}


@pytest.mark.parametrize("seconds", [-1, LATEST + 1, True, "1700000000", 1.7e9, 10**400])
def test_last_login_ignores_impossible_time(seconds: object) -> None:
    assert read(auth_time=seconds) == {}


def test_longest_identity_fits_limit() -> None:
    longest = read_identity(
        {
            **dict.fromkeys(("given_name", "family_name", "preferred_username"), "x" * 9000),
            "email": "x" * 308 + "@example.com",
            "email_verified": False,
            "phone_number": "1" * 64,
            "picture": "https://example.com/" + "x" * 2028,
            "role": "x" * 96,
            "auth_time": LATEST,
        }
    )

    assert len(json.loads(longest)) == 9
    assert 4000 < len(longest) <= MAX_IDENTITY


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"nickname": "ada", "preferred_username": "lovelace"}, {"username": "lovelace"}),
        ({"nickname": "ada", "preferred_username": 1}, {"username": "ada"}),
        ({"data": {"picture": {"url": "https://example.com/a.png"}}}, {"picture_url": "https://example.com/a.png"}),
        ({"data.picture.url": "x", "data": {"picture": {"url": "https://example.com/a.png"}}}, {}),
        ({"data": {"picture": "https://example.com/a.png"}}, {}),
        ({"data": ["picture"]}, {}),
        ({"https://example.com/email": "ada@example.com"}, {"email": "ada@example.com"}),
        ({"email": "ada@example.com"}, {}),
    ],
)
def test_fields_are_read_from_chosen_claims(claims: dict[str, object], found: dict[str, object]) -> None:
    names = {
        **IDENTITY_CLAIMS,
        "username": ("preferred_username", "nickname"),
        "picture_url": ("data.picture.url",),
        "email": ("https://example.com/email",),
    }

    assert json.loads(read_identity(claims, names)) == found


@given(
    st.dictionaries(
        st.sampled_from(CLAIMS),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3000), st.lists, max_leaves=3),
    )
)
def test_random_claims_give_object_within_limit(claims: dict[str, object]) -> None:
    identity = read_identity(claims)

    assert isinstance(json.loads(identity), dict)
    assert len(identity.encode("ascii")) <= MAX_IDENTITY
