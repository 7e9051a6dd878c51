"""A stack with a tenant claim: tokens, tenants and percent-encoded paths."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pytest

from tools.local.browser import Answer, send
from tools.local.launch import launched
from tools.local.runner import MAX_PAYLOAD

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

BOUNDARY = "a-boundary"


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, Any]]:
    """A stack whose tokens contain the tenant in `org_id`."""
    with launched({"TenantClaim": "org_id"}) as state:
        yield state


def call(
    stack: dict[str, Any], user: str, method: str, path: str, body: object = None, *, token: str | None = None
) -> Answer:
    """Send a request as a development user."""
    headers = {"Authorization": f"Bearer {token or stack['users'][user]['token']}", "Content-Type": "application/json"}
    return send(method, stack["api"] + path, None if body is None else json.dumps(body).encode(), headers)


def minted(stack: dict[str, Any], **properties: object) -> str:
    """Mint a token with other properties."""
    answer = send(
        "POST", f"{stack['issuer']}/tokens", json.dumps(properties).encode(), {"Content-Type": "application/json"}
    )
    return str(answer.json()["token"])


def path_of(stack: dict[str, Any], user: str) -> str:
    """Return the user's path in dialect 4. Subjects contain slashes and percent signs."""
    return f"/v1/users/{quote(stack['users'][user]['user_id'], safe='')}"


def test_user_is_found_by_percent_encoded_subject(stack: dict[str, Any]) -> None:
    for user, known in stack["users"].items():
        answer = call(stack, user, "GET", path_of(stack, user))
        assert (answer.status, answer.json()["id"]) == (HTTPStatus.OK, known["user_id"])
        assert answer.json()["first_name"] in known["name"]


def test_administrator_acts_only_for_users_of_its_tenant(stack: dict[str, Any]) -> None:
    for user in ("ada", "noor"):
        assert call(stack, user, "GET", path_of(stack, user)).status == HTTPStatus.OK
    assert call(stack, "admin", "GET", path_of(stack, "ada")).status == HTTPStatus.OK
    for method, path, body in (
        ("GET", path_of(stack, "noor"), None),
        ("PUT", path_of(stack, "noor"), {"first_name": "Mallory"}),
        ("DELETE", f"{path_of(stack, 'noor')}/profile_image", None),
    ):
        assert call(stack, "admin", method, path, body).status == HTTPStatus.NOT_FOUND
    globex = minted(stack, user="admin", tenant="globex")
    assert call(stack, "admin", "GET", path_of(stack, "noor"), token=globex).json()["first_name"] == "Noor"


def test_token_without_tenant_is_unauthorized(stack: dict[str, Any]) -> None:
    answer = call(stack, "ada", "GET", "/media/profile", token=minted(stack, user="ada", tenant=""))

    assert answer.status == HTTPStatus.UNAUTHORIZED
    assert answer.json()["error"]["code"] == "AUTH_UNAUTHORIZED"


def test_administrator_creates_a_user_who_has_not_signed_in(stack: dict[str, Any]) -> None:
    path = f"/v1/users/{quote('saml|new/one', safe='')}"
    assert call(stack, "admin", "GET", path).status == HTTPStatus.NOT_FOUND
    assert call(stack, "ada", "PUT", path, {"first_name": "New"}).status == HTTPStatus.FORBIDDEN
    assert call(stack, "admin", "PUT", path, {"first_name": "New"}).status == HTTPStatus.OK
    assert call(stack, "admin", "GET", path).json()["first_name"] == "New"


def test_form_over_lambdas_limit_is_413_and_names_the_intents(stack: dict[str, Any]) -> None:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    form = part.encode() + bytes(MAX_PAYLOAD * 3 // 4) + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {stack['users']['ada']['token']}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }

    answer = send("PATCH", f"{stack['api']}/users/image/upload", form, headers)

    assert answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answer.json()["error"]["code"] == "REQUEST_TOO_LARGE"  # the functions answer PAYLOAD_TOO_LARGE
    assert "4 MiB" in answer.json()["message"]
    assert "POST /media/intents" in answer.json()["message"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_preflight_allows_every_method(method: str, stack: dict[str, Any]) -> None:
    headers = {"Origin": stack["page"], "Access-Control-Request-Method": method}
    for path in ("/v1/users/x", "/v1/users/x/profile_image", "/api/v1/users/me/profile-picture", "/users/image/upload"):
        answer = send("OPTIONS", stack["api"] + path, headers=headers)
        assert answer.status == HTTPStatus.NO_CONTENT
        assert answer.headers["Access-Control-Allow-Origin"] == stack["page"]
        assert method in (answer.headers["Access-Control-Allow-Methods"] or "").split(",")
