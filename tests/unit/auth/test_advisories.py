"""Published vulnerabilities of JWT libraries, tested against this service's own check."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from profile_media.auth.cache import COOLDOWN_SECONDS, JwksCache
from profile_media.auth.fetch import fetch, parse_endpoint
from profile_media.auth.key_set import JwksUnavailable, parse_key_set
from profile_media.auth.policy import Refusal, TokenPolicy, TokenRefused
from profile_media.auth.tokens import TokenVerifier
from tests.tokens import (
    AUDIENCE,
    EC_KID,
    ISSUER,
    LOOPBACK,
    RSA_KID,
    SUBJECT,
    a_jwk,
    a_jwks,
    a_raw_token,
    a_token,
    an_ec_key,
    an_hmac_token,
    an_issuer,
    an_rsa_key,
    answering,
    base64url,
    claims_of,
    header_of,
)

NOW = 1_800_000_000
token = partial(a_token, now=NOW)


def a_verifier(fetched: Callable[[], bytes] = a_jwks, issuer: str = ISSUER) -> TokenVerifier:
    return TokenVerifier(JwksCache(fetched, lambda: NOW), TokenPolicy(issuer, (AUDIENCE,)), lambda: NOW)


def ssh_key() -> bytes:
    return an_rsa_key().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def pem(kind: PublicFormat) -> bytes:
    return an_rsa_key().public_key().public_bytes(Encoding.PEM, kind)


def detached(claims: str) -> str:
    """Build a token whose header says that its payload is not encoded."""
    header = json.dumps(header_of(an_rsa_key(), {"b64": False, "crit": ["b64"]}))
    good = a_raw_token(header, "{}").split(".")
    return f"{good[0]}.{claims}.{good[2]}"


def nested(levels: int) -> str:
    """Build a signed token that nests as deeply as its length allows."""
    return a_raw_token(
        json.dumps(header_of(an_rsa_key())), json.dumps(claims_of(now=NOW))[:-1] + ', "x": ' + "[" * levels
    )


TOKENS: dict[str, tuple[Callable[[], str], Refusal]] = {
    "CVE-2015-9235: alg none": (lambda: token(header={"alg": "none"}).rpartition(".")[0] + ".", Refusal.ALGORITHM),
    "CVE-2017-11424: PKCS1 PEM as a secret": (
        lambda: an_hmac_token(pem(PublicFormat.PKCS1), now=NOW),
        Refusal.ALGORITHM,
    ),
    "CVE-2022-29217: ssh-rsa key as a secret": (lambda: an_hmac_token(ssh_key(), now=NOW), Refusal.ALGORITHM),
    "CVE-2022-29217: for an EC key": (
        lambda: an_hmac_token(
            an_ec_key().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH), EC_KID, now=NOW
        ),
        Refusal.ALGORITHM,
    ),
    "CVE-2024-53861: an issuer within ours": (lambda: token(iss=ISSUER[8:-1]), Refusal.ISSUER),
    "CVE-2024-53861: ours within an issuer": (lambda: token(iss=f"_{ISSUER}_"), Refusal.ISSUER),
    "CVE-2024-53861: issuers in a list": (lambda: token(iss=[ISSUER]), Refusal.ISSUER),
    "CVE-2026-32597: unknown critical header": (
        lambda: token(header={"crit": ["x-mfa"], "x-mfa": 1}),
        Refusal.CRITICAL,
    ),
    "CVE-2026-32597: empty critical header": (lambda: token(header={"crit": []}), Refusal.CRITICAL),
    "CVE-2026-48523: RS512 over an RS256 key": (lambda: token(header={"alg": "RS512"}), Refusal.ALGORITHM),
    "CVE-2026-48523: ES256 over an RSA key": (lambda: token(an_ec_key(), header={"kid": RSA_KID}), Refusal.ALGORITHM),
    "CVE-2026-48523: RS256 over an EC key": (lambda: token(an_rsa_key(), header={"kid": EC_KID}), Refusal.ALGORITHM),
    "CVE-2026-48525: payload that is not encoded": (lambda: detached("A" * 4000), Refusal.MALFORMED),
    "CVE-2026-48525: payload beyond any header": (lambda: detached("A" * 2**20), Refusal.TOO_LONG),
    "CVE-2026-48526: JWK as a secret": (
        lambda: an_hmac_token(json.dumps(a_jwk()).encode(), now=NOW),
        Refusal.ALGORITHM,
    ),
    "CVE-2026-102272 to -102275: nested without end": (lambda: nested(4_500), Refusal.MALFORMED),
    "CVE-2026-102272 to -102275: a header nested without end": (
        lambda: a_raw_token('{"alg": ' + "[" * 5_000, "{}"),
        Refusal.MALFORMED,
    ),
    "CVE-2026-102272 to -102275: padded as one load balancer does": (
        lambda: ".".join(part + "=" * (-len(part) % 4) for part in token(an_ec_key()).split(".")),
        Refusal.MALFORMED,
    ),
}


@pytest.mark.parametrize("name", TOKENS)
def test_token_of_advisory_is_refused(name: str) -> None:
    make, refusal = TOKENS[name]
    verifier = a_verifier()
    assert verifier.verify(token()).sub == SUBJECT

    with pytest.raises(TokenRefused) as refused:
        verifier.verify(make())

    assert refused.value.refusal == refusal


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://issuer.example.com/jwks",
        "data:application/json,{}",
        "FILE:///a",
        "jar:https://a/!/b",
    ],
)
def test_cve_2026_48522_key_set_url_with_other_scheme_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="key set"):
        parse_endpoint(url, allow_loopback=True)


def test_cve_2026_48524_unknown_key_ids_neither_flood_issuer_nor_evict_keys() -> None:
    fetches: list[float] = []
    clock = [float(NOW)]

    def fetched() -> bytes:
        fetches.append(clock[0])
        if len(fetches) > 1:
            raise JwksUnavailable("status 429")
        return a_jwks()

    jwks = JwksCache(fetched, lambda: clock[0])
    for number in range(1000):
        assert jwks.find(f"random-{number}") is None
        assert jwks.find(RSA_KID)
        clock[0] += 0.5

    assert all(later - earlier >= COOLDOWN_SECONDS for earlier, later in pairwise(fetches))
    assert len(fetches) == 1 + 499.5 // COOLDOWN_SECONDS


@pytest.mark.enable_socket
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_cve_2026_102267_redirect_is_not_followed(status: int) -> None:
    with an_issuer(answering(a_jwks())) as (elsewhere, asked):
        for location in (f"http://{LOOPBACK}:{elsewhere.port}/", "file:///etc/passwd", "http://169.254.169.254/"):
            with (
                an_issuer(answering(a_jwks(), status, Location=location)) as (endpoint, _),
                pytest.raises(JwksUnavailable, match=f"status {status}"),
            ):
                fetch(endpoint, 10)
    assert asked == []


RSA_FIELDS: tuple[object, ...] = (
    "",
    "AA",
    "AQ",
    "A",
    "====",
    "AQAB",
    0,
    1,
    None,
    True,
    [],
    {},
    "\u00e9",
    "A" * 60_000,
    base64url(bytes(256)),
)


def test_cve_2026_102274_malformed_rsa_key_is_skipped_alone() -> None:
    good = a_jwk(an_ec_key())
    for field in ("n", "e", "kty"):
        for value in RSA_FIELDS:
            if (field, value) == ("e", "AQAB"):  # which is right
                continue
            assert parse_key_set(a_jwks(a_jwk(**{field: value}), good)).keys() == {EC_KID}, (field, value)


def test_largest_rsa_key_stays_within_cpu_budget() -> None:
    began = time.thread_time()
    for modulus in (2**8191 + 1, 2**400_000 + 1):
        with suppress(JwksUnavailable):
            parse_key_set(a_jwks(a_jwk(n=base64url(modulus.to_bytes(modulus.bit_length() // 8 + 1)))))
    took = time.thread_time() - began
    assert took < 0.5
