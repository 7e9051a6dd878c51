"""The picture in a form: one part named `file`, out of a strict and bounded `multipart/form-data` body.

What a part says of its content's type is not read: the picture's own bytes tell. Nor is a transfer encoding undone:
RFC 7578 has none, so encoded bytes are no picture. The parser costs a cold start 0.05 of the yardstick
(docs/decisions/0003), half of it for the standard library's tempfile and urllib.
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
"""No contract has a form with more than the picture; some uploaders send a text or two along."""

MAX_HEADERS = 8
"""Per part; three are known to RFC 7578."""

MAX_HEADER_BYTES = 4096
"""Of one header line, and of a part's headers together: room for a filename of any length a disk allows."""

MAX_OTHER_BYTES = 64 * 1024
"""Bytes of a body that are not the picture's. With them, a picture of the full size and base64 stays under the 6 MB
that Lambda takes in one call."""

_CHARSET = r';\s*charset="?[\w-]{1,40}"?\s*'
_FORM_TYPE = re.compile(
    rf"""multipart/form-data\s*(?:{_CHARSET})?;\s*boundary=("?)(?P<boundary>[\w'()+,./:=?-]{{1,70}})\1\s*(?:{_CHARSET})?""",
    re.ASCII | re.IGNORECASE,
)
"""The whole header, not a search in it: with two boundaries, another reader may take the other one."""


def parse_file(request: Request) -> bytes:
    """The content of the form's one file.

    Raises RequestInvalid where the body is no form in good order with exactly one file that holds something, and
    PayloadTooLarge where it is more than a call may carry. Parts named `file` without a filename are skipped: some
    uploaders send the file's name as a text before the file.
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
    return _the_one(files)


def _the_one(files: list[bytes]) -> bytes:
    if len(files) != 1:
        raise RequestInvalid((f"file: must be exactly one part with a filename, but there are {len(files)}",))
    if not files[0]:
        raise RequestInvalid(("file: must not be empty",))
    if len(files[0]) > MAX_DIRECT_BYTES:
        raise PayloadTooLarge(MAX_DIRECT_BYTES)
    return files[0]


def _files(body: bytes, boundary: str) -> Iterator[bytes]:
    """The content of every part that is a file; raises MultipartError."""
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
    """The body as the parser has to get it to be strict about both ends.

    What precedes the first boundary it refuses only when the first chunk is no longer than the boundary's line, and
    what follows the last one only when it comes in a chunk of its own. One line break may follow.
    """
    head = len(boundary) + len("\r\n--")
    body = body.removesuffix(b"\r\n")
    yield from filter(None, (body[:head], body[head:-1], body[head:][-1:]))


def _is_file(part: MultipartSegment) -> bool:
    """Whether it is the picture; raises MultipartError for headers that come twice, or are too long together."""
    names = [name for name, _ in part.headerlist]
    size = sum(len(name) + len(value) for name, value in part.headerlist)
    if len(set(names)) != len(names) or size > MAX_HEADER_BYTES:
        raise MultipartError("a part's headers are not in order")
    return part.name == "file" and part.filename is not None
