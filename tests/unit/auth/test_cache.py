"""The cached key set: when it is fetched again, and how long old keys are used."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from profile_media.auth.cache import COOLDOWN_SECONDS, FRESH_SECONDS, RETRY_SECONDS, STALE_SECONDS, JwksCache
from profile_media.auth.key_set import JwksUnavailable, Key
from tests.tokens import (
    EC_KID,
    RSA_KID,
    a_jwk,
    a_jwks,
    an_rsa_key,
)


class Clock:
    """A clock in seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Issuer:
    """Publishes a document or fails, and counts its requests."""

    def __init__(self, document: bytes | Exception | None = None) -> None:
        self.document = a_jwks() if document is None else document
        self.fetches = 0

    def fetch(self) -> bytes:
        self.fetches += 1
        if isinstance(self.document, Exception):
            raise self.document
        return self.document


def test_cache_fetches_once_while_fresh() -> None:
    issuer, clock = Issuer(), Clock()
    jwks = JwksCache(issuer.fetch, clock)

    for _ in range(100):
        assert jwks.find(RSA_KID)
        assert jwks.find(EC_KID)
    clock.now += FRESH_SECONDS - 1
    assert jwks.find(RSA_KID)
    assert issuer.fetches == 1

    clock.now += 1
    assert jwks.find(RSA_KID)
    assert issuer.fetches == 2


def test_cache_does_not_fetch_before_first_use() -> None:
    issuer = Issuer()

    JwksCache(issuer.fetch)

    assert issuer.fetches == 0


def test_cache_finds_new_key_and_drops_withdrawn_key() -> None:
    issuer, clock = Issuer(a_jwks(a_jwk(kid="old"))), Clock()
    jwks = JwksCache(issuer.fetch, clock)
    assert jwks.find("old")

    issuer.document = a_jwks(a_jwk(an_rsa_key("new"), kid="new"))
    clock.now += COOLDOWN_SECONDS

    assert jwks.find("old")  # still fresh, so nobody asked
    assert jwks.find("new") == Key(("RS256",), an_rsa_key("new").public_key())
    assert jwks.find("old") is None
    assert issuer.fetches == 2


def test_unknown_ids_cause_one_fetch_per_cooldown() -> None:
    issuer, clock = Issuer(), Clock()
    jwks = JwksCache(issuer.fetch, clock)

    for number in range(1000):
        assert jwks.find(f"random-{number}") is None
        clock.now += 0.1

    assert issuer.fetches == 4  # at 0, 30, 60 and 90 of a hundred seconds
    assert jwks.find(RSA_KID)


def test_failing_issuer_is_asked_once_per_second_without_copy() -> None:
    issuer, clock = Issuer(JwksUnavailable("status 500")), Clock()
    jwks = JwksCache(issuer.fetch, clock)

    for _ in range(8):
        with pytest.raises(JwksUnavailable, match="status 500"):
            jwks.find(RSA_KID)
        clock.now += RETRY_SECONDS / 8
    assert issuer.fetches == 1

    issuer.document = a_jwks()
    assert jwks.find(RSA_KID)
    assert issuer.fetches == 2


@pytest.mark.parametrize("trouble", [JwksUnavailable("timeout"), b"<html>", b'{"keys": 1}'])
def test_stale_keys_are_used_for_an_hour_while_issuer_fails(trouble: bytes | Exception) -> None:
    issuer, clock, warnings = Issuer(), Clock(), list[JwksUnavailable]()
    jwks = JwksCache(issuer.fetch, clock, warnings.append)
    assert jwks.find(RSA_KID)
    issuer.document = trouble

    clock.now += FRESH_SECONDS
    assert jwks.find(RSA_KID)
    assert jwks.find("unknown") is None
    assert len(warnings) == 1

    clock.now += STALE_SECONDS - FRESH_SECONDS - 1
    assert jwks.find(RSA_KID)
    assert len(warnings) == 2

    clock.now += 1
    with pytest.raises(JwksUnavailable):
        jwks.find(RSA_KID)
    with pytest.raises(JwksUnavailable):
        jwks.find("unknown")
    assert len(warnings) == 2

    issuer.document = a_jwks()
    clock.now += COOLDOWN_SECONDS
    assert jwks.find(RSA_KID)


def test_empty_key_set_withdraws_all_keys() -> None:
    issuer, clock = Issuer(), Clock()
    jwks = JwksCache(issuer.fetch, clock)
    assert jwks.find(RSA_KID)

    issuer.document = b'{"keys": []}'
    clock.now += FRESH_SECONDS

    assert jwks.find(RSA_KID) is None


def test_clock_set_back_does_not_extend_old_keys() -> None:
    issuer, clock = Issuer(), Clock()
    jwks = JwksCache(issuer.fetch, clock)
    assert jwks.find(RSA_KID)

    issuer.document = a_jwks(a_jwk(kid="new"))
    clock.now -= 86400

    assert jwks.find(RSA_KID) is None
    assert jwks.find("new")


def test_unexpected_error_in_fetch_is_raised() -> None:
    jwks = JwksCache(Issuer(ZeroDivisionError()).fetch, Clock())

    with pytest.raises(ZeroDivisionError):
        jwks.find(RSA_KID)


def test_concurrent_callers_share_one_fetch() -> None:
    issuer, answered = Issuer(), Event()

    def fetch_while_others_ask() -> bytes:
        assert not answered.wait(0.2)  # nobody gets an answer, of either kind, before the keys are here
        return issuer.fetch()

    jwks = JwksCache(fetch_while_others_ask, Clock())

    def ask(kid: str) -> object:
        try:
            return jwks.find(kid)
        finally:
            answered.set()

    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(ask, [RSA_KID, "unknown"] * 50))

    assert all(found[::2])
    assert not any(found[1::2])
    assert issuer.fetches == 1
