"""The issuer mints valid tokens and each kind of invalid one. The end-to-end tests check them with the authorizer."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from werkzeug.test import Client

from profile_media.auth.algorithms import ALGORITHMS as ACCEPTED
from tools.local import token
from tools.local.imitations import IMITATIONS
from tools.local.issuer import AUDIENCE, DEFAULT_TTL, PEOPLE, Issuer, RequestInvalid, TokenRequest
from tools.local.serving import HOST, listen, port_of, serve
from tools.local.state import remove_state, write_state

ISSUER = "http://127.0.0.1:3003"


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer(ISSUER)


def _verified(issuer: Issuer, minted: str) -> dict[str, Any]:
    """Return the claims, verified with the published keys."""
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(issuer.jwks()).keys}
    key = keys[jwt.get_unverified_header(minted)["kid"]]
    return jwt.decode(minted, key, algorithms=[*ACCEPTED], audience=AUDIENCE, issuer=ISSUER)


@pytest.mark.parametrize("alg", [*ACCEPTED])
def test_default_token_verifies_with_the_published_keys(alg: str, issuer: Issuer) -> None:
    claims = _verified(issuer, issuer.mint(TokenRequest("ada", alg=alg)))
    assert claims["sub"] == PEOPLE["ada"].user_id == "auth0|ada"
    assert claims["exp"] - claims["iat"] == DEFAULT_TTL
    assert {"name", "email", "email_verified", "phone_number", "picture", "role"} <= claims.keys()
    assert (claims["given_name"], claims["family_name"], claims["auth_time"]) == ("Ada", "Lovelace", claims["iat"])
    assert "scope" not in claims


def test_administrators_token_has_the_admin_scope(issuer: Issuer) -> None:
    assert _verified(issuer, issuer.mint(TokenRequest("admin")))["scope"] == "profile-media:admin"


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (TokenRequest("ada", expired=True), jwt.ExpiredSignatureError),
        (TokenRequest("ada", audience="other"), jwt.InvalidAudienceError),
        (TokenRequest("ada", issuer="https://other"), jwt.InvalidIssuerError),
        (TokenRequest("ada", key="other"), jwt.InvalidSignatureError),
        (TokenRequest("ada", key="other", alg="ES256"), jwt.InvalidSignatureError),
        (TokenRequest("ada", kid="unheard-of"), KeyError),
        (TokenRequest("ada", alg="HS256"), jwt.InvalidAlgorithmError),
        (TokenRequest("ada", alg="none"), jwt.InvalidAlgorithmError),
    ],
)
def test_invalid_token_fails_for_the_requested_reason(
    request_: TokenRequest, error: type[Exception], issuer: Issuer
) -> None:
    with pytest.raises(error):
        _verified(issuer, issuer.mint(request_))


def test_claims_can_be_chosen(issuer: Issuer) -> None:
    claims = _verified(issuer, issuer.mint(TokenRequest("ada", tenant="x", scope="a b", ttl=60)))
    assert (claims["tenant"], claims["scope"], claims["exp"] - claims["iat"]) == ("x", "a b", 60)


def test_users_have_different_identity_claims(issuer: Issuer) -> None:
    claims = {name: _verified(issuer, issuer.mint(TokenRequest(name))) for name in PEOPLE}
    assert all({"email", "given_name", "family_name", "auth_time"} <= found.keys() for found in claims.values())
    assert {name for name, found in claims.items() if "picture" in found} == {"ada", "linus"}
    assert {found.get("role") for found in claims.values()} == {"editor", "reader", None, "admin"}
    assert {found.get("email_verified") for found in claims.values()} == {True, False, None}


@pytest.mark.parametrize(
    ("claim", "request_", "tenants"),
    [
        ("", TokenRequest("ada"), {}),
        ("", TokenRequest("ada", tenant="x"), {"tenant": "x"}),
        ("org_id", TokenRequest("ada"), {"org_id": "acme"}),
        ("org_id", TokenRequest("noor"), {"org_id": "globex"}),
        ("org_id", TokenRequest("ada", tenant="x"), {"org_id": "x"}),
        ("org_id", TokenRequest("ada", tenant=""), {}),
    ],
)
def test_token_contains_tenant_in_configured_claim(claim: str, request_: TokenRequest, tenants: dict[str, str]) -> None:
    issuer = Issuer(ISSUER, claim)
    claims = _verified(issuer, issuer.mint(request_))
    assert {name: claims[name] for name in ("tenant", "org_id") if name in claims} == tenants


def test_unknown_user_or_algorithm_is_refused(issuer: Issuer) -> None:
    with pytest.raises(RequestInvalid, match="ada, grace"):
        issuer.mint(TokenRequest("mallory"))
    with pytest.raises(RequestInvalid, match="RS256"):
        issuer.mint(TokenRequest("ada", alg="HS512"))
    with pytest.raises(RequestInvalid, match="kind id"):
        issuer.mint(TokenRequest("ada", kind="id"))
    with pytest.raises(RequestInvalid, match="cognito"):
        issuer.mint(TokenRequest("ada", provider="unknown"))


def test_issuer_answers_over_http(issuer: Issuer) -> None:
    client = Client(issuer)
    assert client.get("/.well-known/jwks.json").json == issuer.jwks()
    answer = client.post("/tokens", json={"user": "ada"})
    assert answer.json
    assert _verified(issuer, answer.json["token"])["sub"] == "auth0|ada"
    assert client.post("/tokens", json={"user": "mallory"}).status_code == 400
    assert client.post("/tokens", json={"colour": "red"}).status_code == 400
    for body in (b"", b"{", b"[]", b'"ada"', b"\xff"):
        assert client.post("/tokens", data=body, content_type="application/json").status_code == 400
    assert client.get("/elsewhere").status_code == 404


@pytest.mark.parametrize("provider", IMITATIONS)
def test_imitation_uses_the_issuer_and_audience_of_a_stack_with_this_preset(provider: str) -> None:
    tokens = [
        Issuer(ISSUER, "", provider, "https://own.example.com", "own,other").mint(TokenRequest("ada")),
        Issuer(ISSUER).mint(TokenRequest("ada", provider=provider)),
    ]
    own, usual = (_decoded(minted.split(".")[1]) for minted in tokens)
    assert own["iss"] == "https://own.example.com"
    assert "own" in json.dumps({**own, "iss": ""})
    assert usual["iss"] == IMITATIONS[provider].issuer
    assert IMITATIONS[provider].audience in json.dumps(usual)


@pytest.fixture
def served(issuer: Issuer, tmp_path: Path) -> Iterator[Path]:
    """The state folder of a stack of which only the issuer runs."""
    listener = listen(0)
    port = port_of(listener)
    server = serve(issuer, listener)
    write_state(tmp_path, {"issuer": f"http://{HOST}:{port}"})
    yield tmp_path
    remove_state(tmp_path)
    server.shutdown()
    server.server_close()


@pytest.mark.enable_socket
def test_command_prints_a_token(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["grace", "--expired", "--audience", "other", "--tenant", "x", "--ttl", "60", "--alg", "ES256"]
    assert token.main([*arguments, "--key", "other", "--state", str(served)]) == 0
    header, claims, _ = capsys.readouterr().out.strip().split(".")
    assert _decoded(header)["alg"] == "ES256"
    said = _decoded(claims)
    assert (said["sub"], said["aud"], said["tenant"]) == ("auth0|grace", "other", "x")
    assert said["exp"] - said["iat"] == 60


@pytest.mark.enable_socket
def test_command_imitates_a_provider(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert token.main(["ada", "--as", "cognito", "--kind", "id", "--state", str(served)]) == 0
    claims = _decoded(capsys.readouterr().out.split(".")[1])
    assert (claims["sub"], claims["token_use"]) == ("auth0|ada", "id")


@pytest.mark.enable_socket
def test_command_lists_the_users_for_an_unknown_user(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert token.main(["mallory", "--state", str(served)]) == 1
    assert "there is no user mallory; the users are ada, grace" in capsys.readouterr().err


def test_command_needs_a_running_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert token.main(["ada", "--state", str(tmp_path)]) == 1
    assert "make up" in capsys.readouterr().err


def _decoded(segment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return found
