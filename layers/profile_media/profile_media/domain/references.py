"""Parse the references by which clients name an upload. Each is matched as a whole and belongs to one owner.

{app}/temp/user_{owner}/images/{upload_id}   the temporary public id, from the intent
{app}/user_{owner}/avatar/{upload_id}        the public id once bound (cover_image likewise)
{media_base_url}/{media_key}                 the URL of a derivative; `keys` has its form
"""

import re
from dataclasses import dataclass
from functools import cache

from profile_media.domain.errors import ReferenceInvalid
from profile_media.domain.formats import FORMATS
from profile_media.domain.keys import MEDIA_PREFIX, OWNER, UPLOAD_ID, decode_owner, encode_owner
from profile_media.domain.model import Slot

_SLOTS = "|".join(Slot)
_PUBLIC_ID = re.compile(
    rf"(?P<app>[a-z0-9-]{{1,32}})/"
    rf"(?:temp/user_(?P<temp>{OWNER})/images|user_(?P<bound>{OWNER})/(?P<slot>{_SLOTS}))/"
    rf"(?P<upload_id>{UPLOAD_ID})",
    re.ASCII,
)

MAX_URL_LENGTH = 2048
"""Characters."""

_EXTENSIONS = "|".join(each.extension for each in FORMATS.values())

_MEDIA_KEY = rf"{MEDIA_PREFIX}(?P<upload_id>{UPLOAD_ID})/[a-z]{{1,16}}-[0-9a-f]{{32}}\.(?:{_EXTENSIONS})"

_LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""One label of a host name, in lower case. Punycode is refused, because its letters can imitate others."""

_HOST = rf"(?=[^/:]{{1,253}}(?:[/:]|\Z))(?:{_LABEL}\.)+(?=[a-z]){_LABEL}"
"""A host name of at least two labels. IP addresses are refused: the last label may not start with a digit."""

_PORT = r"(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
"""No port, or one of 1 to 65535 without leading zeros: parsers differ on what they do with others."""

_PLAIN = r"A-Za-z0-9._~!$&*+,;=:@\-"
"""The plain characters of a path or query. Quotes and angle brackets are refused, because they end HTML attributes."""

_DOTS = r"\.{1,2}(?:[/?#;]|%2[Ff]|\Z)"
"""A segment `.` or `..`."""

_STEP = rf"[{_PLAIN}]|%2[Ff](?!{_DOTS})|%(?!2[EeFf5]|5[Cc]|[01]|7[Ff]|[Cc][01])[0-9A-Fa-f]{{2}}"
r"""A character of a path: without encoded `.`, `\`, `%` or control characters. An encoded `/` begins a segment."""

_LOOSE = rf"[{_PLAIN}/?]|%(?![01]|7[Ff])[0-9A-Fa-f]{{2}}"
"""A character of a query or a fragment."""


def _with_brackets(character: str) -> str:
    """Return the pattern of a character or of a pair of round brackets, which are not nested.

    A `)` without its `(` would end a `url()` in CSS.
    """
    return rf"(?:{character}|\((?:{character})*\))"


_PATH = rf"(?:/(?!{_DOTS}){_with_brackets(_STEP)}+)+/?|/"

_SEMICOLON_APART = r"(?!(?=[^;]*;)[^()&]*[()&])"
"""No `;` beside round brackets or `&`: it ends a declaration in CSS, and a character reference in HTML."""

_ELSEWHERE = (
    rf"{_SEMICOLON_APART}(?P<url>https://(?P<host>{_HOST}){_PORT}"
    rf"(?P<path>(?:{_PATH})(?:\?{_with_brackets(_LOOSE)}*)?)?)(?(path)(?:#{_with_brackets(_LOOSE)}*)?)"
)
"""A URL on another host. Stricter than any standard, so that all URL parsers find the same host in it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An upload as a client named it."""

    owner_id: str
    upload_id: str
    bound_slot: Slot | None = None
    """The slot that the upload is bound to, according to the reference."""
    media_key: str | None = None
    """The key of the derivative that the reference names."""


@dataclass(frozen=True, slots=True)
class ExternalUrl:
    """The URL of a picture on another host."""

    url: str
    """Without a fragment, which names no other picture."""
    host: str


def temporary_public_id(app: str, owner_id: str, upload_id: str) -> str:
    """Return the public id of an upload that is not bound."""
    return f"{app}/temp/user_{encode_owner(owner_id)}/images/{upload_id}"


def bound_public_id(app: str, owner_id: str, slot: Slot, upload_id: str) -> str:
    """Return the public id of an upload that is bound to a slot."""
    return f"{app}/user_{encode_owner(owner_id)}/{slot}/{upload_id}"


def parse_public_id(app: str, text: str) -> Reference:
    """Parse either form of a public id. Raises ReferenceInvalid for text that this service would not have written."""
    match = _PUBLIC_ID.fullmatch(text)
    if match is None or match["app"] != app:
        raise ReferenceInvalid("not a public id")
    owner_id = decode_owner(match["temp"] or match["bound"])
    if owner_id is None:
        raise ReferenceInvalid("the owner is not canonical")
    return Reference(owner_id, match["upload_id"], Slot(match["slot"]) if match["slot"] else None)


def parse_media_url(base_url: str, owner_id: str, url: str) -> Reference | ExternalUrl:
    """Parse the URL of a picture. One of our URLs names an upload of the owner's.

    Raises ReferenceInvalid for any other URL on our host, and for URLs that two parsers could read differently. One
    regular expression matches the whole text, because URL parsers disagree on where a host begins and ends.
    """
    match = _picture_url(base_url.rstrip("/")).fullmatch(url) if len(url) <= MAX_URL_LENGTH else None
    if match is None:
        raise ReferenceInvalid("not a clean URL of a picture")
    if match["key"]:
        return Reference(owner_id, match["upload_id"], media_key=match["key"])
    if match["host"] == _host_of(base_url):
        raise ReferenceInvalid("on our host, but no derivative")
    return ExternalUrl(match["url"], match["host"])


@cache
def _picture_url(base_url: str) -> re.Pattern[str]:
    """Compile the pattern of our own URLs, exactly as this service writes them, and of URLs on other hosts."""
    return re.compile(rf"{re.escape(base_url)}/(?P<key>{_MEDIA_KEY})|{_ELSEWHERE}", re.ASCII)


def _host_of(base_url: str) -> str:
    """Return the host of the configured base URL."""
    return base_url.partition("://")[2].partition("/")[0].partition(":")[0]
