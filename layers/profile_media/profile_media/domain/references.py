"""What a client sends to name an upload, and how it is read: strictly, as a whole, and only for its own owner.

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

_MEDIA_KEY = rf"{MEDIA_PREFIX}(?P<upload_id>{UPLOAD_ID})/[a-z]{{1,16}}-[0-9a-f]{{32}}\.(?:{'|'.join(each.extension for each in FORMATS.values())})"

_LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""Of a host's name, in lower case. Punycode stands for letters that pass for others, so it is left out."""

_HOST = rf"(?=[^/]{{1,253}}(?:/|\Z))(?:{_LABEL}\.)+(?=[a-z]){_LABEL}"
"""A name of two labels or more, and never an address: no last label of a name starts with a digit."""

_PLAIN = r"A-Za-z0-9._~!$&*+,=:@\-"
"""What stands for itself in a path or a query: no quote, bracket or semicolon, which pages may read as their own."""

_SEGMENT = rf"(?!\.{{1,2}}(?:[/?]|\Z))(?:[{_PLAIN}]|%(?!2[EeFf5]|5[Cc]|[01]|7[Ff]|[Cc][01])[0-9A-Fa-f]{{2}})+"
r"""Of a path: neither `.` nor `..`; and no `.`, `/`, `\`, `%` or control character in disguise."""

_QUERY = rf"\?(?:[{_PLAIN}/?]|%(?![01]|7[Ff])[0-9A-Fa-f]{{2}})*"

_ELSEWHERE = rf"https://(?P<host>{_HOST})(?:(?:(?:/{_SEGMENT})+/?|/)(?:{_QUERY})?)?"
"""Narrower than any standard, so that whoever reads it later, by whichever rules, finds the same host in it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An upload as a client named it; `bound_slot` is set where the name claims the upload is bound there."""

    owner_id: str
    upload_id: str
    bound_slot: Slot | None = None
    media_key: str | None = None
    """The derivative that was named, by its key, where it was."""


def temporary_public_id(app: str, owner_id: str, upload_id: str) -> str:
    """The public id an intent hands out."""
    return f"{app}/temp/user_{encode_owner(owner_id)}/images/{upload_id}"


def bound_public_id(app: str, owner_id: str, slot: Slot, upload_id: str) -> str:
    """The public id of an upload that is bound to a slot."""
    return f"{app}/user_{encode_owner(owner_id)}/{slot}/{upload_id}"


def parse_public_id(app: str, text: str) -> Reference:
    """Reads either form; raises ReferenceInvalid for anything that this service would not have written itself."""
    match = _PUBLIC_ID.fullmatch(text)
    if match is None or match["app"] != app:
        raise ReferenceInvalid("not a public id")
    owner_id = decode_owner(match["temp"] or match["bound"])
    if owner_id is None:
        raise ReferenceInvalid("the owner is not canonical")
    return Reference(owner_id, match["upload_id"], Slot(match["slot"]) if match["slot"] else None)


def parse_media_url(base_url: str, owner_id: str, url: str) -> Reference | None:
    """Reads the URL of a picture: the owner's upload where it is one of ours, None where it lies elsewhere.

    Raises ReferenceInvalid for anything else on our host, and for every URL that two readers could take for different
    ones. One match of the whole text decides, as URL parsers disagree on where a host begins and ends.
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
    """Ours, as this service writes it to the letter, or one elsewhere."""
    return re.compile(rf"{re.escape(base_url)}/(?P<key>{_MEDIA_KEY})|{_ELSEWHERE}", re.ASCII)


def _host_of(base_url: str) -> str:
    """The name in our own setting, which is no client's text."""
    return base_url.partition("://")[2].partition("/")[0].partition(":")[0]
