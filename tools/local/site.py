"""Serve the demo page, `stack.json` with addresses and tokens, and the API documentation at `/docs`."""

import json
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


@dataclass(frozen=True)
class Site:
    """The page as a WSGI application. `describe` returns the content of stack.json, with fresh tokens."""

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
        try:
            if request.path == api_docs.PAGE or request.path.startswith(f"{api_docs.PAGE}/"):
                return api_docs.answer(request)
            return send_from_directory(self.folder, request.path.lstrip("/") or "index.html", request.environ)
        except HTTPException as error:
            return Response(f"{error.name}\n", error.code)
