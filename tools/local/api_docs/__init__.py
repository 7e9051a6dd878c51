"""Serve `docs/openapi.yaml` with Swagger UI, whose files are in an installed package. It works offline."""

from importlib.util import find_spec
from pathlib import Path

import yaml
from werkzeug.exceptions import NotFound
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Request, Response

PAGE = "/docs"
DOCUMENT = "/openapi.yaml"

FILE = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"

_OURS = frozenset({"index.html", "start.js"})
_VIEWERS = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})

# Swagger UI sets inline styles and uses data URLs for icons. Scripts come only from this server.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'"
)


def answer(request: Request) -> Response:
    """Return a file of the page. Raise NotFound for any other path."""
    name = request.path.removeprefix(PAGE).strip("/") or "index.html"
    if name not in _OURS | _VIEWERS:
        raise NotFound
    folder = Path(__file__).parent if name in _OURS else _viewer()
    response = send_from_directory(folder, name, request.environ)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def document(api: str) -> bytes:
    """Return the document with the local API as its server."""
    content = yaml.load(FILE.read_bytes(), Loader=_LOADER)  # noqa: S506 - a safe loader, in C if available
    content["servers"] = [{"url": api}]
    return yaml.dump(content, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, encoding="utf-8")


_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: type[yaml.SafeDumper | yaml.CSafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def _viewer() -> Path:
    """Return the folder of Swagger UI's files, without importing its package."""
    package = find_spec("swagger_ui")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("swagger-ui-py is not installed: run `make install`")
    return Path(package.submodule_search_locations[0]) / "static"
