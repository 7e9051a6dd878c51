"""The issuer's public keys: fetched within bounds, kept for a while, and never taken from anywhere else.

The limits below are what stands between a stranger's token and our outbound calls: a token may name any `kid`, so it is
the time since the last fetch, not the token, that decides whether there is another one.
"""

import json
import re
import ssl
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from os.path import isdir
from socket import SHUT_RDWR
from threading import Lock, Thread
from types import MappingProxyType
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

MAX_BYTES = 64 * 1024
"""A key set of more than a hundred keys; real ones have two or three."""

FETCH_SECONDS = 2.0
"""For all of a fetch, name resolution and TLS handshake included: the caller of the API is waiting."""

FRESH_SECONDS = 10 * 60
"""How long a copy is used unasked, and so how long a withdrawn key can live on."""

STALE_SECONDS = 60 * 60
"""How old a copy may get while the issuer does not answer; counted from its fetch."""

COOLDOWN_SECONDS = 30
"""Between two fetches, whatever came of the first and whatever asks for the second."""

RETRY_SECONDS = 1
"""Between fetches while there is no copy to serve from: one failure at a cold start must not refuse people for long."""

KID = re.compile(r"[A-Za-z0-9._~:/+=-]{1,128}", re.ASCII)
"""What a key id is made of: base64 in both alphabets (one large issuer's ids hold `+`, `/` and `=`), URNs, thumbprints.

It is compared and nothing else, never a path, a query or a URL, so `/` and `..` in it reach nothing.
"""

_COORDINATE_BYTES = 32
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)",
    re.ASCII,
)
_LOOPBACK = ("127.0.0.1", "localhost")


class JwksUnavailable(Exception):
    """There are no keys to check with: the issuer's trouble or ours, never the token's."""


class Endpoint(NamedTuple):
    """Where the issuer publishes its keys, taken apart."""

    secure: bool
    host: str
    port: int
    target: str
    authorities: str = ""
    """The folder of those who may say that it is the issuer, as OpenSSL looks for them; without it, the system's."""


def parse_endpoint(url: str, *, allow_loopback: bool) -> Endpoint:
    """Reads the one kind of URL that keys are fetched from; raises ValueError for any other.

    That is https, and where loopback is allowed also http to this machine, which is where the local stack's issuer is.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("the URL of the key set is not one to fetch from")
    secure = match["scheme"] == "https"
    if not secure and not (allow_loopback and match["host"] in _LOOPBACK):
        raise ValueError("the URL of the key set is not https")
    port = int(match["port"] or (443 if secure else 80))
    if not 0 < port < 65536:
        raise ValueError("the URL of the key set has no such port")
    return Endpoint(secure, match["host"], port, match["target"])


def fetch(endpoint: Endpoint, seconds: float = FETCH_SECONDS) -> bytes:
    """Gets the key set: no redirect, no proxy, no more bytes and no more time than stated; else JwksUnavailable.

    It runs in a thread because nothing else bounds the whole of it: a socket's timeout starts anew with every byte of a
    server that trickles, and name resolution has none at all.
    """
    connection = _connection(endpoint, seconds)
    outcome: list[bytes | Exception] = []
    worker = Thread(target=_receive, args=(connection, endpoint.target, outcome), daemon=True)
    worker.start()
    worker.join(seconds)
    if not outcome:
        with suppress(OSError, AttributeError):  # it may end, or not have begun, at this very moment
            connection.sock.shutdown(SHUT_RDWR)
        raise JwksUnavailable("timeout")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _connection(endpoint: Endpoint, seconds: float) -> HTTPConnection:
    if endpoint.secure:
        return HTTPSConnection(endpoint.host, endpoint.port, timeout=seconds, context=_trusted(endpoint.authorities))
    return HTTPConnection(endpoint.host, endpoint.port, timeout=seconds)


@cache
def _trusted(authorities: str) -> ssl.SSLContext:
    """Those in the folder, each read when it is met; or the system's, all at once: nine tenths of a first fetch."""
    return ssl.create_default_context(capath=authorities if isdir(authorities) else None)


def _receive(connection: HTTPConnection, target: str, outcome: list[bytes | Exception]) -> None:
    """The body of the fetching thread: whatever happens goes to whoever waits for it."""
    try:
        outcome.append(_get(connection, target))
    except (OSError, HTTPException) as trouble:
        outcome.append(JwksUnavailable(type(trouble).__name__))
    except Exception as trouble:  # a bug, and a thread has nowhere to raise it
        outcome.append(trouble)
    finally:
        connection.close()


def _get(connection: HTTPConnection, target: str) -> bytes:
    connection.request("GET", target, headers={"Accept": "application/json", "Connection": "close"})
    with connection.getresponse() as response:
        if response.status != 200:  # a redirect, too: where it leads is not what the operator configured
            raise JwksUnavailable(f"status {response.status}")
        body = response.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise JwksUnavailable("too large")
    return body


class RsaKey(NamedTuple):
    """Checks RS256 signatures."""

    public: RSAPublicKey

    @property
    def algorithm(self) -> str:
        """The one `alg` this key is for."""
        return "RS256"

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the holder of the private key signed this."""
        with suppress(InvalidSignature):
            self.public.verify(signature, message, PKCS1v15(), SHA256())
            return True
        return False


class EcKey(NamedTuple):
    """Checks ES256 signatures."""

    public: EllipticCurvePublicKey

    @property
    def algorithm(self) -> str:
        """The one `alg` this key is for."""
        return "ES256"

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the holder of the private key signed this."""
        if len(signature) != 2 * _COORDINATE_BYTES:
            return False
        r, s = (int.from_bytes(half) for half in (signature[:_COORDINATE_BYTES], signature[_COORDINATE_BYTES:]))
        with suppress(InvalidSignature):
            self.public.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
            return True
        return False


Key = RsaKey | EcKey


def parse_key_set(document: bytes) -> Mapping[str, Key]:
    """The usable keys by id; raises JwksUnavailable for what is no key set at all.

    A key that is not usable costs itself alone. Two different keys under one id are both left out: picking either would
    be a guess.
    """
    try:
        key_set = json.loads(document.decode())
    except (ValueError, RecursionError):
        raise JwksUnavailable("not JSON") from None
    listed = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(listed, list):
        raise JwksUnavailable("not a key set")
    keys: dict[str, Key] = {}
    ambiguous = set()
    for kid, key in filter(None, map(_parse_key, listed)):
        if keys.setdefault(kid, key) != key:
            ambiguous.add(kid)
    return MappingProxyType({kid: key for kid, key in keys.items() if kid not in ambiguous})


def _parse_key(jwk: object) -> tuple[str, Key] | None:
    """One key and its id; None where it is malformed, weak, for another purpose, or has its private half with it."""
    if not isinstance(jwk, dict) or "d" in jwk or jwk.get("use", "sig") != "sig":
        return None
    kid, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    if (
        not isinstance(kid, str)
        or not KID.fullmatch(kid)
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        return None
    with suppress(ValueError, KeyError, UnsupportedAlgorithm):
        key = _BUILDERS[str(jwk["kty"])](jwk)
        if jwk.get("alg", key.algorithm) == key.algorithm:
            return kid, key
    return None


def _rsa_key(jwk: Mapping[str, object]) -> Key:
    modulus, exponent = (int.from_bytes(decode_base64url(jwk[name])) for name in ("n", "e"))
    if not 2048 <= modulus.bit_length() <= 8192 or modulus % 2 == 0 or exponent.bit_length() > 32:
        raise ValueError("weak, or so large that checking would be a burden")
    return RsaKey(RSAPublicNumbers(exponent, modulus).public_key())


def _ec_key(jwk: Mapping[str, object]) -> Key:
    x, y = (decode_base64url(jwk[name]) for name in ("x", "y"))
    if jwk["crv"] != "P-256" or len(x) != _COORDINATE_BYTES or len(y) != _COORDINATE_BYTES:
        raise ValueError("another curve")
    return EcKey(EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1()).public_key())


_BUILDERS: Mapping[str, Callable[[Mapping[str, object]], Key]] = MappingProxyType({"RSA": _rsa_key, "EC": _ec_key})


def decode_base64url(text: object) -> bytes:
    """Reads unpadded base64url in its one canonical spelling; raises ValueError for anything else.

    Python's decoder skips what is outside the alphabet and ignores left-over bits, so the result is spelt again and
    compared.
    """
    if not isinstance(text, str):
        raise ValueError("not text")
    content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(content).rstrip(b"=") != text.encode():
        raise ValueError("not canonical base64url")
    return content


class Jwks:
    """The keys as last fetched, fetched again when that is due.

    The clock is the wall's, in seconds: it is right after a restored snapshot, where a monotonic one may not be. `warn`
    is told of a fetch that failed while an older copy still serves.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        clock: Callable[[], float] = time.time,
        warn: Callable[[JwksUnavailable], None] = lambda trouble: None,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._warn = warn
        self._lock = Lock()  # several callers at once make one fetch
        self._keys: Mapping[str, Key] = MappingProxyType({})
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._trouble = JwksUnavailable("never fetched")

    def find(self, kid: str) -> Key | None:
        """The key of that id, None where the issuer has none; raises JwksUnavailable where nobody can tell."""
        with self._lock:
            now = self._clock()
            wanted = kid not in self._keys or not _within(FRESH_SECONDS, self._fetched_at, now)
            usable = _within(STALE_SECONDS, self._fetched_at, now)
            if wanted and not _within(COOLDOWN_SECONDS if usable else RETRY_SECONDS, self._tried_at, now):
                self._refresh(now)
            if not _within(STALE_SECONDS, self._fetched_at, now):
                raise JwksUnavailable(*self._trouble.args)
            return self._keys.get(kid)

    def _refresh(self, now: float) -> None:
        self._tried_at = now
        try:
            self._keys = parse_key_set(self._fetch())
            self._fetched_at = now
        except JwksUnavailable as trouble:
            self._trouble = trouble
            if _within(STALE_SECONDS, self._fetched_at, now):
                self._warn(trouble)


def _within(seconds: float, since: float | None, now: float) -> bool:
    """Whether less than that has passed; a clock that was put back says nothing, so then it has passed."""
    return since is not None and 0 <= now - since < seconds
