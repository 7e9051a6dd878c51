"""The issuer's JWK set (RFC 7517), parsed into the keys that can check a signature."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm

from profile_media.auth.algorithms import ALGORITHMS, PublicKey

KID = re.compile(r"[A-Za-z0-9._~:/+=-]{1,128}", re.ASCII)
"""Characters of a key id: base64 in both alphabets (one large issuer's ids have `+`, `/` and `=`), URNs, thumbprints.

An id is only compared with other ids. It never becomes part of a path, query or URL, so `..` in it reaches no file.
"""


class JwksUnavailable(Exception):
    """There are no keys to check with. The cause is the issuer or this service, never the token."""


class Key(NamedTuple):
    """One public key, and the algorithms it may be used with."""

    algorithms: tuple[str, ...]
    public: PublicKey


def parse_key_set(document: bytes) -> Mapping[str, Key]:
    """Return the usable keys by id. Raise JwksUnavailable if the document is not a key set.

    A key that cannot be used is skipped. Two different keys with one id are both skipped: trying each of them would let
    whoever can add a key to the set take over the id of another one.
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
    """Parse one key and its id; None if it cannot be used."""
    if not isinstance(jwk, dict) or not _is_for_signatures(jwk):
        return None
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not KID.fullmatch(kid):
        return None
    loaded = {name: key for name in ALGORITHMS if (key := _load(name, jwk)) is not None}
    return (kid, Key(tuple(loaded), next(iter(loaded.values())))) if loaded else None


def _is_for_signatures(jwk: Mapping[str, object]) -> bool:
    """Tell whether the issuer published the key for checking signatures.

    An encryption key has other holders, who could sign with it. A key that comes with its private half (`d`) was leaked
    by mistake, so anybody can sign with it.
    """
    operations = jwk.get("key_ops", ["verify"])
    return "d" not in jwk and jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _load(name: str, jwk: Mapping[str, object]) -> PublicKey | None:
    """Load the key for one algorithm; None if it is of another type, for another algorithm, or unsafe."""
    algorithm = ALGORITHMS[name]
    if jwk.get("kty") != algorithm.key_type or jwk.get("alg", name) != name:
        return None
    with suppress(ValueError, KeyError, UnsupportedAlgorithm):
        return algorithm.load(jwk)
    return None
