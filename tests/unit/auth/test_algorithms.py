"""The table of signature algorithms."""

import pytest

from profile_media.auth.algorithms import ALGORITHMS
from tests.tokens import PrivateKey, a_jwk, an_ec_key, an_rsa_key, sign

KEYS: dict[str, PrivateKey] = {"RS256": an_rsa_key(), "ES256": an_ec_key()}
MESSAGE = b"header.claims"


def test_every_algorithm_is_tested_here() -> None:
    assert ALGORITHMS.keys() == KEYS.keys()


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("other", KEYS)
def test_algorithm_verifies_only_with_key_of_its_own_type(name: str, other: str) -> None:
    public = ALGORITHMS[other].load(a_jwk(KEYS[other]))
    verdicts = [ALGORITHMS[name].verifies(public, MESSAGE, sign(key, MESSAGE)) for key in KEYS.values()]
    assert verdicts == [name == other == signer for signer in KEYS]
