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
    issuer: str = ""
    """The issuer of the key, if the key set has keys of several issuers (Entra's member `issuer`)."""


def parse_key_set(document: bytes) -> Mapping[str, Key]:
    """Return the usable keys by id. Raise JwksUnavailable if the document is not a key set.

    A key that cannot be used is skipped. A key that is listed for several algorithms may be used with each of them.
    Two different keys with one id are both skipped: trying each of them would let whoever can add a key to the set take
    over the id of another one.
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
        known = keys.setdefault(kid, key)
        if (known.public, known.issuer) != (key.public, key.issuer):
            ambiguous.add(kid)
        keys[kid] = key._replace(algorithms=tuple(dict.fromkeys(known.algorithms + key.algorithms)))
    return MappingProxyType({kid: key for kid, key in keys.items() if kid not in ambiguous})


def _parse_key(jwk: object) -> tuple[str, Key] | None:
    """Parse one key and its id; None if it cannot be used."""
    if not isinstance(jwk, dict) or not _is_for_signatures(jwk):
        return None
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not KID.fullmatch(kid):
        return None
    # The issuer's choice of algorithm binds the key. Without one, all algorithms of its type and curve may be used.
    fitting = tuple(name for name, each in ALGORITHMS.items() if jwk.get("alg", name) == name and each.fits(jwk))
    if not fitting:
        return None
    issuer = jwk.get("issuer")
    with suppress(ValueError, KeyError, UnsupportedAlgorithm):
        return kid, Key(fitting, ALGORITHMS[fitting[0]].load(jwk), issuer if isinstance(issuer, str) else "")
    return None


def _is_for_signatures(jwk: Mapping[str, object]) -> bool:
    """Tell whether the issuer published the key for checking signatures.

    An encryption key has other holders, who could sign with it. A key that comes with its private half (`d`) was leaked
    by mistake, so anybody can sign with it.
    """
    operations = jwk.get("key_ops", ["verify"])
    return "d" not in jwk and jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
