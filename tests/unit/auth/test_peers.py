"""Our verdict on generated tokens, compared with PyJWT's and joserfc's: what we accept, both libraries accept.

Tokens start as good ones and get up to three changes, so that a fair share of them stays acceptable. All verifiers have
the same key set, issuer, audience and leeway. The opposite does not hold: we refuse more on purpose.
"""

import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import joserfc.errors
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt
from joserfc.jws import JWSRegistry

from profile_media.auth.cache import JwksCache
from profile_media.auth.policy import LEEWAY_SECONDS, TokenPolicy, TokenRefused
from profile_media.auth.tokens import MAX_TOKEN, TokenVerifier
from tests.tokens import (
    ABSENT,
    AUDIENCE,
    EC_KID,
    ISSUER,
    KEYS,
    RSA_KID,
    PrivateKey,
    a_jwk,
    a_jwks,
    a_p384_key,
    a_p521_key,
    an_ec_key,
    an_ed25519_key,
    an_rsa_key,
    base64url,
    claims_of,
    header_of,
    sign,
)

pytestmark = [
    pytest.mark.disable_socket,
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),  # joserfc prefers RFC 9864, which issuers do not use yet
]

ALGORITHMS = (*KEYS,)
REQUIRED = ("exp", "iss", "aud", "sub")
WITHOUT_ALG = ("rsa", "ec", "p384", "p521", "ed25519")
"""Ids of keys that any algorithm of their type and curve may be used with."""


@dataclass(frozen=True)
class Draft:
    """A token before it is signed and spelled."""

    key: PrivateKey = field(default_factory=an_rsa_key)
    header: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    sign: Callable[[PrivateKey, bytes], bytes] = sign
    spell: Callable[[str], str] = str

    def token(self) -> str:
        """Sign the header and the claims, and spell the whole."""
        header, claims = header_of(self.key, self.header), claims_of(self.claims)
        parts = [base64url(json.dumps(part).encode()) for part in (header, claims)]
        signed = ".".join(parts)
        return self.spell(f"{signed}.{base64url(self.sign(self.key, signed.encode()))}")


type Change = Callable[[Draft], Draft]


@cache
def key_set() -> bytes:
    """Publish the two usual keys, a key for each algorithm, and keys without `alg`."""
    bound = [a_jwk(make(), kid=algorithm, alg=algorithm) for algorithm, make in KEYS.items()]
    makers: tuple[Callable[[], PrivateKey], ...] = (an_rsa_key, an_ec_key, a_p384_key, a_p521_key, an_ed25519_key)
    free = [a_jwk(make(), kid=kid, alg=ABSENT) for kid, make in zip(WITHOUT_ALG, makers, strict=True)]
    return a_jwks(a_jwk(), a_jwk(an_ec_key()), *bound, *free)


def header(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Change]:
    return values.map(lambda value: lambda draft: replace(draft, header={**draft.header, name: value}))


def claim(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Change]:
    return values.map(lambda value: lambda draft: replace(draft, claims={**draft.claims, name: value}))


def signed_by(draw_key: Callable[[], PrivateKey], kid: str) -> Change:
    return lambda draft: replace(draft, key=draw_key(), header={**draft.header, "kid": kid})


def signed_with(algorithm: str, kid: str) -> Change:
    return lambda draft: replace(
        draft,
        key=KEYS[algorithm](),
        header={**draft.header, "alg": algorithm, "kid": kid},
        sign=lambda key, message: sign(key, message, algorithm if key is KEYS[algorithm]() else ""),
    )


def signature(change: Callable[[bytes], bytes]) -> Change:
    return lambda draft: replace(draft, sign=lambda key, message: change(sign(key, message)))


def spelling(change: Callable[[str], str]) -> Change:
    return lambda draft: replace(draft, spell=change)


def der(key: PrivateKey, message: bytes) -> bytes:
    """Sign in the encoding that TLS uses, which JOSE forbids."""
    raw = sign(key, message)
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))


def hmac_of_public_key(key: PrivateKey, message: bytes) -> bytes:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hmac.new(pem, message, hashlib.sha256).digest()


def times_near_now() -> st.SearchStrategy[Any]:
    """Return times around now, some with fractions. PyJWT has its own clock, so the leeway's ends are left out."""
    ends = (-LEEWAY_SECONDS, LEEWAY_SECONDS)
    offsets = st.integers(-100, 100) | st.integers(-(10**7), 10**7)
    clear = offsets.filter(lambda offset: all(abs(offset - end) > 10 for end in ends))
    return st.builds(lambda offset, fraction: int(time.time()) + offset + fraction, clear, st.sampled_from((0, 0.5)))


ODD: st.SearchStrategy[Any] = st.sampled_from(
    (ABSENT, None, True, False, "", 0, -1, 1.5, [], {}, "1900000000", 10**12, 10**400, float("nan"), float("inf"))
)
TIMES = times_near_now() | ODD
TEXTS = st.text(max_size=8) | ODD
CHANGES: st.SearchStrategy[Change] = st.one_of(
    header("alg", st.sampled_from((*ALGORITHMS, "none", "None", "HS256", "ES256K", "Ed448", "rs256", "")) | ODD),
    header("kid", st.sampled_from((RSA_KID, EC_KID, *KEYS, *WITHOUT_ALG, "other", "../x")) | TEXTS),
    header("typ", st.sampled_from(("JWT", "jwt", "at+jwt", "application/at+jwt", "dpop+jwt")) | TEXTS),
    st.builds(signed_with, st.sampled_from(ALGORITHMS), st.sampled_from((*KEYS, *WITHOUT_ALG))),
    header("crit", st.sampled_from((["exp"], ["b64"], [])) | ODD),
    header("b64", st.booleans()),
    header("jwk", st.just(a_jwk(an_rsa_key("other")))),
    *(claim(name, TIMES) for name in ("exp", "iat", "nbf")),
    claim("iss", st.sampled_from((ISSUER, ISSUER[:-1], [ISSUER], ISSUER.upper())) | TEXTS),
    claim("aud", st.sampled_from(([AUDIENCE], ["x", AUDIENCE], [AUDIENCE, 1], "x", AUDIENCE + "/")) | TEXTS),
    claim("sub", st.text(max_size=300) | ODD),
    claim("jti", TEXTS),
    st.sampled_from(
        (
            signed_by(an_rsa_key, RSA_KID),
            signed_by(an_ec_key, EC_KID),
            signed_by(an_ec_key, "ec"),
            signed_by(a_p384_key, "p384"),
            signed_by(lambda: an_rsa_key("other"), RSA_KID),
            signed_by(lambda: an_ec_key("other"), EC_KID),
            signature(lambda raw: b""),
            signature(lambda raw: raw[:-1]),
            signature(lambda raw: raw + b"\0"),
            signature(lambda raw: bytes([raw[0] ^ 1]) + raw[1:]),
            signature(lambda raw: bytes(len(raw))),
            signature(lambda raw: raw[len(raw) // 2 :] + raw[: len(raw) // 2]),
            lambda draft: replace(draft, sign=der) if isinstance(draft.key, EllipticCurvePrivateKey) else draft,
            lambda draft: replace(draft, sign=hmac_of_public_key, header={**draft.header, "alg": "HS256"}),
            spelling(lambda token: token + "="),
            spelling(lambda token: token + "\n"),
            spelling(lambda token: token + "."),
            spelling(lambda token: " " + token),
            spelling(lambda token: token.replace(".", "=.", 1)),
            spelling(lambda token: token.replace(".", "..", 1)),
            spelling(lambda token: token.replace("_", "/").replace("-", "+")),
            spelling(lambda token: token.rpartition(".")[0] + "."),
            spelling(lambda token: token.rpartition(".")[0]),
        )
    ),
)


def test_token_that_we_accept_is_accepted_by_pyjwt_and_joserfc() -> None:
    verdicts: Counter[bool] = Counter()
    algorithms = set()

    @settings(max_examples=1_500, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(ALGORITHMS), st.lists(CHANGES, max_size=3))
    def compare(algorithm: str, changes: list[Change]) -> None:
        draft = signed_with(algorithm, algorithm)(Draft())
        for change in changes:
            draft = change(draft)
        token = draft.token()
        accepted = is_accepted_here(token)
        verdicts[accepted] += 1
        if accepted:
            algorithms.add(jwt.get_unverified_header(token)["alg"])
            accept_with_pyjwt(token)
            accept_with_joserfc(token)

    compare()

    assert algorithms == set(ALGORITHMS)
    assert min(verdicts[True], verdicts[False]) > verdicts.total() / 10


def is_accepted_here(token: str) -> bool:
    try:
        TokenVerifier(JwksCache(key_set), TokenPolicy(ISSUER, (AUDIENCE,))).verify(token)
    except TokenRefused:
        return False
    return True


def accept_with_pyjwt(token: str) -> None:
    """Raise unless PyJWT accepts the token."""
    jwt.decode(
        token,
        _pyjwt_key(jwt.get_unverified_header(token)),
        algorithms=ALGORITHMS,
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=LEEWAY_SECONDS,
        options={"require": [*REQUIRED]},
    )


def _pyjwt_key(head: Mapping[str, str]) -> jwt.PyJWK:
    """Return the key for the header. PyJWT binds a key without `alg` to one algorithm of its type by itself."""
    (found,) = (key for key in json.loads(key_set())["keys"] if key["kid"] == head["kid"])
    return jwt.PyJWK({"alg": head["alg"], **found})


def accept_with_joserfc(token: str) -> None:
    """Raise unless joserfc accepts the token."""
    keys = joserfc_jwk.KeySet.import_key_set(json.loads(key_set()))
    registry = JWSRegistry(algorithms=ALGORITHMS)
    registry.max_header_length = MAX_TOKEN  # its default of 512 bytes is about memory, not trust
    decoded = joserfc_jwt.decode(token, keys, registry=registry)
    checks: dict[str, Any] = {name: {"essential": True} for name in REQUIRED}
    checks |= {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": AUDIENCE}}
    joserfc_jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **checks).validate(decoded.claims)


@pytest.mark.parametrize("accept", [accept_with_pyjwt, accept_with_joserfc])
@pytest.mark.parametrize(
    "change",
    [signature(lambda raw: bytes(len(raw))), lambda draft: replace(draft, claims={"exp": 1})],
    ids=["signature", "expired"],
)
def test_peer_refuses_bad_token(accept: Callable[[str], None], change: Change) -> None:
    """Guard the comparison: a peer that accepts everything would prove nothing."""
    with pytest.raises((jwt.PyJWTError, joserfc.errors.JoseError)):
        accept(change(Draft()).token())
