"""Build and parse object keys. No other module knows their form.

    incoming/{owner}/{upload_id}                    an original, written with a presigned POST
    media/{upload_id}/{derivative}-{digest}.{ext}   a derivative; the digest makes the key immutable
    masters/{upload_id}/master-{digest}.{ext}       the master, outside of what the distribution may read

`owner` is the subject in URL-safe base64 without padding, because subjects can contain `|`, `/` and `$`.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from os import urandom

from profile_media.domain.formats import FORMATS
from profile_media.domain.model import MASTER, Derivative
from profile_media.domain.policy import MAX_OWNER_BYTES

INCOMING_PREFIX = "incoming/"
MEDIA_PREFIX = "media/"
MASTERS_PREFIX = "masters/"

DERIVATIVE_PREFIXES = (MASTERS_PREFIX, MEDIA_PREFIX)
"""The prefixes of the media bucket."""

UPLOAD_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
"""A version 4 UUID in lower case."""

OWNER = r"[A-Za-z0-9_-]{2,340}"
"""A user id of up to `policy.MAX_OWNER_BYTES` bytes, as `encode_owner` encodes it."""

_INCOMING = re.compile(rf"incoming/({OWNER})/({UPLOAD_ID})")
_MEDIA = re.compile(rf"(?:{'|'.join(DERIVATIVE_PREFIXES)})({UPLOAD_ID})/[^/]+")
_UPLOAD_ID = re.compile(UPLOAD_ID)
_NAME = re.compile(r"[a-z]{1,16}")
_DIGEST = re.compile(r"[0-9a-f]{32}")


def is_owner_id(text: str) -> bool:
    """Return whether this can be a user id: short enough for object keys, and printable, so logs show all of it."""
    return text.isprintable() and 0 < len(text.encode(errors="replace")) <= MAX_OWNER_BYTES


def encode_owner(owner_id: str) -> str:
    """Encode a subject as one component of a key.

    >>> encode_owner("auth0|42")
    'YXV0aDB8NDI'
    """
    return urlsafe_b64encode(owner_id.encode()).decode().rstrip("=")


def decode_owner(owner: str) -> str | None:
    """Decode a component of a key. Return None unless `encode_owner` would have encoded it exactly like this."""
    try:
        owner_id = urlsafe_b64decode(owner + "=" * (-len(owner) % 4)).decode()
    except ValueError:
        return None
    return owner_id if encode_owner(owner_id) == owner else None


def is_upload_id(text: str) -> bool:
    """Return whether the text has the form of an upload id."""
    return _UPLOAD_ID.fullmatch(text) is not None


def incoming_key(owner_id: str, upload_id: str) -> str:
    """Return the key of an original."""
    return f"{INCOMING_PREFIX}{encode_owner(owner_id)}/{_check_component(_UPLOAD_ID, upload_id)}"


def parse_incoming_key(key: str) -> tuple[str, str] | None:
    """Return the owner and upload id of an original; None for a key that `incoming_key` would not build."""
    match = _INCOMING.fullmatch(key)
    owner_id = decode_owner(match[1]) if match else None
    return (owner_id, match[2]) if match and owner_id is not None else None


def media_prefixes(upload_id: str) -> tuple[str, ...]:
    """Return the prefixes of an upload's objects. They end in a slash, so that a purge cannot match another upload."""
    return tuple(prefix + first_position(upload_id) for prefix in DERIVATIVE_PREFIXES)


def position(key: str) -> str:
    """Return what follows the prefix of a key in the media bucket. It orders the objects of all prefixes by upload."""
    return key.partition("/")[2]


def first_position(upload_id: str) -> str:
    """Return a position before all objects of the upload and after those of the upload before."""
    return f"{_check_component(_UPLOAD_ID, upload_id)}/"


def end_position(upload_id: str) -> str:
    """Return a position after all objects of the upload and before those of the next upload."""
    return first_position(upload_id)[:-1] + chr(ord("/") + 1)


def parse_media_key(key: str) -> str | None:
    """Return the upload id of a derivative's key; None for a key of another form."""
    match = _MEDIA.fullmatch(key)
    return match[1] if match else None


def media_key(upload_id: str, derivative: Derivative) -> str:
    """Return the key of a derivative, which is also the path of its URL unless it is the master."""
    name = _check_component(_NAME, derivative.name)
    digest = _check_component(_DIGEST, derivative.digest)
    prefix = MASTERS_PREFIX if name == MASTER else MEDIA_PREFIX
    return f"{prefix}{first_position(upload_id)}{name}-{digest}.{FORMATS[derivative.content_type].extension}"


def possible_keys(upload_id: str, derivative: Derivative) -> tuple[str, ...]:
    """Return the keys at which a derivative may be stored. A master of version 0.1.0 is beside the others."""
    return with_former_keys([media_key(upload_id, derivative)])


def with_former_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the keys, and those that masters among them had in version 0.1.0."""
    given = tuple(keys)
    return given + tuple(MEDIA_PREFIX + position(key) for key in given if key.startswith(MASTERS_PREFIX))


def digest(content: bytes) -> str:
    """Return the digest that names content in a key: 128 bits of SHA-256, in hex."""
    return sha256(content).hexdigest()[:32]


def with_new_digest(derivative: Derivative, content: bytes) -> Derivative:
    """Return the derivative with a digest that nothing else has, not even the same bytes made again.

    For derivatives that replace others of the upload: purging a key that was replaced can then never delete a
    derivative that was made later.
    """
    return replace(derivative, digest=digest(urandom(16) + content))


def _check_component(pattern: re.Pattern[str], component: str) -> str:
    """Return the component. Raises ValueError for one that could escape its prefix, which no row should contain."""
    if pattern.fullmatch(component) is None:
        raise ValueError(f"not a key component: {component!r}")
    return component
