"""The command line, the state file and the page. tests/e2e tests the whole stack."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from werkzeug.test import Client

from tools.local.addresses import Addresses
from tools.local.options import PORTS, Options, parse_arguments
from tools.local.site import Site
from tools.local.stack import running
from tools.local.state import (
    StackNotRunning,
    StackRunning,
    locked,
    read_state,
    remove_stale_state,
    remove_state,
    write_state,
)


def test_arguments_set_parameters_and_ports() -> None:
    options = parse_arguments(
        ["--params", 'PurgeDelaySeconds=2 AllowedOrigins="https://a,https://b"', "--ports", "4000"]
    )
    assert options.parameters == {"PurgeDelaySeconds": "2", "AllowedOrigins": "https://a,https://b"}
    assert options.ports == {"api": 4000, "page": 4001, "edge": 4002, "issuer": 4003, "aws": 4004}
    assert parse_arguments(["--params", "", "--ports", ""]).ports == PORTS
    assert parse_arguments(["--ports", "api=8080"]).ports == {**PORTS, "api": 8080}
    assert set(parse_arguments(["--ports", "0"]).ports.values()) == {0}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--params", "PurgeDelaySeconds"],
        ["--ports", "door=1"],
        ["--ports", "api=x"],
        ["--ports", "99999"],
        ["--ports", "65534"],
        ["--ports", "api=-1"],
        ["--params", "AllowedOrigins=localhost:5173"],
        ["--params", "AllowedOrigins=http://localhost:5173/"],
    ],
)
def test_invalid_argument_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("make up: error: ")


def test_state_file_is_private_and_removed_at_the_end(tmp_path: Path) -> None:
    with pytest.raises(StackNotRunning):
        read_state(tmp_path)
    write_state(tmp_path, {"api": "http://a"})
    assert read_state(tmp_path) == {"api": "http://a", "pid": os.getpid()}
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["stack.json"]
    remove_state(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_stale_state_file_is_removed_and_another_stacks_is_kept(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    (tmp_path / "stack.json").write_text(json.dumps({"pid": ended.pid}))
    with pytest.raises(StackNotRunning):
        read_state(tmp_path)
    remove_stale_state(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "stack.json").write_text(json.dumps({"pid": os.getppid()}))
    remove_stale_state(tmp_path)
    remove_state(tmp_path)
    assert (tmp_path / "stack.json").exists()


def test_second_stack_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(StackRunning, match="is starting already"), running(Options(state=tmp_path)):
            pass
        write_state(tmp_path, {"page": "http://127.0.0.1:3001"})
        before = (tmp_path / "stack.json").read_bytes()
        second = subprocess.run(
            [sys.executable, "-m", "tools.local", "--state", str(tmp_path)],
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert second.returncode == 1
        assert "running on http://127.0.0.1:3001 already" in second.stderr
        assert len(second.stderr.splitlines()) == 1
        assert (tmp_path / "stack.json").read_bytes() == before
    with locked(tmp_path):
        pass


@pytest.fixture
def site(tmp_path: Path) -> Client:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text('<!doctype html><script type="importmap">{"imports": {}}</script>')
    (page / "page.js").write_text("export {}")
    (page / "style.css").write_text("")
    (tmp_path / "secret").write_text("secret")
    return Client(Site(lambda: {"api": "http://a"}, page))


def test_page_files_have_the_types_that_browsers_require(site: Client) -> None:
    client = dict.fromkeys(["/client/src/index.js", "/client/element/index.js"], "text/javascript")
    types = {"/": "text/html", "/page.js": "text/javascript", "/style.css": "text/css", **client}
    for path, mimetype in types.items():
        answer = site.get(path)
        assert (answer.status_code, answer.mimetype) == (200, mimetype)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        answer.close()
    assert site.get("/stack.json").json == {"api": "http://a"}


def test_policy_allows_the_import_map_of_the_page_and_no_other_inline_script(site: Client) -> None:
    digest = base64.b64encode(hashlib.sha256(b'{"imports": {}}').digest()).decode()
    (scripts,) = re.findall(r"script-src ([^;]*);", site.get("/").headers["Content-Security-Policy"])
    assert scripts.split() == ["'self'", f"'sha256-{digest}'"]


@pytest.mark.parametrize(
    "path",
    ["/../secret", "/%2e%2e/secret", "/nothing", "//etc/passwd", "/client/package.json", "/client/src/../package.json"],
)
def test_other_files_are_not_served(path: str, site: Client) -> None:
    assert site.get(path).status_code == 404


def test_tokens_are_served_only_to_loopback_hosts(site: Client) -> None:
    assert site.get("/stack.json", base_url="http://127.0.0.1:3001").status_code == 200
    assert site.get("/stack.json", base_url="http://rebound.example:3001").status_code == 403
    assert site.post("/stack.json").status_code == 405


def test_given_origins_are_added_to_the_pages_own() -> None:
    addresses = Addresses("http://a", "http://127.0.0.1:3001", "http://e", "http://i", "http://aws")
    given = addresses.given_parameters({"AllowedOrigins": "http://localhost:5173, http://localhost:3001"})
    own = "http://127.0.0.1:3001,http://localhost:3001"
    assert given == {"AllowedOrigins": f"{own},http://localhost:5173"}
    assert addresses.given_parameters({"AllowedOrigins": ""}) == {"AllowedOrigins": own}
    assert addresses.given_parameters({}) == {}
