"""Object keys: built from checked components, parsed back strictly."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_media.domain import keys
from tests.builders import ADA, a_derivative, an_id

subjects = st.text(min_size=1, max_size=80).filter(lambda text: not re.search("[\ud800-\udfff]", text))


@given(subjects)
def test_incoming_key_round_trip(owner_id: str) -> None:
    key = keys.incoming_key(owner_id, an_id(1))
    assert re.fullmatch(r"incoming/[A-Za-z0-9_-]+/[0-9a-f-]{36}", key)
    assert keys.parse_incoming_key(key) == (owner_id, an_id(1))


@given(subjects, subjects)
def test_encoded_owners_are_distinct(one: str, other: str) -> None:
    assert (keys.encode_owner(one) == keys.encode_owner(other)) == (one == other)


@given(st.text())
def test_parsed_key_is_built_again_from_its_parts(text: str) -> None:
    parsed = keys.parse_incoming_key(text)
    assert parsed is None or keys.incoming_key(*parsed) == text


@pytest.mark.parametrize(
    "key",
    [
        "",
        "incoming/",
        f"incoming/YXV0aDB8YWRh/{an_id(1)}/",
        f"incoming/YXV0aDB8YWRh/{an_id(1)}\n",
        f"/incoming/YXV0aDB8YWRh/{an_id(1)}",
        f"incoming/YXV0aDB8YWRh=/{an_id(1)}",
        f"incoming/YXV0aDB8YWRh/{an_id(0xABC).upper()}",
        f"incoming/YXV0aDB8YWRh/{an_id(1).replace('-4', '-1')}",
        f"incoming/_____/{an_id(1)}",
        f"incoming/YXV0aDB8YWS/{an_id(1)}",
        f"media/{an_id(1)}/full-{'0' * 32}.webp",
    ],
)
def test_foreign_keys_are_not_parsed(key: str) -> None:
    assert keys.parse_incoming_key(key) is None


def test_media_key_contains_the_digest() -> None:
    derivative = a_derivative(content=b"webp")
    key = keys.media_key(an_id(1), derivative)
    assert key == f"media/{an_id(1)}/full-{keys.digest(b'webp')}.webp"
    assert key.startswith(keys.media_prefixes(an_id(1)))
    assert keys.parse_media_key(key) == an_id(1)


def test_master_is_outside_of_what_the_distribution_may_read() -> None:
    master = a_derivative(name="master", content=b"webp")
    key, former = keys.possible_keys(an_id(1), master)
    assert keys.media_key(an_id(1), master) == key == f"masters/{an_id(1)}/master-{keys.digest(b'webp')}.webp"
    assert former == f"media/{an_id(1)}/master-{keys.digest(b'webp')}.webp"
    assert {keys.parse_media_key(each) for each in (key, former)} == {an_id(1)}
    assert keys.possible_keys(an_id(1), a_derivative()) == (keys.media_key(an_id(1), a_derivative()),)


def test_positions_order_objects_of_all_prefixes_by_upload() -> None:
    stored = [keys.media_key(an_id(n), a_derivative(name=name)) for n in (1, 2) for name in ("icon", "master", "thumb")]
    assert sorted(sorted(stored), key=keys.position) == stored
    assert keys.position(stored[2]) < keys.end_position(an_id(1)) <= keys.first_position(an_id(2))
    assert keys.first_position(an_id(2)) < keys.position(stored[3])


@pytest.mark.parametrize(
    "change", [{"name": "../x"}, {"name": ""}, {"digest": "0" * 31}, {"digest": "../" * 10 + "ab"}]
)
def test_component_outside_its_alphabet_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a key component"):
        keys.media_key(an_id(1), a_derivative(**change))


@pytest.mark.parametrize("upload_id", ["", "../x", an_id(1) + "/", an_id(0xABC).upper(), "*"])
def test_prefix_matches_one_upload_only(upload_id: str) -> None:
    with pytest.raises(ValueError, match="not a key component"):
        keys.media_prefixes(upload_id)
    with pytest.raises(ValueError, match="not a key component"):
        keys.incoming_key(ADA, upload_id)
