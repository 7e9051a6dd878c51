"""Read a multipart form: first the fields, then one file. Fields after the file are ignored, as S3 ignores them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO

import multipart  # type: ignore[import-untyped, unused-ignore]
from werkzeug.exceptions import ClientDisconnected

from tools.local.s3_edge.evaluation import Permission
from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import Refusal, bad_argument, malformed_form, too_large

MAX_BYTES_BEFORE_FILE = 20_480
MAX_FILE_BYTES = 32 * 1024 * 1024
"""More than any upload limit of this service; S3 itself accepts 5 GB."""

MAX_PARTS = 1000
_CHUNK_BYTES = 1 << 16

type Admit = Callable[[Fields, str | None], Permission]


@dataclass(frozen=True, slots=True)
class Received:
    """A completely received file, and the permission of its form."""

    permission: Permission
    content: bytes


@dataclass(slots=True)
class _Form:
    """The state while a form is read."""

    admit: Admit
    boundary_bytes: int
    pairs: list[tuple[str, str]] = field(default_factory=list)
    bytes_before_file: int = 0
    name: str = ""
    value: bytearray = field(default_factory=bytearray)
    permission: Permission | None = None
    content: BytesIO = field(default_factory=BytesIO)
    size: int = 0

    def start_part(self, part: multipart.MultipartSegment) -> None:
        """Begin a part. It is the file if its name is `file`: some clients give every part a filename."""
        self.name = part.name.lower()
        self.value.clear()
        if self.name == "file":
            if self.permission is not None:
                raise _not_one_file(2)
            self.permission = self.admit(Fields(self.pairs), part.filename)
        elif self.permission is None:
            headers = sum(len(name) + len(value) + 4 for name, value in part.headerlist)
            self._count(self.boundary_bytes + headers)

    def add(self, chunk: bytes) -> None:
        """Append bytes to the current part. Bytes over the limit are counted, but not kept."""
        if self.permission is None:
            self._count(len(chunk))
            self.value += chunk
        elif self.name == "file":
            self.size += len(chunk)
            if self.size <= min(self.permission.size.largest, MAX_FILE_BYTES):
                self.content.write(chunk)

    def end_part(self, part_name: str) -> None:
        """Keep the field, if it comes before the file."""
        if self.permission is None:
            try:
                self.pairs.append((part_name, self.value.decode()))
            except UnicodeDecodeError as error:
                raise malformed_form() from error

    def received(self) -> Received:
        """Return the file, after the checks that need all of it."""
        if self.permission is None:
            raise _not_one_file(0)
        if self.size > MAX_FILE_BYTES:
            raise too_large(self.size, MAX_FILE_BYTES)
        self.permission.check_content(self.content, self.size)
        return Received(self.permission, self.content.getvalue())

    def _count(self, size: int) -> None:
        self.bytes_before_file += size
        if self.bytes_before_file > MAX_BYTES_BEFORE_FILE:
            message = "Your POST request fields preceeding the upload file was too large."
            limit = str(MAX_BYTES_BEFORE_FILE)
            raise Refusal(400, "MaxPostPreDataLengthExceeded", message, MaxPostPreDataLengthBytes=limit)


def read_form(body: IO[bytes], content_type: str, admit: Admit) -> Received:
    """Read a whole form. Call `admit` with the fields when the file begins, before any byte of it is kept.

    Raise Refusal: 412 if the request is not a form, 400 if the form is malformed, or whatever `admit` raises.
    """
    boundary = _boundary(content_type)
    form = _Form(admit, len(boundary) + len("--\r\n\r\n\r\n"))
    part_name = ""
    try:
        with multipart.PushMultipartParser(boundary, max_segment_count=MAX_PARTS) as parser:
            for event in parser.parse_blocking(body.read, _CHUNK_BYTES):
                if event is None:
                    form.end_part(part_name)
                elif isinstance(event, multipart.MultipartSegment):
                    part_name = event.name
                    form.start_part(event)
                else:
                    form.add(bytes(event))
    except (ClientDisconnected, ConnectionError) as error:
        message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
        raise Refusal(400, "IncompleteBody", message) from error
    except multipart.MultipartError as error:
        raise malformed_form() from error
    return form.received()


def _not_one_file(count: int) -> Refusal:
    return bad_argument("POST requires exactly one file upload per request.", "file", str(count))


def _boundary(content_type: str) -> str:
    media_type, options = multipart.parse_options_header(content_type)
    if media_type != "multipart/form-data":
        message = "At least one of the pre-conditions you specified did not hold"
        condition = "Bucket POST must be of the enclosure-type multipart/form-data"
        raise Refusal(412, "PreconditionFailed", message, Condition=condition)
    boundary = str(options.get("boundary", ""))
    if not 1 <= len(boundary) <= 70:  # RFC 2046
        raise malformed_form()
    return boundary
