"""The stand-in of the CDN over the media bucket: anybody can read what is under `media/`, and nothing else exists."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from tools.local.s3_edge import store
from tools.local.s3_edge.refusal import denied

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_KEY = re.compile(r"media/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""No empty segment and no dots in front: a path that anything on the way could read in another way names no object."""


def serve(s3: "S3Client", bucket: str, request: Request) -> Response:
    """The object with its own headers, or 304; raises Refusal for everything else."""
    key = request.path.removeprefix("/")
    if request.method not in ("GET", "HEAD") or not _KEY.fullmatch(key):
        raise denied()
    found = store.get(s3, bucket, key)
    response = Response(found["Body"].read(), content_type=found["ContentType"])
    response.headers["ETag"] = found["ETag"]
    response.last_modified = found["LastModified"]
    if cache_control := found.get("CacheControl"):
        response.headers["Cache-Control"] = cache_control
    response.make_conditional(request.environ)
    del response.headers["Date"]  # the server writes its own
    return response


def with_policy(response: Response, headers: Mapping[str, str]) -> Response:
    """Adds the headers of the response headers policy, on refusals, too."""
    for name, value in headers.items():
        response.headers[name] = value
    return response
