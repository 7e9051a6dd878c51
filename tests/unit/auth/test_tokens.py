"""The token check: a table of forged and faulty tokens, each refused for its own reason, and of good ones."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from math import ceil

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from profile_media.auth.cache import JwksCache
from profile_media.auth.key_set import JwksUnavailable
from profile_media.auth.policy import LEEWAY_SECONDS, NamedClaim, Refusal, TokenPolicy, TokenRefused, Verified
from profile_media.auth.tokens import MAX_TOKEN, TokenVerifier, bearer_token
from tests.tokens import (
    ABSENT,
    AUDIENCE,
    EC_KID,
    ISSUER,
    KEYS,
    RSA_KID,
    SUBJECT,
    PrivateKey,
    a_jwk,
    a_jwks,
    a_p384_key,
    a_raw_token,
    a_token,
    an_ec_key,
    an_hmac_token,
    an_rsa_key,
    base64url,
    claims_of,
    header_of,
    sign,
)

NOW = 1_800_000_000
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

pytestmark = [pytest.mark.disable_socket]

type Vector = tuple[str, Callable[[], str], Refusal]


class Issuer:
    """Publishes the usual two keys and counts its requests."""

    def __init__(self) -> None:
        self.fetches = 0

    def fetch(self) -> bytes:
        self.fetches += 1
        return a_jwks()


def a_verifier(issuer: Issuer | None = None, policy: TokenPolicy | None = None) -> TokenVerifier:
    """Build a verifier with a fixed clock."""
    keys = JwksCache((issuer or Issuer()).fetch, lambda: NOW)
    return TokenVerifier(keys, policy or TokenPolicy(ISSUER, (AUDIENCE,)), lambda: NOW)


def token(key: PrivateKey | None = None, header: Mapping[str, object] | None = None, /, **claims: object) -> str:
    """Build a token for the fixed clock."""
    return a_raw_token(
        json.dumps(header_of(key or an_rsa_key(), header or {})), json.dumps(claims_of(claims, NOW)), key
    )


def raw(header: str | None = None, claims: str | bytes | None = None) -> str:
    """Sign a header and claims given as text."""
    return a_raw_token(
        json.dumps(header_of(an_rsa_key())) if header is None else header,
        json.dumps(claims_of(now=NOW)) if claims is None else claims,
    )


def with_signature(make: Callable[[bytes], bytes], key: PrivateKey | None = None) -> str:
    """Build a good token with another kind of signature."""
    signed = token(key).rpartition(".")[0]
    return f"{signed}.{base64url(make(signed.encode()))}"


def with_claim_text(name: str, text: str) -> str:
    """Build a token with a claim as literal JSON."""
    return raw(claims=json.dumps(claims_of({name: "@"}, NOW)).replace('"@"', text))


def respelt(part: int, change: Callable[[str], str]) -> str:
    """Build a good token with one part spelled differently."""
    parts = token().split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def halves(signature: bytes) -> tuple[bytes, bytes]:
    """Split an ES256 signature into r and s."""
    return signature[:32], signature[32:]


def loosely_spelt() -> str:
    """Build a good ES256 token with left-over bits in its signature, which a lenient decoder ignores."""
    good = token(an_ec_key())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return good[:-1] + alphabet[alphabet.index(good[-1]) + 1]


def algorithms() -> Iterator[Vector]:
    """B1: algorithms that are not accepted, with a good signature or none."""
    wrong: tuple[object, ...] = (
        *("none", "None", "NONE", "nOnE", "", "rs256", "RS256 ", "RS384", "RS512", "PS256", "ES384", "ES512", "ES256K"),
        *("EdDSA", "HS256", "HS384", "HS512", "RSA-OAEP", "RS256\0", None, True, 256, ["RS256"], {"RS256": 1}, ABSENT),
    )
    for alg in wrong:
        yield f"alg {alg!r}", partial(token, None, {"alg": alg}), Refusal.ALGORITHM
    for none in ("none", "None", "NONE", "nOnE"):
        yield f"alg {none}, unsigned", partial(unsigned, none), Refusal.ALGORITHM


def unsigned(alg: str) -> str:
    """Build a good token without its signature."""
    return token(None, {"alg": alg}).rpartition(".")[0] + "."


def public_key_as_secret() -> Iterator[Vector]:
    """B2: HMAC with every encoding of the public key as the secret."""
    spellings: dict[str, Callable[[PrivateKey], bytes]] = {
        "SPKI PEM": lambda key: key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "SPKI DER": lambda key: key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "ssh": lambda key: key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "JWK": lambda key: json.dumps(a_jwk(key)).encode(),
        "bare JWK": lambda key: json.dumps(a_jwk(key), separators=(",", ":")).encode(),
        "key set": lambda key: a_jwks(),
        "nothing": lambda key: b"",
    }
    for name, spell in spellings.items():
        for ending in (b"", b"\n"):
            for kid, key in ((RSA_KID, an_rsa_key), (EC_KID, an_ec_key)):
                secret = spell(key()).strip() + ending
                label = f"HMAC with {name}{' and newline' if ending else ''} of {kid}"
                yield label, partial(an_hmac_token, secret, kid, now=NOW), Refusal.ALGORITHM
    for form in (Encoding.PEM, Encoding.DER):
        secret = an_rsa_key().public_key().public_bytes(form, PublicFormat.PKCS1)
        yield f"HMAC with PKCS1 {form}", partial(an_hmac_token, secret, now=NOW), Refusal.ALGORITHM
    yield "RS256 for the EC key", lambda: token(an_rsa_key(), {"kid": EC_KID}), Refusal.ALGORITHM
    yield "ES256 for the RSA key", lambda: token(an_ec_key(), {"kid": RSA_KID}), Refusal.ALGORITHM
    yield (
        "HMAC that says RS256",
        lambda: an_hmac_token(
            an_rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1), algorithm="RS256", now=NOW
        ),
        Refusal.SIGNATURE,
    )


def signatures() -> Iterator[Vector]:
    """Invalid signatures."""
    n = P256_ORDER.to_bytes(32)
    rsa, ec = an_rsa_key, an_ec_key
    made: dict[str, Callable[[], str]] = {
        "empty": lambda: with_signature(lambda _: b""),
        "zeros": lambda: with_signature(lambda _: bytes(256)),
        "ones": lambda: with_signature(lambda _: b"\xff" * 256),
        "cut": lambda: with_signature(lambda signed: sign(rsa(), signed)[:-1]),
        "longer": lambda: with_signature(lambda signed: b"\0" + sign(rsa(), signed)),
        "of other words": lambda: with_signature(lambda signed: sign(rsa(), signed + b" ")),
        "of another key": lambda: token(an_rsa_key("stranger")),
        "of a weak key": lambda: token(an_rsa_key("weak", 1024)),
        "PSS": lambda: with_signature(lambda signed: rsa().sign(signed, PSS(MGF1(SHA256()), 32), SHA256())),
        "SHA-512": lambda: with_signature(lambda signed: rsa().sign(signed, PKCS1v15(), SHA512())),
        "EC empty": lambda: with_signature(lambda _: b"", ec()),
        "EC zeros": lambda: with_signature(lambda _: bytes(64), ec()),
        "EC r = 0": lambda: with_signature(lambda signed: bytes(32) + sign(ec(), signed)[32:], ec()),
        "EC s = 0": lambda: with_signature(lambda signed: sign(ec(), signed)[:32] + bytes(32), ec()),
        "EC r = n": lambda: with_signature(lambda signed: n + sign(ec(), signed)[32:], ec()),
        "EC s = n": lambda: with_signature(lambda signed: sign(ec(), signed)[:32] + n, ec()),
        "EC r = s = n": lambda: with_signature(lambda _: n + n, ec()),
        "EC in DER": lambda: with_signature(lambda signed: ec().sign(signed, ECDSA(SHA256())), ec()),
        "EC cut": lambda: with_signature(lambda signed: sign(ec(), signed)[:-1], ec()),
        "EC longer": lambda: with_signature(lambda signed: sign(ec(), signed) + b"\0", ec()),
        "EC longer by a zero between": lambda: with_signature(
            lambda signed: b"\0".join(halves(sign(ec(), signed))), ec()
        ),
        "EC swapped": lambda: with_signature(lambda signed: sign(ec(), signed)[32:] + sign(ec(), signed)[:32], ec()),
        "EC of another key": lambda: token(an_ec_key("stranger")),
        "EC of another curve": lambda: token(a_p384_key(), {"alg": "ES256"}),
        "header changed": lambda: respelt(0, lambda _: base64url(json.dumps(header_of(rsa(), {"x": 1})).encode())),
        "claims changed": lambda: respelt(
            1, lambda _: base64url(json.dumps(claims_of({"sub": "mallory"}, NOW)).encode())
        ),
    }
    for name, make in made.items():
        yield f"signature {name}", make, Refusal.SIGNATURE


def keys_brought_along() -> Iterator[Vector]:
    """B3: headers that contain the key they are signed with, and invalid key ids."""
    stranger = an_rsa_key("stranger")
    certificate = stranger.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    brought: dict[str, object] = {
        "jwk": a_jwk(stranger),
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/cert.pem",
        "x5c": [base64url(certificate)],
    }
    for name, value in brought.items():
        for kid, refusal in ((RSA_KID, Refusal.SIGNATURE), ("evil", Refusal.UNKNOWN_KEY), (ABSENT, Refusal.KEY_ID)):
            label = f"{name} with kid {kid}"
            yield label, partial(token, stranger, {name: value, "kid": kid}), refusal
    for kid in ("../../../dev/null", "/dev/null", "https://evil.example/key", "RSA-1", "rsa-1/", "rsa-1="):
        yield f"kid {kid!r}", partial(token, None, {"kid": kid}), Refusal.UNKNOWN_KEY
    strange: tuple[object, ...] = (
        *("", "' OR 1=1 --", "rsa-1\0", "rsa-1\n", " rsa-1", "rsa-1|id", "$(id)", "rsa\u20101", "x" * 129, "x" * 5000),
        *(None, True, 1, ["rsa-1"], {"rsa-1": 1}, ABSENT),
    )
    for kid_like in strange:
        label = f"kid {repr(kid_like)[:20]} of {len(repr(kid_like))}"
        yield label, partial(token, None, {"kid": kid_like}), Refusal.KEY_ID


def headers() -> Iterator[Vector]:
    """B4 and B6: critical extensions, and tokens of another type."""
    demanded: tuple[object, ...] = (["b64"], ["exp"], ["typ", "alg"], [], None, "b64", {}, False)
    for crit in demanded:
        yield f"crit {crit!r}", partial(token, None, {"crit": crit, "b64": True}), Refusal.CRITICAL
    for b64 in (False, None, "true", 0):
        yield f"b64 {b64!r}", partial(token, None, {"b64": b64}), Refusal.CRITICAL
    for jti in (None, 1, ["id"]):
        yield f"jti {jti!r}", partial(token, jti=jti), Refusal.MALFORMED
    for typ in ("", "ID", "JWE", "dpop+jwt", "logout+jwt", "refresh", "JWT ", "at+jwt\0", None, 1, True, ["JWT"]):
        yield f"typ {typ!r}", partial(token, None, {"typ": typ}), Refusal.TYPE


def claims() -> Iterator[Vector]:
    """B5: missing and invalid claims."""
    for name in ("exp", "iss", "aud", "sub"):
        yield f"{name} absent", partial(token, **{name: ABSENT}), Refusal.CLAIM_MISSING
    yield "aud null", partial(token, aud=None), Refusal.CLAIM_MISSING
    wrong: dict[Refusal, dict[str, tuple[object, ...]]] = {
        Refusal.ISSUER: {
            "iss": (
                *(ISSUER[:-1], ISSUER + "x", "x" + ISSUER, ISSUER[8:], ISSUER.upper(), "", " " + ISSUER, ISSUER + "\0"),
                *(None, True, 1, [ISSUER], {ISSUER: 1}),
            )
        },
        Refusal.AUDIENCE: {
            "aud": (
                *(AUDIENCE[:-1], AUDIENCE + "/", "x" + AUDIENCE, AUDIENCE.upper(), "", f"{AUDIENCE} other"),
                *([], [AUDIENCE + "x"], [[AUDIENCE]], [AUDIENCE, 1], [AUDIENCE, None], {AUDIENCE: 1}, True, 1),
            )
        },
        Refusal.SUBJECT: {
            "sub": (
                *("", "a\0b", "a\nb", "a\rb", "a\x1b[31m", "a\x7f", "a\u2028b", "a\u202eb", "a\u200bb", "\ud800"),
                *("x" * 256, "\u00e9" * 128, None, True, 42, ["alice"], {"alice": 1}),
            )
        },
        Refusal.TIME_INVALID: {
            name: ("9999999999", "", True, False, -1, -0.5, [NOW], {}, None, NOW * 1000, 10**4000)
            for name in ("exp", "iat", "nbf")
        },
        Refusal.EXPIRED: {"exp": (NOW - LEEWAY_SECONDS, NOW - LEEWAY_SECONDS - 1, 0)},
        Refusal.NOT_YET_VALID: {"nbf": (NOW + LEEWAY_SECONDS + 1, NOW + 86400)},
        Refusal.ISSUED_LATER: {"iat": (NOW + LEEWAY_SECONDS + 1, NOW + 86400)},
    }
    for refusal, by_name in wrong.items():
        for name, values in by_name.items():
            for number, value in enumerate(values):
                label = f"{name} {number}: {ascii(value)[:30]}"
                yield label, partial(token, **{name: value}), refusal


def numbers() -> Iterator[Vector]:
    """Numbers that are not JSON, or no possible time."""
    for name in ("exp", "iat", "nbf"):
        for text, refusal in (
            ("1e400", Refusal.TIME_INVALID),
            ("3e11", Refusal.TIME_INVALID),
            ("NaN", Refusal.MALFORMED),
            ("Infinity", Refusal.MALFORMED),
            ("-Infinity", Refusal.MALFORMED),
            ("9" * 4400, Refusal.MALFORMED),
            ("01800000000", Refusal.MALFORMED),
        ):
            yield f"{name} {text[:12]}", partial(with_claim_text, name, text), refusal


def texts() -> Iterator[Vector]:
    """Malformed tokens: not a compact JWS, not canonical base64url, or ambiguous JSON."""
    usual = json.dumps(claims_of(now=NOW))
    head = json.dumps(header_of(an_rsa_key()))
    made: dict[str, Callable[[], str]] = {
        "empty": lambda: "",
        "one dot": lambda: ".",
        "two dots": lambda: "..",
        "three dots": lambda: "...",
        "words": lambda: "not.a.token",
        "without signature part": lambda: token().rpartition(".")[0],
        "with a fourth part": lambda: token() + ".",
        "with five parts": lambda: token() + ".AAAA.AAAA",
        "with a first empty part": lambda: "." + token(),
        "with a leading space": lambda: " " + token(),
        "with a trailing newline": lambda: token() + "\n",
        "with padding": lambda: token() + "==",
        "with a padded header": lambda: respelt(0, lambda part: part + "=="),
        "with the other alphabet": lambda: respelt(2, lambda part: "+/" + part[2:]),
        "with a letter outside it": lambda: respelt(1, lambda part: part[:4] + "!" + part[4:]),
        "with a space inside": lambda: respelt(1, lambda part: part[:4] + " " + part[4:]),
        "with a NUL inside": lambda: respelt(1, lambda part: part[:4] + "\0" + part[4:]),
        "with a letter that is not ASCII": lambda: respelt(2, lambda part: "\u00e9" + part),
        "with half a surrogate pair": lambda: respelt(2, lambda part: "\ud800" + part),
        "with bits that do not count": loosely_spelt,
        "without a header": lambda: respelt(0, lambda _: ""),
        "without claims": lambda: respelt(1, lambda _: ""),
        "with `alg` twice": lambda: raw(header=head.replace("{", '{"alg": "none", ', 1)),
        "with `kid` twice": lambda: raw(header=head.replace("{", '{"kid": "x", ', 1)),
        "with `kid` twice, escaped": lambda: raw(header=head.replace("{", '{"k\\u0069d": "x", ', 1)),
        "with `sub` twice": lambda: raw(claims=usual.replace("{", '{"sub": "mallory", ', 1)),
        "with `exp` twice": lambda: raw(claims=usual[:-1] + ', "exp": 9999999999}'),
        "with a name twice, deep inside": lambda: raw(claims=usual[:-1] + ', "x": [{"a": 1, "a": 1}]}'),
        "with NaN elsewhere": lambda: raw(claims=usual[:-1] + ', "x": NaN}'),
        "with claims that are a list": lambda: raw(claims=f"[{usual}]"),
        "with claims that are a text": lambda: raw(claims=json.dumps(usual)),
        "with claims that are a number": lambda: raw(claims="1"),
        "with claims that are null": lambda: raw(claims="null"),
        "with a header that is a list": lambda: raw(header=f"[{head}]"),
        "with a byte order mark": lambda: raw(claims=b"\xef\xbb\xbf" + usual.encode()),
        "in UTF-16": lambda: raw(claims=usual.encode("utf-16")),
        "in UTF-32": lambda: raw(claims=usual.encode("utf-32")),
        "in Latin-1": lambda: raw(claims=usual[:-1].encode() + b', "x": "\xe9"}'),
        "with more after the claims": lambda: raw(claims=usual + "{}"),
        "with single quotes": lambda: raw(claims=usual.replace('"', "'")),
        "with a comment": lambda: raw(claims=usual + "// "),
        "with a trailing comma": lambda: raw(claims=usual[:-1] + ",}"),
        "with a raw newline in a text": lambda: raw(claims=usual[:-1] + ', "x": "\n"}'),
        "nested without end": lambda: raw(claims="[" * 5000),
    }
    for name, make in made.items():
        refusal = Refusal.MALFORMED
        yield f"token {name}", make, refusal
    yield "token too long", lambda: token(x="x" * MAX_TOKEN), Refusal.TOO_LONG
    yield "token of a megabyte", lambda: "." * 2**20, Refusal.TOO_LONG


VECTORS = [
    pytest.param(make, refusal, id=name)
    for name, make, refusal in chain(
        algorithms(),
        public_key_as_secret(),
        signatures(),
        keys_brought_along(),
        headers(),
        claims(),
        numbers(),
        texts(),
    )
]


@pytest.mark.parametrize(("make", "refusal"), VECTORS)
def test_bad_token_is_refused_for_its_reason_without_fetch(make: Callable[[], str], refusal: Refusal) -> None:
    issuer = Issuer()
    verifier = a_verifier(issuer)
    verifier.verify(token())

    with pytest.raises(TokenRefused) as refused:
        verifier.verify(make())

    assert refused.value.refusal == refusal
    assert str(refused.value) == refusal.value
    assert issuer.fetches == 1


def test_every_refusal_has_vectors() -> None:
    covered = {vector.values[1] for vector in VECTORS}

    elsewhere = {
        Refusal.NOT_BEARER,
        Refusal.REQUIRED_CLAIM,
        Refusal.REFUSED_CLAIM,
        Refusal.TENANT,
    }  # those have tables of their own
    assert covered == set(Refusal) - elsewhere
    assert len(VECTORS) >= 120


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(token, id="RS256"),
        pytest.param(lambda: token(an_ec_key()), id="ES256"),
        pytest.param(lambda: token(None, {"typ": ABSENT}), id="no typ"),
        pytest.param(lambda: token(None, {"typ": "jwt"}), id="typ in lower case"),
        pytest.param(lambda: token(None, {"typ": "at+jwt"}), id="access token"),
        pytest.param(lambda: token(None, {"typ": "AT+JWT"}), id="access token in upper case"),
        pytest.param(lambda: token(None, {"typ": "application/at+jwt"}), id="access token by its whole type"),
        pytest.param(lambda: token(None, {"jku": "https://evil.example"}), id="jku is ignored"),
        pytest.param(lambda: token(None, {"jwk": a_jwk(an_rsa_key("stranger"))}), id="jwk is ignored"),
        pytest.param(lambda: token(aud=[AUDIENCE]), id="one audience in a list"),
        pytest.param(lambda: token(aud=["https://other.example", AUDIENCE]), id="two audiences"),
        pytest.param(lambda: token(exp=NOW + 1), id="expires in a second"),
        pytest.param(lambda: token(iat=NOW + LEEWAY_SECONDS), id="issued within the leeway"),
        pytest.param(lambda: token(exp=NOW - LEEWAY_SECONDS + 0.5), id="expires in half a second with the leeway"),
        pytest.param(lambda: token(exp=NOW + 0.25, iat=NOW - 0.5, nbf=NOW - 0.125), id="fractions of seconds"),
        pytest.param(lambda: with_claim_text("exp", "18.00000001e8"), id="exponent"),
        pytest.param(lambda: token(iat=ABSENT), id="no iat"),
        pytest.param(lambda: token(iat=0), id="issued long ago"),
        pytest.param(lambda: token(nbf=NOW + LEEWAY_SECONDS), id="starts within the leeway"),
        pytest.param(lambda: token(x={"nested": [1.5, None, True, "\u2028"]}), id="other claims"),
        pytest.param(lambda: raw(claims=json.dumps(claims_of(now=NOW), indent=2)), id="white space"),
    ],
)
def test_good_token_is_accepted(make: Callable[[], str]) -> None:
    assert a_verifier().verify(make()).sub == SUBJECT


@pytest.mark.parametrize(
    "subject", ["a", "x" * 255, "auth0|42", "Zo\u00eb", "\u4f60\u597d", "a b", "../../x", "\U0001f600", "$&'"]
)
def test_printable_subject_is_accepted(subject: str) -> None:
    assert a_verifier().verify(token(sub=subject)).sub == subject


def test_leeway_ends_on_the_second() -> None:
    expires = NOW - LEEWAY_SECONDS + 1

    assert a_verifier().verify(token(exp=expires)) == Verified(SUBJECT, NOW + 1, admin=False)


@pytest.mark.parametrize(("expires", "until"), [(NOW, NOW + 30), (NOW + 0.25, NOW + 31)])
def test_leeway_is_part_of_the_time_passed_on(expires: float, until: int) -> None:
    assert a_verifier().verify(token(exp=expires)).exp == until == ceil(expires) + LEEWAY_SECONDS


def test_token_length_limit_is_inclusive() -> None:
    fitting = max(
        (token(x="x" * size) for size in range(5600, 5900)), key=lambda one: (len(one) <= MAX_TOKEN, len(one))
    )

    assert MAX_TOKEN - 2 <= len(fitting) <= MAX_TOKEN
    assert a_verifier().verify(fitting).sub == SUBJECT


@pytest.mark.parametrize("algorithm", KEYS)
def test_token_signed_by_pyjwt_is_accepted(algorithm: str) -> None:
    pem = KEYS[algorithm]().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    published = a_jwks(a_jwk(KEYS[algorithm](), kid=algorithm, alg=algorithm))
    verifier = TokenVerifier(JwksCache(lambda: published, lambda: NOW), TokenPolicy(ISSUER, (AUDIENCE,)), lambda: NOW)

    signed = jwt.encode(claims_of(now=NOW), pem, algorithm, headers={"kid": algorithm})

    assert verifier.verify(signed).sub == SUBJECT


def test_token_signed_by_builders_is_accepted_by_pyjwt() -> None:
    for key in (an_rsa_key(), an_ec_key()):
        jwk = jwt.PyJWK(a_jwk(key))

        assert jwt.decode(a_token(key), jwk, algorithms=[jwk.algorithm_name], audience=AUDIENCE)["sub"] == SUBJECT


@pytest.mark.parametrize(
    "claim",
    ["id", "refresh", "Access", "access ", "access id", "", True, None, ["access"], {"access": 1}, ABSENT],
    ids=repr,
)
def test_token_without_required_claim_is_refused(claim: object) -> None:
    verifier = a_verifier(policy=TokenPolicy(ISSUER, (AUDIENCE,), required_claims=(NamedClaim("token_use", "access"),)))
    assert verifier.verify(token(token_use="access")).sub == SUBJECT

    with pytest.raises(TokenRefused, match=Refusal.REQUIRED_CLAIM):
        verifier.verify(token(token_use=claim))


@pytest.mark.parametrize(
    ("admin_claim", "claims", "admin"),
    [
        ("scope=media:admin", {"scope": "media:admin"}, True),
        ("scope=media:admin", {"scope": "openid media:admin email"}, True),
        ("scope=media:admin", {"scope": ["openid", "media:admin"]}, True),
        ("scope=media:admin", {"scope": "media:administrator"}, False),
        ("scope=media:admin", {"scope": "openid,media:admin"}, False),
        ("scope=media:admin", {"scope": "openid\tmedia:admin"}, False),
        ("scope=media:admin", {"scope": "MEDIA:ADMIN"}, False),
        ("scope=media:admin", {"scope": [["media:admin"]]}, False),
        ("scope=media:admin", {"scope": {"media:admin": True}}, False),
        ("scope=media:admin", {"scope": True}, False),
        ("scope=media:admin", {"scope": None}, False),
        ("scope=media:admin", {}, False),
        ("scope=media:admin", {"scp": "media:admin"}, False),
        ("is_admin=true", {"is_admin": True}, True),
        ("is_admin=true", {"is_admin": "true"}, True),
        ("is_admin=true", {"is_admin": 1}, False),
        ("is_admin=true", {"is_admin": "True"}, False),
        ("is_admin=false", {"is_admin": False}, False),
        ("https://example.com/roles=a=b", {"https://example.com/roles": ["a=b"]}, True),
        ("realm_access.roles=admin", {"realm_access": {"roles": ["admin"]}}, True),
        ("realm_access.roles=admin", {"realm_access": {"roles": "administrator"}}, False),
        ("realm_access.roles=admin", {"realm_access": "roles"}, False),
        ("realm_access.roles=admin", {"realm_access.roles": [], "realm_access": {"roles": ["admin"]}}, False),
        ("", {"scope": "media:admin"}, False),
        ("", {"": ""}, False),
    ],
)
def test_admin_claim_decides_who_is_administrator(admin_claim: str, claims: dict[str, object], admin: bool) -> None:
    verifier = a_verifier(policy=TokenPolicy(ISSUER, (AUDIENCE,), admin_claim=NamedClaim.parse(admin_claim)))

    assert verifier.verify(token(**claims)).admin is admin


@pytest.mark.parametrize("tenant", ["acme", "x" * 255, "Zo\u00eb & S\u00f6hne", "a/b|c"])
def test_printable_tenant_is_accepted(tenant: str) -> None:
    verifier = a_verifier(policy=TokenPolicy(ISSUER, (AUDIENCE,), tenant_claim="https://example.com/tenant"))

    assert verifier.verify(token(**{"https://example.com/tenant": tenant})).tenant == tenant


@pytest.mark.parametrize(
    "tenant",
    ["", "a\nb", "a\0", "\ud800", "x" * 256, "\u00e9" * 128, None, True, 1, ["acme"], {"acme": 1}, ABSENT],
    ids=lambda tenant: ascii(tenant)[:20],
)
def test_token_without_valid_tenant_is_refused_where_tenants_exist(tenant: object) -> None:
    verifier = a_verifier(policy=TokenPolicy(ISSUER, (AUDIENCE,), tenant_claim="org_id"))

    with pytest.raises(TokenRefused, match=Refusal.TENANT):
        verifier.verify(token(org_id=tenant))


def test_tenant_claim_is_ignored_where_no_tenants_exist() -> None:
    assert a_verifier().verify(token(tenant="acme", **{"": "acme"})).tenant is None


def test_malformed_identity_claim_is_ignored() -> None:
    verified = a_verifier().verify(token(email=["a@example.com"], given_name=1, family_name="Hopper", picture="x"))

    assert (verified.sub, verified.identity) == (SUBJECT, '{"last_name":"Hopper"}')


@pytest.mark.parametrize(
    "policy",
    [
        TokenPolicy("", (AUDIENCE,)),
        TokenPolicy(ISSUER, ()),
        TokenPolicy(ISSUER, ("",)),
        TokenPolicy(ISSUER, (AUDIENCE,), audience_claims=()),
        TokenPolicy("https://issuer.example.com/{tenantid}/", (AUDIENCE,)),
        TokenPolicy(ISSUER, (AUDIENCE,), issuer_tenants=("*",)),
    ],
)
def test_incomplete_policy_is_refused(policy: TokenPolicy) -> None:
    with pytest.raises(ValueError, match="needed"):
        a_verifier(policy=policy)


@pytest.mark.parametrize("text", ["scope", "=x", "scope=", "="])
def test_incomplete_named_claim_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name=value"):
        NamedClaim.parse(text)


def test_named_claim_value_may_contain_equals_sign() -> None:
    assert NamedClaim.parse("a=b=c") == NamedClaim("a", "b=c")


def test_missing_key_set_is_not_reported_as_bad_token() -> None:
    def fail() -> bytes:
        raise JwksUnavailable("timeout")

    verifier = TokenVerifier(JwksCache(fail), TokenPolicy(ISSUER, (AUDIENCE,)))

    with pytest.raises(JwksUnavailable, match="timeout"):
        verifier.verify(a_token())


@pytest.mark.parametrize("header", ["Bearer a.b-c_1.d", "bearer a.b-c_1.d", "BEARER a.b-c_1.d", "bEaReR a.b-c_1.d"])
def test_bearer_scheme_is_accepted_in_any_case(header: str) -> None:
    assert bearer_token(header) == "a.b-c_1.d"


@pytest.mark.parametrize(
    "header",
    [
        *("", " ", "Bearer", "Bearer ", "Bearer  a.b.c", " Bearer a.b.c", "Bearer a.b.c ", "Bearer\ta.b.c", "a.b.c"),
        *("Basic YTpi", "Digest a.b.c", "BearerToken a.b.c", "Bearera.b.c", "Bearer:a.b.c", "Token a.b.c", "JWT a.b.c"),
        *("Bearer a.b.c, Bearer d.e.f", "Bearer a.b.c,Bearer d.e.f", "Bearer a.b.c Bearer d.e.f", "Bearer a.b.c d.e.f"),
        *(
            "Bearer a.b.c\r\n",
            "Bearer a.b.c\n",
            "Bearer a.b.c\r\nX: y",
            "Bearer\r\n a.b.c",
            "Bearer a.\nb.c",
            "\nBearer a",
        ),
        *("Bearer a.b.c\0", "Bearer \u00e9", "Bearer\u00a0a.b.c", "Bearer a.b.c=", 'Bearer "a.b.c"', "Bearer a.b.c;"),
        *(None, 1, b"Bearer a.b.c", ["Bearer a.b.c"], {"Bearer": "a.b.c"}),
    ],
    ids=ascii,
)
def test_other_authorization_header_is_refused(header: object) -> None:
    with pytest.raises(TokenRefused, match=Refusal.NOT_BEARER):
        bearer_token(header)


def test_authorization_header_length_limit_is_inclusive() -> None:
    with pytest.raises(TokenRefused, match=Refusal.TOO_LONG):
        bearer_token("Bearer " + "x" * (MAX_TOKEN + 1))

    assert len(bearer_token("Bearer " + "x" * MAX_TOKEN)) == MAX_TOKEN
