"""The signature algorithms of JOSE that are accepted, as one table over `cryptography`.

HMAC algorithms and `none` are not in the table on purpose. With HMAC, an attacker could sign with the issuer's public
key as the secret; with `none`, sign nothing at all.
"""

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from profile_media.auth.encoding import decode_base64url

type PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

MIN_RSA_BITS = 2048
"""A shorter modulus can be factored, and the attacker then signs as the issuer."""

MAX_RSA_BITS = 8192
"""A longer modulus, or a long exponent, makes every check so slow that tokens become a denial of service."""

MAX_RSA_EXPONENT_BITS = 32


class Rsa(NamedTuple):
    """RSA signatures: PKCS #1 v1.5 or PSS padding over a hash."""

    padding: AsymmetricPadding
    hash: HashAlgorithm

    def fits(self, jwk: Mapping[str, object]) -> bool:
        """Tell whether the JWK is of the type that this algorithm needs."""
        return jwk.get("kty") == "RSA"

    def load(self, jwk: Mapping[str, object]) -> PublicKey:
        """Load the public key of a JWK. Raise ValueError or KeyError if it is malformed or of an unsafe size."""
        modulus, exponent = (int.from_bytes(decode_base64url(jwk[name])) for name in ("n", "e"))
        if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS or modulus % 2 == 0:
            raise ValueError("the modulus is weak or too long")
        if exponent.bit_length() > MAX_RSA_EXPONENT_BITS:
            raise ValueError("the exponent is too long")
        return RSAPublicNumbers(exponent, modulus).public_key()

    def verifies(self, public: PublicKey, message: bytes, signature: bytes) -> bool:
        """Tell whether the holder of the private key signed the message."""
        with suppress(InvalidSignature):
            if isinstance(public, RSAPublicKey):
                public.verify(signature, message, self.padding, self.hash)
                return True
        return False


class Ecdsa(NamedTuple):
    """ECDSA signatures on one curve: two integers of fixed length, side by side."""

    curve: EllipticCurve
    curve_name: str
    hash: HashAlgorithm

    def fits(self, jwk: Mapping[str, object]) -> bool:
        """Tell whether the JWK is of the type and curve that this algorithm needs."""
        return jwk.get("kty") == "EC" and jwk.get("crv") == self.curve_name

    def load(self, jwk: Mapping[str, object]) -> PublicKey:
        """Load the public key of a JWK. Raise ValueError or KeyError if it is malformed.

        `cryptography` refuses points that are not on the curve, which would leak or weaken the arithmetic.
        """
        x, y = (decode_base64url(jwk[name]) for name in ("x", "y"))
        if len(x) != self._size or len(y) != self._size:
            raise ValueError("a coordinate of another length")
        return EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), self.curve).public_key()

    def verifies(self, public: PublicKey, message: bytes, signature: bytes) -> bool:
        """Tell whether the holder of the private key signed the message.

        The exact length stops a signature from being re-encoded as another valid one; `cryptography` refuses r or s of
        zero, with which any message would verify in a naive implementation.
        """
        if len(signature) != 2 * self._size:
            return False
        r, s = int.from_bytes(signature[: self._size]), int.from_bytes(signature[self._size :])
        with suppress(InvalidSignature):
            if isinstance(public, EllipticCurvePublicKey):
                public.verify(encode_dss_signature(r, s), message, ECDSA(self.hash))
                return True
        return False

    @property
    def _size(self) -> int:
        """Bytes of one integer."""
        return (self.curve.key_size + 7) // 8


class EdDsa(NamedTuple):
    """EdDSA signatures on the curve Ed25519."""

    def fits(self, jwk: Mapping[str, object]) -> bool:
        """Tell whether the JWK is of the type and curve that this algorithm needs."""
        return jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519"

    def load(self, jwk: Mapping[str, object]) -> PublicKey:
        """Load the public key of a JWK. Raise ValueError or KeyError if it is malformed."""
        return Ed25519PublicKey.from_public_bytes(decode_base64url(jwk["x"]))

    def verifies(self, public: PublicKey, message: bytes, signature: bytes) -> bool:
        """Tell whether the holder of the private key signed the message."""
        with suppress(InvalidSignature):
            if isinstance(public, Ed25519PublicKey):
                public.verify(signature, message)
                return True
        return False


def _pss(algorithm: HashAlgorithm) -> Rsa:
    """Return RSASSA-PSS as RFC 7518 defines it: one hash throughout, and a salt of its length."""
    return Rsa(PSS(MGF1(algorithm), algorithm.digest_size), algorithm)


ALGORITHMS: Mapping[str, Rsa | Ecdsa | EdDsa] = MappingProxyType(
    {
        "RS256": Rsa(PKCS1v15(), SHA256()),
        "RS384": Rsa(PKCS1v15(), SHA384()),
        "RS512": Rsa(PKCS1v15(), SHA512()),
        "PS256": _pss(SHA256()),
        "PS384": _pss(SHA384()),
        "PS512": _pss(SHA512()),
        "ES256": Ecdsa(SECP256R1(), "P-256", SHA256()),
        "ES384": Ecdsa(SECP384R1(), "P-384", SHA384()),
        "ES512": Ecdsa(SECP521R1(), "P-521", SHA512()),
        "EdDSA": EdDsa(),
    }
)
"""By the `alg` of RFC 7518 and RFC 8037. Algorithms that fit the same JWK load the same public key from it."""
