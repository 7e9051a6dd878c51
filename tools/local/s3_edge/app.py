"""The HTTP server that browsers use instead of S3 and of the CDN.

    POST, OPTIONS /{uploads_bucket}   forms, accepted or refused by their policy
    GET, HEAD /media/...              objects of the media bucket, as the CDN serves them
    anything else                     403

It has a port of its own, so that the browser's POST is a cross-origin request, as on AWS.
"""

import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError
from werkzeug.wrappers import Request, Response

from tools.local.s3_edge.evaluation import evaluate
from tools.local.s3_edge.form import MAX_FILE_BYTES, Received, read_form
from tools.local.s3_edge.refusal import Refusal, denied, too_large, xml_document
from tools.local.s3_edge.signature import Keys

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from mypy_boto3_s3 import S3Client

VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
MAX_REQUEST_BYTES = MAX_FILE_BYTES + 1024**2

_MEDIA_KEY = re.compile(r"media/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""No empty segments and no leading dots: a path that a proxy could rewrite names no object."""


def create_app(
    *,
    s3: "S3Client",
    uploads_bucket: str,
    media_bucket: str,
    credentials: Mapping[str, str],
    region: str,
    public_url: str,
    media_headers: Mapping[str, str],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> "WSGIApplication":
    """Return the server for two existing buckets. The uploads bucket's CORS rules are read once, here.

    `public_url` is the origin that browsers use. `credentials` maps access key ids to secrets.
    """
    edge = _Edge(
        s3=s3,
        uploads_bucket=uploads_bucket,
        media_bucket=media_bucket,
        keys=Keys(dict(credentials), region),
        public_url=public_url.rstrip("/"),
        media_headers=media_headers,
        cors_rules=_cors_rules(s3, uploads_bucket),
        now=now,
    )
    return Request.application(edge.answer)


@dataclass(frozen=True, slots=True)
class _Edge:
    s3: "S3Client"
    uploads_bucket: str
    media_bucket: str
    keys: Keys
    public_url: str
    media_headers: Mapping[str, str]
    cors_rules: list[dict[str, Any]]
    now: Callable[[], datetime]

    def answer(self, request: Request) -> Response:
        request_id, host_id = secrets.token_hex(8).upper(), b64encode(secrets.token_bytes(48)).decode()
        try:
            response = self._route(request)
        except Refusal as refusal:
            document = refusal.document(request_id, host_id)
            response = Response(document, refusal.status, content_type="application/xml")
        response.headers.update({"x-amz-request-id": request_id, "x-amz-id-2": host_id})
        if request.path.startswith("/media/"):
            response.headers.update(self.media_headers)
        elif request.method != "OPTIONS":
            response.headers.update({"Vary": VARY, **(self._cors(request, request.method) or {})})
        return response

    def _route(self, request: Request) -> Response:
        if request.path.startswith("/media/"):
            return self._serve_media(request)
        if request.path != f"/{self.uploads_bucket}" or request.query_string:
            raise denied()
        if request.method == "OPTIONS":
            return self._preflight(request)
        if request.method != "POST":
            raise denied()
        return self._post(request)

    def _post(self, request: Request) -> Response:
        if request.content_length is None:
            raise Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
        if request.content_length > MAX_REQUEST_BYTES:
            raise too_large(request.content_length, MAX_FILE_BYTES)
        received = read_form(
            request.stream,
            request.headers.get("Content-Type", ""),
            lambda fields, filename: evaluate(
                fields, filename, bucket=self.uploads_bucket, keys=self.keys, now=self.now()
            ),
        )
        return self._stored(received, self._put(received))

    def _put(self, received: Received) -> str:
        """Store the file and return its ETag."""
        target = {"Bucket": self.uploads_bucket, "Key": received.permission.key}
        parameters: dict[str, Any] = {**target, **received.permission.stored}
        try:
            return self.s3.put_object(Body=received.content, **parameters)["ETag"]
        except (BotoCoreError, ClientError) as error:
            raise _unavailable() from error

    def _stored(self, received: Received, etag: str) -> Response:
        key, status = received.permission.key, received.permission.status
        location = f"{self.public_url}/{self.uploads_bucket}/{quote(key, safe='')}"
        headers = {"ETag": etag, "Location": location}
        if status == "201":
            elements = {"Location": location, "Bucket": self.uploads_bucket, "Key": key, "ETag": etag}
            return Response(xml_document("PostResponse", elements), 201, headers, content_type="application/xml")
        return Response(status=200 if status == "200" else 204, headers=headers)

    def _serve_media(self, request: Request) -> Response:
        key = request.path.removeprefix("/")
        if request.method not in ("GET", "HEAD") or not _MEDIA_KEY.fullmatch(key):
            raise denied()
        try:
            found = self.s3.get_object(Bucket=self.media_bucket, Key=key)
        except ClientError as error:
            # The CDN may not list the bucket, so S3 answers 403, not 404, for an unknown key.
            raise denied() from error
        except BotoCoreError as error:
            raise _unavailable() from error
        response = Response(found["Body"].read(), content_type=found["ContentType"])
        response.headers["ETag"] = found["ETag"]
        response.last_modified = found["LastModified"]
        if cache_control := found.get("CacheControl"):
            response.headers["Cache-Control"] = cache_control
        response.make_conditional(request.environ)
        return response

    def _preflight(self, request: Request) -> Response:
        wanted = request.headers.get("Access-Control-Request-Headers", "")
        names = [name.strip().lower() for name in wanted.split(",") if name.strip()]
        headers = self._cors(request, request.headers.get("Access-Control-Request-Method", ""), names)
        if headers is None:
            message = "CORSResponse: This CORS request is not allowed by the bucket's CORS rules."
            raise Refusal(403, "AccessForbidden", message)
        return Response(status=200, headers={**headers, "Vary": VARY})

    def _cors(self, request: Request, method: str, wanted: list[str] | None = None) -> dict[str, str] | None:
        """Return the headers of the first CORS rule that allows the request, or None."""
        origin = request.headers.get("Origin", "")
        for rule in self.cors_rules:
            allowed_headers = [pattern.lower() for pattern in rule.get("AllowedHeaders", [])]
            if (
                _matches(origin, rule["AllowedOrigins"])
                and method in rule["AllowedMethods"]
                and all(_matches(name, allowed_headers) for name in wanted or [])
            ):
                headers = {
                    "Access-Control-Allow-Origin": "*" if "*" in rule["AllowedOrigins"] else origin,
                    "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethods"]),
                    "Access-Control-Allow-Headers": ", ".join(wanted or []),
                    "Access-Control-Expose-Headers": ", ".join(rule.get("ExposeHeaders", [])),
                    "Access-Control-Max-Age": str(rule.get("MaxAgeSeconds", "")),
                }
                return {name: value for name, value in headers.items() if value}
        return None


def _matches(text: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _unavailable() -> Refusal:
    return Refusal(503, "ServiceUnavailable", "Please reduce your request rate.")


def _cors_rules(s3: "S3Client", bucket: str) -> list[dict[str, Any]]:
    try:
        return [dict(rule) for rule in s3.get_bucket_cors(Bucket=bucket)["CORSRules"]]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchCORSConfiguration":
            return []
        raise
