"""The table of signature algorithms."""

import pytest

from profile_media.auth.algorithms import ALGORITHMS
from tests.tokens import KEYS, a_jwk, sign

MESSAGE = b"header.claims"


def test_every_algorithm_is_tested_here() -> None:
    assert ALGORITHMS.keys() == KEYS.keys()
    assert not any(name.startswith("HS") or name.lower() == "none" for name in ALGORITHMS)


@pytest.mark.parametrize("name", KEYS)
def test_algorithm_verifies_only_its_own_signatures(name: str) -> None:
    public = ALGORITHMS[name].load(a_jwk(KEYS[name]()))

    verified = {
        other for other in KEYS if ALGORITHMS[name].verifies(public, MESSAGE, sign(KEYS[other](), MESSAGE, other))
    }

    assert verified == {name}


@pytest.mark.parametrize("name", KEYS)
def test_algorithm_refuses_keys_of_other_types(name: str) -> None:
    signature = sign(KEYS[name](), MESSAGE, name)
    others = [ALGORITHMS[other].load(a_jwk(KEYS[other]())) for other in KEYS if KEYS[other] is not KEYS[name]]

    assert not any(ALGORITHMS[name].verifies(public, MESSAGE, signature) for public in others)


@pytest.mark.parametrize("name", KEYS)
def test_algorithm_fits_keys_of_its_type_and_curve(name: str) -> None:
    assert {other for other in KEYS if ALGORITHMS[name].fits(a_jwk(KEYS[other]()))} == {
        other for other in KEYS if KEYS[other] is KEYS[name]
    }
