"""The API's documentation to read and try: `docs/openapi.yaml` in Swagger UI, whose built files a package brings along.

Nothing is loaded from anywhere else, so it works offline.
"""

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

# The viewer sets styles on its elements and draws its icons from data URLs; scripts come from here only.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'"
)


def answer(request: Request) -> Response:
    """The page and its files; raises werkzeug's NotFound for any other."""
    name = request.path.removeprefix(PAGE).strip("/") or "index.html"
    if name not in _OURS | _VIEWERS:
        raise NotFound
    folder = Path(__file__).parent if name in _OURS else _viewer()
    response = send_from_directory(folder, name, request.environ)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def document(api: str) -> bytes:
    """The document, its server being the stack's own API."""
    content = yaml.load(FILE.read_bytes(), Loader=_LOADER)  # noqa: S506 - the safe one, in C where there is one
    content["servers"] = [{"url": api}]
    return yaml.dump(content, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, encoding="utf-8")


_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: type[yaml.SafeDumper | yaml.CSafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def _viewer() -> Path:
    """Where the package keeps the viewer's files; it is found, not imported."""
    package = find_spec("swagger_ui")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("swagger-ui-py is not installed: run `make install`")
    return Path(package.submodule_search_locations[0]) / "static"
