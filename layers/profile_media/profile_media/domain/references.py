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

_HOST = rf"(?=[^/]{{1,253}}(?:/|\Z))(?:{_LABEL}\.)+(?=[a-z]){_LABEL}"
"""A host name of at least two labels. IP addresses are refused: the last label may not start with a digit."""

_PLAIN = r"A-Za-z0-9._~!$&*+,=:@\-"
"""The plain characters of a path or query. Quotes, brackets and semicolons are refused, because they can end an HTML
attribute."""

_SEGMENT = rf"(?!\.{{1,2}}(?:[/?]|\Z))(?:[{_PLAIN}]|%(?!2[EeFf5]|5[Cc]|[01]|7[Ff]|[Cc][01])[0-9A-Fa-f]{{2}})+"
r"""One segment of a path: not `.` or `..`, and without encoded `.`, `/`, `\`, `%` or control characters."""

_QUERY = rf"\?(?:[{_PLAIN}/?]|%(?![01]|7[Ff])[0-9A-Fa-f]{{2}})*"

_ELSEWHERE = rf"https://(?P<host>{_HOST})(?:(?:(?:/{_SEGMENT})+/?|/)(?:{_QUERY})?)?"
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


def parse_media_url(base_url: str, owner_id: str, url: str) -> Reference | None:
    """Parse the URL of a picture. Return the owner's upload for one of our URLs, None for a picture on another host.

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
    return None


@cache
def _picture_url(base_url: str) -> re.Pattern[str]:
    """Compile the pattern of our own URLs, exactly as this service writes them, and of URLs on other hosts."""
    return re.compile(rf"{re.escape(base_url)}/(?P<key>{_MEDIA_KEY})|{_ELSEWHERE}", re.ASCII)


def _host_of(base_url: str) -> str:
    """Return the host of the configured base URL."""
    return base_url.partition("://")[2].partition("/")[0].partition(":")[0]
