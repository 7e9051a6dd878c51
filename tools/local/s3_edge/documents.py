"""The XML that S3 answers with, its elements in S3's order and without a namespace."""

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape

from tools.local.s3_edge.refusal import Refusal

_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def error_document(refusal: Refusal, request_id: str, host_id: str) -> str:
    """What went wrong, for people and for SDKs."""
    told = {"Code": refusal.code, "Message": refusal.message, **refusal.details}
    return _document("Error", [*told.items(), ("RequestId", request_id), ("HostId", host_id)])


def post_response(location: str, bucket: str, key: str, etag: str) -> str:
    """What a form that asked for a 201 is told of its object."""
    return _document("PostResponse", [("Location", location), ("Bucket", bucket), ("Key", key), ("ETag", etag)])


def _document(root: str, elements: Iterable[tuple[str, str]]) -> str:
    inner = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in elements)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{inner}</{root}>'


def _text(value: str) -> str:
    """Whatever a client sent, as text that every parser reads: XML has no way to write some characters."""
    # A bare carriage return would be read back as a line feed.
    return escape(_UNWRITABLE.sub("\ufffd", value), {"\r": "&#13;"})
