"""S3's error answers: status, code, message and XML document.

If S3's reference and S3's observed answer differ, the observed answer is used, because clients match on it.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from xml.sax.saxutils import escape

_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Refusal(Exception):
    """S3 refuses the request. `details` become elements of the XML document."""

    def __init__(self, status: int, code: str, message: str, **details: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = HTTPStatus(status)
        self.code = code
        self.message = message
        self.details = details

    def document(self, request_id: str, host_id: str) -> str:
        """Render the XML error document."""
        elements = {"Code": self.code, "Message": self.message, **self.details}
        return xml_document("Error", {**elements, "RequestId": request_id, "HostId": host_id})


def xml_document(root: str, elements: Mapping[str, str]) -> str:
    """Render S3's flat XML. Characters that XML cannot hold become U+FFFD."""

    def text(value: str) -> str:
        # XML parsers read a bare carriage return as a line feed, so it is escaped.
        return escape(_NOT_IN_XML.sub("\ufffd", value), {"\r": "&#13;"})

    inner = "".join(f"<{name}>{text(value)}</{name}>" for name, value in elements.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{inner}</{root}>'


def denied(message: str = "Access Denied") -> Refusal:
    """403 AccessDenied."""
    return Refusal(403, "AccessDenied", message)


def against_policy(detail: str) -> Refusal:
    """403: the form does not satisfy its policy."""
    return denied(f"Invalid according to Policy: {detail}")


def bad_argument(message: str, name: str, value: str) -> Refusal:
    """400 InvalidArgument: one field of the form is wrong."""
    return Refusal(400, "InvalidArgument", message, ArgumentName=name, ArgumentValue=value)


def missing_field(name: str) -> Refusal:
    """400: a required field is missing, or comes after the file."""
    message = (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )
    return bad_argument(message, name, "")


def malformed_form() -> Refusal:
    """400: the body is not a complete multipart form."""
    message = "The body of your POST request is not well-formed multipart/form-data."
    return Refusal(400, "MalformedPOSTRequest", message)


def too_large(size: int, limit: int) -> Refusal:
    """400: the file has more bytes than the policy, or this server, accepts."""
    message = "Your proposed upload exceeds the maximum allowed size"
    return Refusal(400, "EntityTooLarge", message, ProposedSize=str(size), MaxSizeAllowed=str(limit))


def too_small(size: int, limit: int) -> Refusal:
    """400: the file has fewer bytes than the policy requires."""
    message = "Your proposed upload is smaller than the minimum allowed size"
    return Refusal(400, "EntityTooSmall", message, ProposedSize=str(size), MinSizeAllowed=str(limit))
