"""Dialect 4's clients: the published SDKs, unmodified except for their base URL and key.

They are installed from lock files, outside the project's environment: one with `npm ci`, one with uv
(tools/requirements/sdk.txt). To upgrade them, run `npm install --package-lock-only @clerk/backend@latest` in
tests/e2e/sdks, and `make lock ARGS=--upgrade`.
"""

import base64
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from profile_media.domain.policy import MAX_DIRECT_BYTES
from tests.e2e.packages import ROOT, installed, npm_packages, program, run
from tests.pictures import a_jpeg
from tools.local.browser import Browser, send

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

type Stack = Mapping[str, Any]
type Sdk = tuple[str, list[str]]
type Calls = Callable[..., list[dict[str, Any]]]

SDKS = Path(__file__).parent / "sdks"

CALL_SECONDS = 600

ADA = "auth0|ada"
GRACE = "auth0|grace"
TYPED_ERROR = {"npm": "ClerkAPIResponseError", "pypi": "ClerkErrors"}
BARE_ERROR = {"npm": "ClerkAPIResponseError", "pypi": "SDKError"}
"""The Python SDK parses only the bodies of statuses in its schema, which lacks 403, 413 and 429."""


def _npm() -> list[str]:
    folder = npm_packages("npm", SDKS)
    # Node looks for packages next to the importing file.
    shutil.copy(SDKS / "calls.mjs", folder)
    return [program("node"), str(folder / "calls.mjs")]


def _pypi() -> list[str]:
    lock, uv = ROOT / "tools" / "requirements" / "sdk.txt", str(Path(sys.executable).parent / "uv")

    def install(folder: Path) -> None:
        # The folder is renamed afterwards, so no file in it may contain its path.
        options = ["--quiet", "--require-hashes", "--target", str(folder), "--python", sys.executable]
        run([uv, "pip", "install", *options, "-r", str(lock)], ROOT)

    folder = installed("pypi", lock, install)
    # -S excludes the project's own packages.
    path = f"import sys; sys.path.insert(0, {str(folder)!r}); import runpy; "
    return [sys.executable, "-I", "-S", "-c", f"{path}runpy.run_path({str(SDKS / 'calls.py')!r}, run_name='__main__')"]


@pytest.fixture(scope="module", params=["npm", "pypi"])
def sdk(request: pytest.FixtureRequest) -> Sdk:
    """The name of an SDK, and the command that makes calls with it."""
    name = str(request.param)
    return name, {"npm": _npm, "pypi": _pypi}[name]()


@pytest.fixture
def calls(sdk: Sdk, stack: Stack) -> Calls:
    """Make calls with the SDK. Each call is (verb, user id) or (verb, user id, file)."""
    _, command = sdk

    def _calls(key: str, *asked: tuple[str, str] | tuple[str, str, bytes]) -> list[dict[str, Any]]:
        listed = [{"verb": verb, "user_id": user_id, **_file(*files)} for verb, user_id, *files in asked]
        said = json.dumps({"base": stack["api"], "key": key, "calls": listed})
        outcomes: list[dict[str, Any]] = json.loads(run(command, ROOT, said, CALL_SECONDS))
        return outcomes

    return _calls


def _file(content: bytes | None = None) -> dict[str, str]:
    return {} if content is None else {"file": base64.b64encode(content).decode()}


@pytest.fixture
def admin(stack: Stack) -> str:
    """The administrator's token, which is the SDK's secret key. Ada and Grace exist as users."""
    for user in ("ada", "grace"):
        assert Browser.of(stack, user).call("GET", "/media/profile").status == 200
    return str(stack["users"]["admin"]["token"])


def test_image_is_set_read_replaced_and_deleted(calls: Calls, admin: str) -> None:
    first, shown, second, removed, gone = (
        outcome["user"]
        for outcome in calls(
            admin,
            ("set", GRACE, a_jpeg()),
            ("get", GRACE),
            ("set", GRACE, a_jpeg(500, 400)),
            ("delete", GRACE),
            ("get", GRACE),
        )
    )
    assert {user["type"] for user in (first, shown, second, removed, gone)} == {"User"}
    assert (first["id"], first["first_name"], first["email"]) == (GRACE, "Grace", "grace@example.com")
    assert first["email_status"] == "verified"
    assert first["has_image"] is True
    assert shown == first
    assert second["image_url"] != first["image_url"]
    assert second["updated_at"] > first["updated_at"] > 1_700_000_000_000
    assert (removed["has_image"], removed["image_url"]) == (False, "")
    assert gone == removed


def test_image_url_is_served_and_deletion_restores_the_providers(calls: Calls, admin: str) -> None:
    [outcome] = calls(admin, ("set", ADA, a_jpeg()))
    served = send("GET", outcome["user"]["image_url"])
    assert (served.status, served.headers["Content-Type"]) == (200, "image/webp")
    [removed] = calls(admin, ("delete", ADA))
    assert removed["user"]["has_image"] is True
    assert removed["user"]["image_url"].startswith("https://example.com/people/ada")


def test_user_acts_only_for_itself(calls: Calls, stack: Stack, admin: str) -> None:
    token = stack["users"]["ada"]["token"]
    own, other = calls(token, ("set", ADA, a_jpeg()), ("get", GRACE))
    assert own["user"]["has_image"] is True
    assert other["error"]["status"] == 403


def test_image_is_set_for_a_user_created_by_the_administrator(calls: Calls, stack: Stack, sdk: Sdk, admin: str) -> None:
    name, _ = sdk
    user_id = f"saml|{name}/42+$%"
    named = quote(user_id, safe="")  # neither SDK encodes it
    admins = Browser.of(stack, "admin")
    body = {"first_name": "Noor", "email_address": "noor@example.com"}
    assert admins.call("PUT", f"/v1/users/{named}", body).status == 200
    [outcome] = calls(admin, ("set", named, a_jpeg()))
    user = outcome["user"]
    assert (user["id"], user["first_name"], user["email_status"]) == (user_id, "Noor", "unverified")
    assert admins.call("GET", f"/v1/users/{named}").json()["image_url"] == user["image_url"]


def test_errors_are_the_sdks_own_classes(calls: Calls, sdk: Sdk, stack: Stack, admin: str) -> None:
    name, _ = sdk
    nobody, ada = "auth0|nobody", stack["users"]["ada"]["token"]
    refusals = {
        "bad image": (admin, ("set", GRACE, b"profile-pic"), TYPED_ERROR, 400, "image_unacceptable"),
        "empty file": (admin, ("set", GRACE, b""), TYPED_ERROR, 400, "request_invalid"),
        "no file": (admin, ("set", GRACE), TYPED_ERROR, 400, "request_invalid"),
        "set nobody's": (admin, ("set", nobody, a_jpeg()), TYPED_ERROR, 404, "resource_not_found"),
        "get nobody": (admin, ("get", nobody), TYPED_ERROR, 404, "resource_not_found"),
        "delete nobody's": (admin, ("delete", nobody), TYPED_ERROR, 404, "resource_not_found"),
        "bad token": ("sk_test_no_token", ("set", GRACE, a_jpeg()), TYPED_ERROR, 401, "AUTH_UNAUTHORIZED"),
        "other user": (ada, ("set", GRACE, a_jpeg()), BARE_ERROR, 403, "authorization_invalid"),
        "too large": (admin, ("set", GRACE, bytes(MAX_DIRECT_BYTES + 1)), BARE_ERROR, 413, "payload_too_large"),
    }
    found = {}
    for what, (key, call, *_) in refusals.items():
        [outcome] = calls(key, call)
        error = outcome["error"]
        found[what] = (error["type"], error["status"], error["codes"])
        assert error["messages"]
        assert all(error["messages"])
        assert error["trace"] or what == "bad token"  # the 401 of all dialects has its id in another field
    assert found == {what: (types[name], status, [code]) for what, (_, _, types, status, code) in refusals.items()}
