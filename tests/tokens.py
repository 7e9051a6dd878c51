"""Builders of keys, key sets, tokens and issuers. They are valid by default; a test passes the parts that it wants to
be invalid."""

import hashlib
import hmac
import json
import socket
import ssl
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from profile_media.auth.fetch import Endpoint

ISSUER: Final = "https://issuer.example.com/"
AUDIENCE: Final = "https://api.example.com"
SUBJECT: Final = "auth0|alice"
RSA_KID: Final = "rsa-1"
EC_KID: Final = "ec-1"
LOOPBACK: Final = "127.0.0.1"


class Absent:
    """A missing value. Its text is part of test ids, so it is the same in every process."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()
"""Stands for a missing header parameter or claim."""

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
Members = Mapping[str, object]

_NONE: Members = MappingProxyType({})


@cache
def an_rsa_key(name: str = RSA_KID, bits: int = 2048) -> RSAPrivateKey:
    """Return the RSA key with this name, the same one during the whole session."""
    return generate_rsa_key(65537, bits)


@cache
def an_ec_key(name: str = EC_KID) -> EllipticCurvePrivateKey:
    """Return the P-256 key with this name, the same one during the whole session."""
    return generate_private_key(SECP256R1())


@cache
def a_p384_key() -> EllipticCurvePrivateKey:
    """Return a P-384 key."""
    return generate_private_key(SECP384R1())


@cache
def a_p521_key() -> EllipticCurvePrivateKey:
    """Return a P-521 key."""
    return generate_private_key(SECP521R1())


@cache
def an_ed25519_key() -> Ed25519PrivateKey:
    """Return an Ed25519 key."""
    return Ed25519PrivateKey.generate()


KEYS: Final[Mapping[str, Callable[[], PrivateKey]]] = MappingProxyType(
    {
        **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), an_rsa_key),
        "ES256": an_ec_key,
        "ES384": a_p384_key,
        "ES512": a_p521_key,
        "EdDSA": an_ed25519_key,
    }
)
"""A key for each algorithm."""

_HASHES: Final = {"256": SHA256(), "384": SHA384(), "512": SHA512()}


def base64url(content: bytes) -> str:
    """Encode as unpadded base64url."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def a_jwk(key: PrivateKey | None = None, /, **changes: object) -> dict[str, object]:
    """Return the public key as a JWK, with changes."""
    key = key or an_rsa_key()
    jwk: dict[str, object] = {"kid": _kid_of(key), "use": "sig", "alg": _algorithm_of(key)}
    if isinstance(key, RSAPrivateKey):
        public = key.public_key().public_numbers()
        jwk |= {"kty": "RSA", "n": _number(public.n, (public.n.bit_length() + 7) // 8), "e": _number(public.e, 3)}
    elif isinstance(key, Ed25519PrivateKey):
        jwk |= {"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key().public_bytes_raw())}
    else:
        point, size = key.public_key().public_numbers(), (key.curve.key_size + 7) // 8
        jwk |= {"kty": "EC", "crv": f"P-{key.curve.key_size}", "x": _number(point.x, size), "y": _number(point.y, size)}
    return _changed(jwk, changes)


def a_jwks(*jwks: object) -> bytes:
    """Return a key set of these keys, or of the usual two."""
    return json.dumps({"keys": jwks or (a_jwk(), a_jwk(an_ec_key()))}).encode()


def claims_of(changes: Members = _NONE, now: float | None = None) -> dict[str, object]:
    """Return the claims of a good token, issued a minute ago and valid for an hour, with changes."""
    issued = int(time.time() if now is None else now) - 60
    usual: dict[str, object] = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "iat": issued, "exp": issued + 3660}
    return _changed(usual, changes)


def header_of(key: PrivateKey, changes: Members = _NONE, algorithm: str = "") -> dict[str, object]:
    """Return the header for a key, with changes."""
    return _changed({"alg": algorithm or _algorithm_of(key), "typ": "JWT", "kid": _kid_of(key)}, changes)


def a_token(
    key: PrivateKey | None = None,
    /,
    *,
    header: Members = _NONE,
    algorithm: str = "",
    now: float | None = None,
    **claims: object,
) -> str:
    """Return a signed token. `header` and the claims change its usual content; ABSENT removes."""
    key = key or an_rsa_key()
    spelt = json.dumps(header_of(key, header, algorithm)), json.dumps(claims_of(claims, now))
    return a_raw_token(*spelt, key, algorithm)


def a_raw_token(header: str | bytes, claims: str | bytes, key: PrivateKey | None = None, algorithm: str = "") -> str:
    """Sign a header and claims given as text."""
    signed = f"{_spelt(header)}.{_spelt(claims)}"
    return f"{signed}.{base64url(sign(key or an_rsa_key(), signed.encode(), algorithm))}"


def an_hmac_token(secret: bytes, kid: str = RSA_KID, algorithm: str = "HS256", now: float | None = None) -> str:
    """Return a token signed by HMAC, for example with the issuer's public key as the secret."""
    header = json.dumps({"alg": algorithm, "typ": "JWT", "kid": kid})
    signed = f"{_spelt(header)}.{_spelt(json.dumps(claims_of(now=now)))}"
    return f"{signed}.{base64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def sign(key: PrivateKey, message: bytes, algorithm: str = "") -> bytes:
    """Sign as JOSE does: by default RS256 with an RSA key. ECDSA's r and s are side by side."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    algorithm = algorithm or _algorithm_of(key)
    digest = _HASHES[algorithm[2:]]
    if isinstance(key, RSAPrivateKey):
        padding = PSS(MGF1(digest), digest.digest_size) if algorithm.startswith("PS") else PKCS1v15()
        return key.sign(message, padding, digest)
    r, s = decode_dss_signature(key.sign(message, ECDSA(digest)))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size) + s.to_bytes(size)


def _changed(usual: dict[str, object], changes: Members) -> dict[str, object]:
    return {name: value for name, value in {**usual, **changes}.items() if value is not ABSENT}


def _algorithm_of(key: PrivateKey) -> str:
    if isinstance(key, Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(key, RSAPrivateKey):
        return "RS256"
    return {256: "ES256", 384: "ES384", 521: "ES512"}[key.curve.key_size]


def _kid_of(key: PrivateKey) -> str:
    return RSA_KID if isinstance(key, RSAPrivateKey) else EC_KID


def _number(value: int, size: int) -> str:
    return base64url(value.to_bytes(size))


def _spelt(text: str | bytes) -> str:
    return base64url(text.encode() if isinstance(text, str) else text)


type Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def an_issuer(
    answer: Answer, certificate: Path | None = None
) -> Iterator[tuple[Endpoint, list[BaseHTTPRequestHandler]]]:
    """Run an issuer on loopback; yield its endpoint and its requests. Needs `enable_socket`."""
    asked: list[BaseHTTPRequestHandler] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self)
            with suppress(OSError):  # the other side may have given up
                answer(self)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    class Server(ThreadingHTTPServer):
        def get_request(self) -> tuple[Any, Any]:
            connection, address = super().get_request()
            if certificate is None:
                return connection, address
            try:
                return secured(connection, certificate), address
            except OSError:  # the other side did not like the certificate
                connection.close()
                raise

    with Server((LOOPBACK, 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Endpoint(certificate is not None, LOOPBACK, server.server_port, "/jwks.json?v=1"), asked
        finally:
            server.shutdown()
            thread.join()


def secured(connection: socket.socket, certificate: Path) -> ssl.SSLSocket:
    """Wrap the server's side of a connection in TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context.wrap_socket(connection, server_side=True)


def answering(body: bytes, status: int = 200, /, **headers: str) -> Answer:
    """Answer every request alike."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer
