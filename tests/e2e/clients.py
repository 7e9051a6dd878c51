"""Pages that use clients/js, from the origin that the local stack allows, with a strict Content-Security-Policy."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route

from tests.e2e.chromium import DEADLINE_MS

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "js"

TYPES = {".js": "text/javascript", ".html": "text/html", ".css": "text/css"}

type Stack = Mapping[str, Any]


@contextmanager
def client_page(browser: Browser, stack: Stack, errors: list[str], **options: Any) -> Iterator[Page]:
    """Open a page that can load clients/js.

    Console errors and warnings, uncaught exceptions and violations of the policy are appended to `errors`.
    """
    # Playwright answers for the page's server, so Chromium does not know that the page is of this machine.
    page = browser.new_page(permissions=["local-network-access"], **options)
    page.set_default_timeout(DEADLINE_MS)
    page.on("console", lambda said: errors.append(f"{said.text} {said.location}") if said.type != "log" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    serve(page, stack, CLIENT)
    yield page
    page.close()


def serve(page: Page, stack: Stack, folder: Path, under: str = "client/") -> None:
    """Serve a folder's files below a path of the page's origin."""
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: {stack['media']}; "
        f"connect-src {stack['api']} {stack['media']}"
    )

    def answer(route: Route) -> None:
        path = folder / urlsplit(route.request.url).path.partition(under)[2]
        if not path.is_file():
            return route.fulfill(status=404)
        headers = {"Content-Security-Policy": policy, "Content-Type": TYPES[path.suffix]}
        return route.fulfill(body=path.read_bytes(), headers=headers)

    page.route(f"{stack['page']}/{under}**", answer)


def open_example(page: Page, stack: Stack, built: Path, name: str, token: str = "") -> None:
    """Open an example as Grace, or with another token."""
    serve(page, stack, built, "client/examples/built/")
    token = token or stack["users"]["grace"]["token"]
    page.goto(f"{stack['page']}/client/examples/{name}.html#api={stack['api']}&token={token}")
