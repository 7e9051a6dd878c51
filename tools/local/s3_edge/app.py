"""The HTTP server that browsers talk to instead of S3 and instead of the CDN, as a WSGI application."""

import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request, Response

from tools.local.s3_edge import cors, media, store
from tools.local.s3_edge.documents import error_document, post_response
from tools.local.s3_edge.evaluation import evaluate, object_path
from tools.local.s3_edge.form import LARGEST_FILE, Body, Received, read_form
from tools.local.s3_edge.refusal import Refusal, denied, incomplete, too_large
from tools.local.s3_edge.signature import Keys

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from mypy_boto3_s3 import S3Client

MOST_DRAINED = 1024**3
"""Bytes of a refused request that are read and dropped: a browser reads no answer before it has sent its body."""

_NO_TOKENS: Mapping[str, str] = MappingProxyType({})


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def create_app(
    *,
    s3: "S3Client",
    uploads_bucket: str,
    media_bucket: str,
    credentials: Mapping[str, str],
    region: str,
    public_url: str,
    media_headers: Mapping[str, str],
    now: Callable[[], datetime] = utc_now,
    session_tokens: Mapping[str, str] = _NO_TOKENS,
) -> "WSGIApplication":
    """The edge over two buckets that exist already; their CORS rules are read here, once.

        POST, OPTIONS /{uploads_bucket}   forms, held to their policy as S3 does
        GET, HEAD /media/...              objects of the media bucket, as the CDN serves them
        anything else                     403

    Mount it on a port of its own, so that the browser's POST crosses origins as it will on AWS:

        app = create_app(s3=moto_client, ..., public_url="http://127.0.0.1:9001")
        werkzeug.serving.make_server("127.0.0.1", 9001, app, threaded=True).serve_forever()

    `public_url` is the origin browsers reach it at; grants are for `{public_url}/{uploads_bucket}`, and the media base
    URL is `public_url` itself. `credentials` maps the access keys that functions sign with to their secrets;
    `session_tokens` has the token of each that is temporary. `s3` needs PutObject, GetObject and GetBucketCors.
    """
    return _Edge(
        s3=s3,
        uploads_bucket=uploads_bucket,
        media_bucket=media_bucket,
        keys=Keys(dict(credentials), region, dict(session_tokens)),
        public_url=public_url.rstrip("/"),
        media_headers=dict(media_headers),
        rules=cors.read_rules(s3, uploads_bucket),
        now=now,
    )


@dataclass(slots=True)
class _Body:
    """The request's body, never read past its declared length: the connection may be kept open behind it."""

    source: Body
    left: int
    is_cut: bool = False

    def read(self, size: int, /) -> bytes:
        try:
            chunk = self.source.read(min(size, self.left))
        except (ClientDisconnected, ConnectionError):
            self.is_cut = True
            raise incomplete() from None
        self.left -= len(chunk)
        return chunk

    def drain(self) -> bool:
        """Drops the rest; False where it is too much, or the client is gone."""
        allowance = MOST_DRAINED
        try:
            while self.left and not self.is_cut and allowance > 0 and (chunk := self.read(1 << 16)):
                allowance -= len(chunk)
        except (OSError, Refusal):
            return False
        return not self.left


@dataclass(frozen=True, slots=True)
class _Edge:
    """The application."""

    s3: "S3Client"
    uploads_bucket: str
    media_bucket: str
    keys: Keys
    public_url: str
    media_headers: Mapping[str, str]
    rules: tuple[cors.Rule, ...]
    now: Callable[[], datetime]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        body = _Body(environ["wsgi.input"], max(0, request.content_length or 0))
        response = self._answer(request, body)
        if not body.drain() or "Transfer-Encoding" in request.headers:
            response.headers["Connection"] = "close"
        return response(environ, start_response)

    def _answer(self, request: Request, body: _Body) -> Response:
        request_id, host_id = secrets.token_hex(8).upper(), b64encode(secrets.token_bytes(48)).decode()
        try:
            response = self._route(request, body)
        except Refusal as refusal:
            document = error_document(refusal, request_id, host_id)
            response = Response(document, refusal.status, content_type="application/xml")
        response.headers["x-amz-request-id"] = request_id
        response.headers["x-amz-id-2"] = host_id
        if request.path.startswith("/media/"):
            return media.with_policy(response, self.media_headers)
        if request.method != "OPTIONS":
            response.headers.update(cors.actual(self.rules, request.method, request.headers.get("Origin")))
        return response

    def _route(self, request: Request, body: _Body) -> Response:
        bucket, _, key = request.path.removeprefix("/").partition("/")
        if bucket == "media":
            return media.serve(self.s3, self.media_bucket, request)
        if bucket != self.uploads_bucket:
            raise denied()
        if request.method == "OPTIONS":
            return _empty(HTTPStatus.OK, cors.preflight(self.rules, request.headers))
        if request.method != "POST" or request.query_string.startswith(b"delete"):
            raise denied()
        if key:
            message = "The specified method is not allowed against this resource."
            details = {"Method": "POST", "ResourceType": "OBJECT"}
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message, **details)
        return self._post(request, body)

    def _post(self, request: Request, body: _Body) -> Response:
        if request.content_length is None:
            message = "You must provide the Content-Length HTTP header."
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "MissingContentLength", message)
        if request.content_length > MOST_DRAINED:
            raise too_large(request.content_length, LARGEST_FILE)
        received = read_form(
            body,
            request.headers.get("Content-Type", ""),
            lambda fields, filename: evaluate(
                fields, filename, bucket=self.uploads_bucket, keys=self.keys, now=self.now()
            ),
        )
        with received.content:
            etag = store.put(self.s3, self.uploads_bucket, received)
        return self._stored(received, etag)

    def _stored(self, received: Received, etag: str) -> Response:
        """Success, in the form the sender asked for."""
        key = received.permission.properties.key
        location = f"{self.public_url}/{self.uploads_bucket}/{object_path(key)}"
        redirect = received.permission.redirect_to(self.uploads_bucket, etag)
        headers = {"ETag": etag, "Location": redirect or location}
        if redirect:
            return _empty(HTTPStatus.SEE_OTHER, headers)
        if received.permission.status == "201":
            document = post_response(location, self.uploads_bucket, key, etag)
            return Response(document, HTTPStatus.CREATED, headers, content_type="application/xml")
        return _empty(HTTPStatus.OK if received.permission.status == "200" else HTTPStatus.NO_CONTENT, headers)


def _empty(status: HTTPStatus, headers: Mapping[str, str]) -> Response:
    """An answer that is all in its headers."""
    response = Response(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response
