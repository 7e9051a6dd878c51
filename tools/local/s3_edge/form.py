"""Reads a form as it arrives: fields first, kept in memory and bounded, then one file, kept on disk once it is large.

Nothing of a file is kept before its form was found in order, and no more of it than the policy allows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Protocol

import multipart  # type: ignore[import-untyped, unused-ignore]

from tools.local.s3_edge.evaluation import Permission
from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import bad_request, malformed_form, not_a_form, not_one_file, too_large

MOST_BEFORE_FILE = 20_480
"""Bytes of fields, their headers and boundaries, before the file: S3's 20 KB."""

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes the edge keeps, whatever a policy allows: it stands in for S3 on somebody's laptop."""

LONGEST_BOUNDARY = 70
"""Bytes (RFC 2046)."""

MOST_PARTS = 1000
"""Parts after the file are ignored, not endured: what fits before it is bounded by its bytes already."""

_CHUNK = 1 << 16
_IN_MEMORY = 1 << 20


class Body(Protocol):
    """The request's bytes, ending where its Content-Length says."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, and none at the end."""


@dataclass(slots=True)
class Received:
    """A file that arrived whole, with what its form may do with it."""

    permission: Permission
    content: IO[bytes]
    size: int


@dataclass(slots=True)
class _Reading:
    """Where the reading of a form stands."""

    admit: Callable[[Fields, str | None], Permission]
    boundary_size: int
    pairs: list[tuple[str, str]] = field(default_factory=list)
    before_file: int = 0
    name: str = ""
    value: bytearray = field(default_factory=bytearray)
    files: int = 0
    received: Received | None = None

    def start(self, name: str, filename: str | None, headers: list[tuple[str, str]]) -> None:
        """A part begins. Only the name makes it the file; toolkits put a filename on everything."""
        self.name = name
        self.value.clear()
        if name.lower() == "file":
            self.files += 1
            if self.files > 1:
                raise not_one_file(self.files)
            permission = self.admit(Fields(self.pairs), filename)
            # Closed by `read_form`, or by its caller.
            content = SpooledTemporaryFile[bytes](_IN_MEMORY)
            self.received = Received(permission, content, 0)
        elif not self.files:
            self._count(self.boundary_size + sum(len(key) + len(value) + 4 for key, value in headers))

    def take(self, chunk: bytes) -> None:
        """Bytes of the part arrive."""
        if self.received is None:
            self._count(len(chunk))
            self.value += chunk
        elif self.name.lower() == "file":
            self.received.size += len(chunk)
            # Bytes over the limit are counted, for the answer names their number, but not kept.
            if self.received.size <= min(self.received.permission.size.largest, LARGEST_FILE):
                self.received.content.write(chunk)

    def end(self) -> None:
        """The part is whole. Fields after the file are ignored."""
        if self.received is None:
            try:
                self.pairs.append((self.name, self.value.decode()))
            except UnicodeDecodeError as error:
                raise malformed_form() from error

    def _count(self, size: int) -> None:
        self.before_file += size
        if self.before_file > MOST_BEFORE_FILE:
            message = "Your POST request fields preceeding the upload file was too large."
            limit = {"MaxPostPreDataLengthBytes": str(MOST_BEFORE_FILE)}
            raise bad_request("MaxPostPreDataLengthExceeded", message, **limit)


def read_form(body: Body, content_type: str, admit: Callable[[Fields, str | None], Permission]) -> Received:
    """Reads the whole form, asking `admit` as soon as the file begins; the caller closes the content.

    Raises Refusal, from `admit` or of its own: 412 where it is no form, 400 where it is a broken one.
    """
    boundary = _boundary(content_type)
    reading = _Reading(admit, len(boundary) + len("--\r\n\r\n\r\n"))
    try:
        _parse(body, boundary, reading)
        if reading.received is None:
            raise not_one_file(0)
        received = reading.received
        if received.size > LARGEST_FILE:
            raise too_large(received.size, LARGEST_FILE)
        received.permission.check_content(received.content, received.size)
        received.content.seek(0)
    except BaseException:
        if reading.received:
            reading.received.content.close()
        raise
    return received


def _boundary(content_type: str) -> str:
    media_type, options = multipart.parse_options_header(content_type)
    if media_type != "multipart/form-data":
        raise not_a_form()
    boundary = str(options.get("boundary", ""))
    if not 1 <= len(boundary) <= LONGEST_BOUNDARY:
        raise malformed_form()
    return boundary


def _parse(body: Body, boundary: str, reading: _Reading) -> None:
    try:
        with multipart.PushMultipartParser(boundary, max_segment_count=MOST_PARTS) as parser:
            for event in parser.parse_blocking(body.read, _CHUNK):
                if event is None:
                    reading.end()
                elif isinstance(event, multipart.MultipartSegment):
                    reading.start(event.name, event.filename, event.headerlist)
                else:
                    reading.take(bytes(event))
    except (multipart.MultipartError, OSError) as error:
        raise malformed_form() from error
