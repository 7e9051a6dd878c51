"""Parses the picture out of a form: one part named `file` in a strict and bounded `multipart/form-data` body.

A part's Content-Type is ignored: the bytes tell the format. A transfer encoding is not decoded: RFC 7578 has none.
"""

import re
from collections.abc import Iterator

from multipart import (  # type: ignore[import-untyped, unused-ignore]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from profile_media.domain.errors import PayloadTooLarge, RequestInvalid
from profile_media.domain.policy import MAX_DIRECT_BYTES
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

_CHARSET = r';\s*charset="?[\w-]{1,40}"?\s*'
_FORM_TYPE = re.compile(
    rf"""multipart/form-data\s*(?:{_CHARSET})?;\s*boundary=("?)(?P<boundary>[\w'()+,./:=?-]{{1,70}})\1\s*(?:{_CHARSET})?""",
    re.ASCII | re.IGNORECASE,
)
"""Matches the whole header. If it had two boundaries, two parsers could use different ones."""


def parse_file(request: Request) -> bytes:
    """Return the content of the form's one file.

    Raise RequestInvalid unless the body is a well-formed form with exactly one file that is not empty, PayloadTooLarge
    if it is over the limit. Parts named `file` without a filename are skipped: some uploaders send such a text part.
    """
    match = _FORM_TYPE.fullmatch(request.headers.get("content-type", "").strip())
    if match is None:
        raise RequestInvalid(("Content-Type must be multipart/form-data with a boundary",))
    if len(request.body) > MAX_DIRECT_BYTES + MAX_OTHER_BYTES:
        raise PayloadTooLarge(MAX_DIRECT_BYTES)
    try:
        files = list(_files(request.body, match["boundary"]))
    except MultipartError:
        raise RequestInvalid(("the body must be a complete multipart/form-data form of few parts",)) from None
    return _single_file(files)


def _single_file(files: list[bytes]) -> bytes:
    if len(files) != 1:
        raise RequestInvalid((f"file: must be exactly one part with a filename, but there are {len(files)}",))
    if not files[0]:
        raise RequestInvalid(("file: must not be empty",))
    if len(files[0]) > MAX_DIRECT_BYTES:
        raise PayloadTooLarge(MAX_DIRECT_BYTES)
    return files[0]


def _files(body: bytes, boundary: str) -> Iterator[bytes]:
    """Yield the content of every part that is a file. Raise MultipartError for a malformed body."""
    content: list[bytes] | None = None
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
                    content = [] if _is_file(event) else None
                elif content is None:
                    continue
                elif event is None:
                    yield b"".join(content)
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


def _is_file(part: MultipartSegment) -> bool:
    """Return whether the part is the picture. Raise MultipartError for repeated headers, or too many bytes of them."""
    names = [name for name, _ in part.headerlist]
    size = sum(len(name) + len(value) for name, value in part.headerlist)
    if len(set(names)) != len(names) or size > MAX_HEADER_BYTES:
        raise MultipartError("a part has repeated or too long headers")
    return part.name == "file" and part.filename is not None
