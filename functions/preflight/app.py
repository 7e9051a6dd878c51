"""OPTIONS (every path): answer CORS preflights."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from profile_media.http.cors import preflight_headers
from profile_media.http.request import headers_of
from profile_media.wiring.edge import allowed_origins


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    headers = preflight_headers(headers_of(event).get("origin"), allowed_origins())
    headers = {**headers, "x-correlation-id": str(event["requestContext"]["requestId"])}
    return {"statusCode": HTTPStatus.NO_CONTENT.value, "headers": headers, "body": "", "isBase64Encoded": False}
