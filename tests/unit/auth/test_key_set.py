"""Parsing the JWK set: usable keys, and keys that are skipped."""

from collections.abc import Callable

import pytest

from profile_media.auth.encoding import decode_base64url
from profile_media.auth.key_set import JwksUnavailable, Key, parse_key_set
from tests.tokens import (
    ABSENT,
    EC_KID,
    RSA_KID,
    a_jwk,
    a_jwks,
    a_p384_key,
    an_ec_key,
    an_ed25519_key,
    an_rsa_key,
    base64url,
)


def test_parse_key_set_accepts_rsa_and_ec_keys() -> None:
    assert parse_key_set(a_jwks()) == {
        RSA_KID: Key(("RS256",), an_rsa_key().public_key()),
        EC_KID: Key(("ES256",), an_ec_key().public_key()),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"use": ABSENT},
        {"alg": ABSENT},
        {"use": ABSENT, "alg": ABSENT},
        {"key_ops": ["verify"]},
        {"key_ops": ["verify", "sign"]},
        {"x5c": ["ignored"], "x5u": "https://ignored.example", "other": {"nested": 1}},
        {"kid": "MIIB+/x="},
        {"kid": "urn:uuid:1~2.3_4-5"},
        {"kid": "x" * 128},
    ],
)
def test_key_with_optional_or_unknown_members_is_accepted(changes: dict[str, object]) -> None:
    for key in (an_rsa_key(), an_ec_key()):
        assert len(parse_key_set(a_jwks(a_jwk(key, **changes)))) == 1


def test_key_without_alg_may_be_used_with_algorithms_of_its_type_and_curve() -> None:
    keys = (a_jwk(kid="rsa", alg=ABSENT), a_jwk(a_p384_key(), kid="p384", alg=ABSENT))

    assert {kid: key.algorithms for kid, key in parse_key_set(a_jwks(*keys)).items()} == {
        "rsa": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
        "p384": ("ES384",),
    }


def test_key_listed_for_two_algorithms_may_be_used_with_both() -> None:
    (key,) = parse_key_set(a_jwks(a_jwk(), a_jwk(alg="PS256"))).values()

    assert key.algorithms == ("RS256", "PS256")


def an_rsa_modulus(bits: int) -> str:
    """Return an odd number of that many bits."""
    return base64url((2 ** (bits - 1) + 1).to_bytes((bits + 7) // 8))


def zero_in_front(number: object) -> str:
    """Return the same number with a leading zero byte."""
    return base64url(b"\0" + decode_base64url(number))


UNUSABLE: dict[str, Callable[[], object]] = {
    "null": lambda: None,
    "a text": lambda: "key",
    "a number": lambda: 1,
    "a list": lambda: [a_jwk()],
    "empty": dict,
    "for encryption": lambda: a_jwk(use="enc"),
    "for a use that is null": lambda: a_jwk(use=None),
    "for signing only": lambda: a_jwk(key_ops=["sign"]),
    "for operations that are a text": lambda: a_jwk(key_ops="verify"),
    "without a kid": lambda: a_jwk(kid=ABSENT),
    "with a kid that is a number": lambda: a_jwk(kid=1),
    "with an empty kid": lambda: a_jwk(kid=""),
    "with a kid of strange letters": lambda: a_jwk(kid="rsa 1"),
    "with a kid that is too long": lambda: a_jwk(kid="x" * 129),
    "with its private half": lambda: a_jwk(d="AQAB"),
    "of no kind": lambda: a_jwk(kty=ABSENT),
    "of a kind that is a list": lambda: a_jwk(kty=["RSA"]),
    "of another kind": lambda: a_jwk(kty="rsa"),
    "a secret": lambda: {"kty": "oct", "kid": "oct", "k": base64url(b"secret"), "alg": "HS256"},
    "X25519": lambda: a_jwk(an_ed25519_key(), crv="X25519"),
    "Ed25519 of a short key": lambda: a_jwk(an_ed25519_key(), x=base64url(bytes(31))),
    "Ed25519 without its key": lambda: a_jwk(an_ed25519_key(), x=ABSENT),
    "Ed25519 for ES256": lambda: a_jwk(an_ed25519_key(), alg="ES256"),
    "RSA for HS256": lambda: a_jwk(alg="HS256"),
    "RSA for ES256": lambda: a_jwk(alg="ES256"),
    "RSA for nothing": lambda: a_jwk(alg=None),
    "EC for RS256": lambda: a_jwk(an_ec_key(), alg="RS256"),
    "EC for ES384": lambda: a_jwk(an_ec_key(), alg="ES384"),
    "RSA of 1024 bits": lambda: a_jwk(an_rsa_key("weak", 1024)),
    "RSA of 2047 bits": lambda: a_jwk(n=an_rsa_modulus(2047)),
    "RSA of 8193 bits": lambda: a_jwk(n=an_rsa_modulus(8193)),
    "RSA of an even modulus": lambda: a_jwk(n=base64url((2**2047).to_bytes(256))),
    "RSA of no modulus": lambda: a_jwk(n=ABSENT),
    "RSA of an empty modulus": lambda: a_jwk(n=""),
    "RSA of a modulus that is a number": lambda: a_jwk(n=2**2047 + 1),
    "RSA of a modulus in the other alphabet": lambda: a_jwk(n="+/" + str(a_jwk()["n"])[2:]),
    "RSA of a modulus with padding": lambda: a_jwk(n=f"{a_jwk()['n']}=="),
    "RSA of a modulus that is not ASCII": lambda: a_jwk(n="\u00e9" * 400),
    "RSA of exponent 0": lambda: a_jwk(e=base64url(b"\0")),
    "RSA of exponent 1": lambda: a_jwk(e=base64url(b"\1")),
    "RSA of an even exponent": lambda: a_jwk(e=base64url(b"\1\0\0")),
    "RSA of a huge exponent": lambda: a_jwk(e=base64url(b"\1\0\0\0\1")),
    "RSA of no exponent": lambda: a_jwk(e=ABSENT),
    "EC of another curve": lambda: a_jwk(a_p384_key(), kid="p384", alg="ES256"),
    "EC of another curve's name": lambda: a_jwk(an_ec_key(), crv="secp256k1"),
    "EC of no curve": lambda: a_jwk(an_ec_key(), crv=ABSENT),
    "EC off the curve": lambda: a_jwk(an_ec_key(), y=a_jwk(an_ec_key("other"))["y"]),
    "EC at infinity": lambda: a_jwk(an_ec_key(), x=base64url(bytes(32)), y=base64url(bytes(32))),
    "EC of a short coordinate": lambda: a_jwk(an_ec_key(), x=base64url(bytes(31))),
    "EC of a long coordinate": lambda: a_jwk(an_ec_key(), y=base64url(bytes(33))),
    "EC of a coordinate with a zero in front": lambda: a_jwk(an_ec_key(), x=zero_in_front(a_jwk(an_ec_key())["x"])),
    "EC of another with a zero in front": lambda: a_jwk(an_ec_key(), y=zero_in_front(a_jwk(an_ec_key())["y"])),
    "EC of one coordinate": lambda: a_jwk(an_ec_key(), y=ABSENT),
}


@pytest.mark.parametrize("jwk", UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_key_is_skipped_alone(jwk: Callable[[], object]) -> None:
    good = a_jwk(an_ec_key("good"), kid="good")

    keys = parse_key_set(a_jwks(jwk(), good, jwk()))

    assert keys == {"good": Key(("ES256",), an_ec_key("good").public_key())}


def test_two_keys_with_one_id_are_both_skipped() -> None:
    first, second, other = (a_jwk(an_rsa_key(name), kid="same") for name in ("first", "second", "third"))

    assert parse_key_set(a_jwks(first, second, a_jwk())).keys() == {RSA_KID}
    assert parse_key_set(a_jwks(first, second, first, other)) == {}
    assert parse_key_set(a_jwks(first, a_jwk(an_ec_key(), kid="same"))) == {}


def test_repeated_key_is_one_key() -> None:
    assert parse_key_set(a_jwks(a_jwk(), a_jwk(), a_jwk(alg=ABSENT))).keys() == {RSA_KID}


def test_unusable_key_does_not_occupy_id() -> None:
    assert parse_key_set(a_jwks(a_jwk(use="enc"), a_jwk())).keys() == {RSA_KID}


@pytest.mark.parametrize(
    "document",
    [
        *(b"", b"null", b"[]", b"1", b'"keys"', b"{}", b'{"keys": null}', b'{"keys": {}}', b'{"keys": "x"}'),
        *(b"<html>not found</html>", b'{"keys": [', b"\xff\xfe", b"\xef\xbb\xbf" + a_jwks(), b"[" * 60_000),
        *(a_jwks().decode().encode("utf-16"), b'{"keys": [' + b"9" * 5000 + b"]}"),
    ],
    ids=lambda document: repr(document[:20]),
)
def test_document_that_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(JwksUnavailable, match=r"not JSON|not a key set"):
        parse_key_set(document)


@pytest.mark.parametrize(
    "text", ["A", "QQ==", "QR", "Q Q", "+/", "\u00e9\u00e9", "\ud800", None, 1, b"QQ", ["QQ"]], ids=ascii
)
def test_decode_base64url_accepts_only_canonical_spelling(text: object) -> None:
    with pytest.raises(ValueError, match=r"not|padd|1 more|ASCII|encode"):
        decode_base64url(text)

    assert decode_base64url("QQ") == b"A"
    assert decode_base64url("-_8") == b"\xfb\xff"
