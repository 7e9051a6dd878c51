"""What a client sends to name an upload, and how it is read: strictly, as a whole, and only for its own owner.

{app}/temp/user_{owner}/images/{upload_id}   the temporary public id, from the intent
{app}/user_{owner}/avatar/{upload_id}        the public id once bound (cover_image likewise)
{media_base_url}/{media_key}                 the URL of a derivative; `keys` has its form
"""

import re
from dataclasses import dataclass

from profile_media.domain.errors import ReferenceInvalid
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

_MEDIA_KEY = re.compile(rf"{MEDIA_PREFIX}(?P<upload_id>{UPLOAD_ID})/[a-z]{{1,16}}-[0-9a-f]{{32}}\.[a-z]{{3,4}}")

_LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""Of a host's name, in lower case. Punycode stands for letters that pass for others, so it is left out."""

_PLAIN = r"[A-Za-z0-9~_!$&*+,=:@-]"
"""What stands for itself in a path or a query: no quote, bracket or semicolon, which pages may read as their own."""

_SEGMENT = rf"(?!\.{{1,2}}(?:[/?]|\Z))(?:{_PLAIN}|\.|%(?!2[EeFf5]|5[Cc]|[01]|7[Ff])[0-9A-Fa-f]{{2}})+"
"""Of a path: never `.` or `..`, nor `.`, `/`, `\\`, `%` or a control character in disguise."""

_QUERY = rf"\?(?:{_PLAIN}|[./?]|%(?![01]|7[Ff])[0-9A-Fa-f]{{2}})*"

_CLEAN_URL = re.compile(
    rf"https://(?P<host>(?=[^/]{{1,253}}(?:/|\Z))(?:{_LABEL}\.)+(?=[a-z]){_LABEL})(?:(?:/{_SEGMENT})*/?(?:(?<=[/\w]){_QUERY})?)?",
    re.ASCII,
)


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
