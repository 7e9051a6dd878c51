"""Serve the profile page, the console, the JavaScript client, `stack.json` and the API documentation at `/docs`."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import HTTPException
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Request, Response

from tools.local import api_docs

PAGE = Path(__file__).parent / "page"
CLIENT = Path(__file__).resolve().parents[2] / "clients" / "js"

PAGES = {"/": "index.html", "/console": "console/index.html"}

_CLIENT_FILE = re.compile(r"/client/(src|element)/(.+)")
_IMPORT_MAP = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)

# The parts of the stack use any free ports of 127.0.0.1. Profiles can contain any https picture.
_POLICY = (
    "default-src 'none'; script-src 'self' {import_maps}; style-src 'self'; "
    "img-src 'self' blob: https: http://127.0.0.1:* http://localhost:*; "
    "connect-src 'self' http://127.0.0.1:* http://localhost:*; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Site:
    """The pages as a WSGI application. `describe` returns the content of stack.json, with fresh tokens."""

    describe: Callable[[], dict[str, Any]]
    folder: Path = PAGE

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = self._answer(Request(environ))
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        # DNS rebinding: a foreign page whose host name resolves to this machine must not read the tokens.
        if request.host.partition(":")[0] not in ("127.0.0.1", "localhost"):
            return Response("use http://127.0.0.1\n", 403)
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers={"Allow": "GET, HEAD"})
        if request.path == "/stack.json":
            return Response(json.dumps(self.describe()), content_type="application/json")
        if request.path == api_docs.DOCUMENT:
            return Response(api_docs.document(self.describe()["api"]), content_type="application/yaml")
        return self._file(request)

    def _file(self, request: Request) -> Response:
        if page := PAGES.get(request.path):
            return _page((self.folder / page).read_bytes())
        try:
            if request.path == api_docs.PAGE or request.path.startswith(f"{api_docs.PAGE}/"):
                return api_docs.answer(request)
            if found := _CLIENT_FILE.fullmatch(request.path):
                return send_from_directory(CLIENT / found[1], found[2], request.environ)
            return send_from_directory(self.folder, request.path.lstrip("/"), request.environ)
        except HTTPException as error:
            return Response(f"{error.name}\n", error.code)


def _page(html: bytes) -> Response:
    """Return a page whose policy allows its import map, which browsers accept only inside the page."""
    hashes = (base64.b64encode(hashlib.sha256(found).digest()).decode() for found in _IMPORT_MAP.findall(html))
    policy = _POLICY.format(import_maps=" ".join(f"'sha256-{digest}'" for digest in hashes))
    return Response(html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})
