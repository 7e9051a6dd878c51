"""The only place that knows object keys: builds them component by component, and parses them back.

    incoming/{owner}/{upload_id}                    where a browser may write, once granted
    media/{upload_id}/{derivative}-{digest}.{ext}   what is served; the digest is of the bytes, so keys are immutable

`owner` is the subject in URL-safe base64 without padding, because subjects hold `|`, `/`, `$` and worse.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from profile_media.domain.formats import FORMATS
from profile_media.domain.model import Derivative
from profile_media.domain.policy import MAX_OWNER_BYTES

INCOMING_PREFIX = "incoming/"
MEDIA_PREFIX = "media/"

UPLOAD_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
"""A version 4 UUID in its one canonical spelling."""

OWNER = r"[A-Za-z0-9_-]{2,340}"
"""A user's id of up to `policy.MAX_OWNER_BYTES` bytes, as `encode_owner` spells it."""

_INCOMING = re.compile(rf"incoming/({OWNER})/({UPLOAD_ID})")
_MEDIA = re.compile(rf"media/({UPLOAD_ID})/[^/]+")
_UPLOAD_ID = re.compile(UPLOAD_ID)
_NAME = re.compile(r"[a-z]{1,16}")
_DIGEST = re.compile(r"[0-9a-f]{32}")


def is_owner_id(text: str) -> bool:
    """Whether a user can be called that: short enough for any key, and printable, so that nothing hides in a log."""
    return text.isprintable() and 0 < len(text.encode(errors="replace")) <= MAX_OWNER_BYTES


def encode_owner(owner_id: str) -> str:
    """The subject as one path component.

    >>> encode_owner("auth0|42")
    'YXV0aDB8NDI'
    """
    return urlsafe_b64encode(owner_id.encode()).decode().rstrip("=")


def decode_owner(owner: str) -> str | None:
    """The subject behind a path component; None unless it is spelt exactly as `encode_owner` does."""
    try:
        owner_id = urlsafe_b64decode(owner + "=" * (-len(owner) % 4)).decode()
    except ValueError:
        return None
    return owner_id if encode_owner(owner_id) == owner else None


def is_upload_id(text: str) -> bool:
    """Whether the text is spelt as the ids this service makes."""
    return _UPLOAD_ID.fullmatch(text) is not None


def incoming_key(owner_id: str, upload_id: str) -> str:
    """Where the browser's grant lets it write."""
    return f"{INCOMING_PREFIX}{encode_owner(owner_id)}/{_checked(_UPLOAD_ID, upload_id)}"


def parse_incoming_key(key: str) -> tuple[str, str] | None:
    """The owner and upload id of an incoming object; None for any key `incoming_key` would not build."""
    match = _INCOMING.fullmatch(key)
    owner_id = decode_owner(match[1]) if match else None
    return (owner_id, match[2]) if match and owner_id is not None else None


def media_prefix(upload_id: str) -> str:
    """What every derivative of an upload starts with; the trailing slash keeps siblings out of a purge."""
    return f"{MEDIA_PREFIX}{_checked(_UPLOAD_ID, upload_id)}/"


def media_end(upload_id: str) -> str:
    """What sorts after all that starts with the upload's prefix, and before the next upload's."""
    return media_prefix(upload_id)[:-1] + chr(ord("/") + 1)


def parse_media_key(key: str) -> str | None:
    """The upload whose prefix the object lies under; None where it is no upload's."""
    match = _MEDIA.fullmatch(key)
    return match[1] if match else None


def media_key(upload_id: str, derivative: Derivative) -> str:
    """Where a derivative lies, and the path of its URL."""
    name = _checked(_NAME, derivative.name)
    digest = _checked(_DIGEST, derivative.digest)
    return f"{media_prefix(upload_id)}{name}-{digest}.{FORMATS[derivative.content_type].extension}"


def digest(content: bytes) -> str:
    """Names content in a key: 128 bits of SHA-256, in hex."""
    return sha256(content).hexdigest()[:32]


def _checked(pattern: re.Pattern[str], component: str) -> str:
    """The jail: components come from our own rows and ids, so this is never expected to raise."""
    if pattern.fullmatch(component) is None:
        raise ValueError(f"not a key component: {component!r}")
    return component
