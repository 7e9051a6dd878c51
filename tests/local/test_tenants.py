"""A stack of its own that keeps tenants apart: the parameter, the tokens, and paths that have to be encoded."""

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
    """One whose tokens say in `org_id` whose they are."""
    with launched({"TenantClaim": "org_id"}) as state:
        yield state


def call(
    stack: dict[str, Any], user: str, method: str, path: str, body: object = None, *, token: str | None = None
) -> Answer:
    """A request by a development user."""
    headers = {"Authorization": f"Bearer {token or stack['users'][user]['token']}", "Content-Type": "application/json"}
    return send(method, stack["api"] + path, None if body is None else json.dumps(body).encode(), headers)


def minted(stack: dict[str, Any], **wish: object) -> str:
    """A token of another kind."""
    answer = send("POST", f"{stack['issuer']}/tokens", json.dumps(wish).encode(), {"Content-Type": "application/json"})
    return str(answer.json()["token"])


def path_of(stack: dict[str, Any], user: str) -> str:
    """Where dialect 4 has the user; subjects hold slashes and percent signs."""
    return f"/v1/users/{quote(stack['users'][user]['user_id'], safe='')}"


def test_everybody_is_known_by_the_own_subject_however_it_is_spelt(stack: dict[str, Any]) -> None:
    for user, known in stack["users"].items():
        answer = call(stack, user, "GET", path_of(stack, user))
        assert (answer.status, answer.json()["id"]) == (HTTPStatus.OK, known["user_id"])
        assert answer.json()["first_name"] in known["name"]


def test_an_administrator_acts_for_the_users_of_its_tenant_and_the_others_are_not_there(stack: dict[str, Any]) -> None:
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


def test_a_token_without_a_tenant_gets_nobody_in(stack: dict[str, Any]) -> None:
    answer = call(stack, "ada", "GET", "/media/profile", token=minted(stack, user="ada", tenant=""))

    assert answer.status == HTTPStatus.UNAUTHORIZED
    assert answer.json()["error"]["code"] == "AUTH_UNAUTHORIZED"


def test_somebody_who_has_not_signed_in_is_written_by_put(stack: dict[str, Any]) -> None:
    path = f"/v1/users/{quote('saml|new/one', safe='')}"
    assert call(stack, "admin", "GET", path).status == HTTPStatus.NOT_FOUND
    assert call(stack, "ada", "PUT", path, {"first_name": "New"}).status == HTTPStatus.FORBIDDEN
    assert call(stack, "admin", "PUT", path, {"first_name": "New"}).status == HTTPStatus.OK
    assert call(stack, "admin", "GET", path).json()["first_name"] == "New"


def test_a_form_that_lambda_does_not_take_is_refused_by_the_gateway_in_words_that_help(stack: dict[str, Any]) -> None:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    form = part.encode() + bytes(MAX_PAYLOAD * 3 // 4) + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {stack['users']['ada']['token']}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }

    answer = send("PATCH", f"{stack['api']}/users/image/upload", form, headers)

    assert answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answer.json()["error"]["code"] == "REQUEST_TOO_LARGE"  # the functions' own is PAYLOAD_TOO_LARGE
    assert "4 MiB" in answer.json()["message"]
    assert "POST /media/intents" in answer.json()["message"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_pages_may_use_every_method(method: str, stack: dict[str, Any]) -> None:
    headers = {"Origin": stack["page"], "Access-Control-Request-Method": method}
    for path in ("/v1/users/x", "/v1/users/x/profile_image", "/api/v1/users/me/profile-picture", "/users/image/upload"):
        answer = send("OPTIONS", stack["api"] + path, headers=headers)
        assert answer.status == HTTPStatus.NO_CONTENT
        assert answer.headers["Access-Control-Allow-Origin"] == stack["page"]
        assert method in (answer.headers["Access-Control-Allow-Methods"] or "").split(",")
