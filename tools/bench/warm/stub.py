"""Answer every call to AWS with prepared bytes, before botocore would open a connection."""

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.handlers import BUILTIN_HANDLERS

OWNER, UPLOAD_ID, OLD_ID = "auth0|ada", "6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90", "00000001-0000-4000-8000-000000000000"
SIZES = (("full", 512), ("thumb", 256), ("small", 128), ("icon", 64))


def _derivative(name: str, side: int) -> dict[str, Any]:
    return {
        "name": {"S": name},
        "digest": {"S": "0123456789abcdef0123456789abcdef"},
        "content_type": {"S": "image/webp"},
        "width": {"N": str(side)},
        "height": {"N": str(side)},
        "size": {"N": "40000"},
    }


DERIVATIVES = {"L": [{"M": _derivative(name, side)} for name, side in SIZES]}
UPLOAD = {
    "owner_id": {"S": OWNER},
    "upload_id": {"S": UPLOAD_ID},
    "slot": {"S": "avatar"},
    "state": {"S": "ready"},
    "content_type": {"S": "image/jpeg"},
    "content_length": {"N": "482113"},
    "created_at": {"N": "1795176000000"},
    "expires_at": {"N": "4102444800"},
    "width": {"N": "4000"},
    "height": {"N": "3000"},
    "derivatives": DERIVATIVES,
}
USER = {
    "user_id": {"S": OWNER},
    "avatar": {"M": {"upload_id": {"S": OLD_ID}, "derivatives": DERIVATIVES}},
    "identity": {"M": {"email_verified": {"BOOL": False}}},
    "created_at": {"N": "1795176000000"},
    "updated_at": {"N": "1795176000000"},
}


def _encode(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()


ANSWERS = {
    "TransactWriteItems": _encode({}),
    "TransactGetItems": _encode({"Responses": [{"Item": USER}, {"Item": UPLOAD}]}),
    "GetItem": _encode({"Item": UPLOAD}),
}


class _Body:
    """The interface from which botocore reads a response."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._content


class Stub:
    """A handler of botocore's `before-send` event. Its answer takes the place of the network's."""

    def __init__(self) -> None:
        self.calls: list[str] | None = []
        """The recorded calls; None while time is measured."""

    def __call__(self, request: Any, event_name: str, **_: object) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        if self.calls is not None:
            self.calls.append(operation + _items(request.body))
        body = ANSWERS[operation]
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "Content-Length": str(len(body)),
            "x-amzn-RequestId": "B3CEMORVQMNSUSQ9K5N6V8GNHRVV4KQNSO5AEMVJF66Q9ASUAAJG",
            "x-amz-crc32": str(zlib.crc32(body)),
        }
        return AWSResponse(request.url, 200, HTTPHeaders.from_dict(headers), _Body(body))

    def install(self) -> None:
        """Serve every botocore session that is made from now on."""
        BUILTIN_HANDLERS.append(("before-send", self))


def _items(body: bytes) -> str:
    """Return the kinds of items of a transaction."""
    kinds = sorted(kind for item in json.loads(body).get("TransactItems", ()) for kind in item)
    return f" ({', '.join(kinds)})" if kinds else ""
