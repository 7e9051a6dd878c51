"""The page that shows docs/openapi.yaml, in a browser without internet access."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import expect, sync_playwright
from werkzeug.test import Client

from tests.openapi.conformance import document, operations
from tools.local.serving import listen, port_of, serve
from tools.local.site import Site

ROOT = Path(__file__).resolve().parents[2]
API = "http://127.0.0.1:1/v1"
TOKEN = "header.claims.signature"
SITE = Site(lambda: {"api": API, "users": {"ada": {"token": TOKEN}}})


def test_document_is_served_with_local_stack_as_server() -> None:
    given = Client(SITE).get("/openapi.yaml", base_url="http://127.0.0.1")
    assert given.content_type == "application/yaml"
    assert yaml.safe_load(given.data) == {**document(), "servers": [{"url": API}]}


@pytest.mark.parametrize(
    "path", ["/docs", "/docs/", "/docs/start.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"]
)
def test_page_and_its_files_are_served(path: str) -> None:
    with Client(SITE).get(path, base_url="http://127.0.0.1", buffered=True) as given:
        assert given.status_code == 200
        assert "script-src 'self';" in given.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path", ["/docs/__init__.py", "/docs/../site.py", "/docs/%2e%2e/site.py", "/docs/none", "/docsx"]
)
def test_other_files_are_not_served(path: str) -> None:
    assert Client(SITE).get(path, base_url="http://127.0.0.1").status_code == 404


def test_foreign_host_header_is_refused() -> None:
    for path in ("/docs", "/openapi.yaml"):
        assert Client(SITE).get(path, base_url="http://elsewhere.example.com").status_code == 403


@pytest.fixture
def origin() -> Iterator[str]:
    """Where the site is served."""
    listener = listen(0)
    port = port_of(listener)
    server = serve(SITE, listener)
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


@pytest.mark.browser
@pytest.mark.enable_socket
def test_page_shows_and_runs_every_operation(origin: str) -> None:
    found = subprocess.run([ROOT / "tools/scripts/browser"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip(found.stderr.strip())
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found.stdout.strip(), args=["--headless", "--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{origin}/docs")
        expect(page.locator(".opblock")).to_have_count(len(operations()), timeout=20_000)
        page.get_by_role("button", name=re.compile("^get .*media.*profile")).first.click()
        page.get_by_role("button", name="Try it out").click()
        with page.expect_request(f"{API}/media/profile") as tried:
            page.get_by_role("button", name="Execute").click()
        assert tried.value.headers["authorization"] == f"Bearer {TOKEN}"
        browser.close()
    assert {url for url in asked if not url.startswith(origin)} <= {f"{API}/media/profile"}
    assert [text for text in said if "ERR_" not in text and "CORS" not in text] == []
