"""Builders of requests as the dialects get them."""

import json
from typing import Any

from profile_media.domain.model import Caller
from profile_media.http.links import Links
from profile_media.http.request import Request
from tests.builders import ADA

LINKS = Links("profile-media", "https://media.example.com")


def a_request(**members: Any) -> Request:
    """Build a request of Ada's."""
    usual: dict[str, Any] = {"caller": Caller(ADA), "correlation_id": "correlation", "links": LINKS}
    return Request(**usual | members)


def a_json_request(body: object, **members: Any) -> Request:
    """Build a request whose body is JSON: text is sent as it is, anything else is serialized."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode(errors="surrogatepass")
    return a_request(**{"headers": {"content-type": "application/json"}, "body": content} | members)
