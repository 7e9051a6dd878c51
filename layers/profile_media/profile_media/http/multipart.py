"""Parses the picture out of a form: one part named `file` in a strict and bounded `multipart/form-data` body.

The text fields `crop` and `focus` say which part of it to show; other parts are ignored.

A part's Content-Type is ignored: the bytes tell the format. A transfer encoding is not decoded: RFC 7578 has none.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from multipart import (  # type: ignore[import-untyped, unused-ignore]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)
from pydantic import ValidationError

from profile_media.domain.errors import PayloadTooLarge, RequestInvalid
from profile_media.domain.framing import Framing
from profile_media.domain.policy import MAX_DIRECT_BYTES, MIN_CROP
from profile_media.http.framing import CropBody, FocusBody
from profile_media.http.request import Request

MAX_PARTS = 4
"""Every contract's form has only the picture, but some uploaders add one or two text parts."""

MAX_HEADERS = 8
"""Headers per part. RFC 7578 defines three."""

MAX_HEADER_BYTES = 4096
"""Bytes of a part's headers: room for the longest file name that file systems allow."""

MAX_OTHER_BYTES = 64 * 1024
"""Bytes of a body beside the picture. Together with the largest picture, in base64, they stay under Lambda's limit of
6 MB per request."""

_FILE = "file"

_FRAMINGS: Mapping[str, type[CropBody | FocusBody]] = MappingProxyType({"crop": CropBody, "focus": FocusBody})
"""The text fields, whose content is JSON as in the intent's body."""
_FRAMING_RULES = MappingProxyType(
    {
        "crop": f"crop: must be JSON with x, y, width and height in whole pixels, at least {MIN_CROP} a side",
        "focus": "focus: must be JSON with x and y as fractions from 0 to 1",
    }
)

_CHARSET = r';\s*charset="?[\w-]{1,40}"?\s*'
_FORM_TYPE = re.compile(
    rf"""multipart/form-data\s*(?:{_CHARSET})?;\s*boundary=("?)(?P<boundary>[\w'()+,./:=?-]{{1,70}})\1\s*(?:{_CHARSET})?""",
    re.ASCII | re.IGNORECASE,
)
"""Matches the whole header. If it had two boundaries, two parsers could use different ones."""


@dataclass(frozen=True, slots=True)
class SentPicture:
    """The picture of a form, and the part of it to show."""

    content: bytes
    framing: Framing = None


def parse_picture(request: Request) -> SentPicture:
    """Return the form's one file and its text fields `crop` or `focus`.

    Raise RequestInvalid unless the body is a well-formed form with exactly one file that is not empty and valid fields,
    PayloadTooLarge if the file is over the limit. Parts named `file` without a filename are skipped: some uploaders
    send such a text part.
    """
    match = _FORM_TYPE.fullmatch(request.headers.get("content-type", "").strip())
    if match is None:
        raise RequestInvalid(("Content-Type must be multipart/form-data with a boundary",))
    if len(request.body) > MAX_DIRECT_BYTES + MAX_OTHER_BYTES:
        raise PayloadTooLarge(MAX_DIRECT_BYTES)
    try:
        parts = list(_parts(request.body, match["boundary"]))
    except MultipartError:
        raise RequestInvalid(("the body must be a complete multipart/form-data form of few parts",)) from None
    content = _single_file([content for name, content in parts if name == _FILE])
    return SentPicture(content, _framing([(name, text) for name, text in parts if name != _FILE]))


def _single_file(files: list[bytes]) -> bytes:
    if len(files) != 1:
        raise RequestInvalid((f"file: must be exactly one part with a filename, but there are {len(files)}",))
    if not files[0]:
        raise RequestInvalid(("file: must not be empty",))
    if len(files[0]) > MAX_DIRECT_BYTES:
        raise PayloadTooLarge(MAX_DIRECT_BYTES)
    return files[0]


def _framing(fields: list[tuple[str, bytes]]) -> Framing:
    """Parse the field that says what to show."""
    if len(fields) > 1:
        raise RequestInvalid(("crop, focus: must be at most one field",))
    for name, text in fields:
        try:
            return _FRAMINGS[name].model_validate_json(text).framing()
        except ValidationError:
            raise RequestInvalid((_FRAMING_RULES[name],)) from None
    return None


def _parts(body: bytes, boundary: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the file and of the known text fields. Raise MultipartError for a malformed body."""
    name: str | None = None
    content: list[bytes] = []
    with PushMultipartParser(
        boundary,
        max_header_size=MAX_HEADER_BYTES,
        max_header_count=MAX_HEADERS,
        max_segment_count=MAX_PARTS,
        strict=True,
    ) as parser:
        for chunk in _chunks(body, boundary):
            for event in parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    name, content = _known_name(event), []
                elif name is None:
                    continue
                elif event is None:
                    yield name, b"".join(content)
                else:
                    content.append(bytes(event))


def _chunks(body: bytes, boundary: str) -> Iterator[bytes]:
    """Split the body so that the parser refuses data before the first boundary and after the last one.

    It refuses a preamble only if the first chunk is not longer than the boundary's line, and an epilogue only if that
    comes in a chunk of its own. One line break may follow the last boundary.
    """
    head = len(boundary) + len("\r\n--")
    body = body.removesuffix(b"\r\n")
    yield from filter(None, (body[:head], body[head:-1], body[head:][-1:]))


def _known_name(part: MultipartSegment) -> str | None:
    """Return the name of the picture or of a text field; None for other parts.

    Raise MultipartError for repeated headers, or too many bytes of them.
    """
    names = [name for name, _ in part.headerlist]
    size = sum(len(name) + len(value) for name, value in part.headerlist)
    if len(set(names)) != len(names) or size > MAX_HEADER_BYTES:
        raise MultipartError("a part has repeated or too long headers")
    is_file = part.filename is not None
    known = part.name == _FILE if is_file else part.name in _FRAMINGS
    return part.name if known else None
