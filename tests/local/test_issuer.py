"""The issuer mints good tokens and every kind of bad one; the real verifier tells them apart in the e2e tests."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from werkzeug.serving import BaseWSGIServer
from werkzeug.test import Client

from profile_media.auth.claims import read_identity
from tools.local import token
from tools.local.issuer import AUDIENCE, LONG, PEOPLE, Issuer, RequestUnknown, Wish
from tools.local.serving import HOST, free_port, serve
from tools.local.state import remove_state, write_state

ISSUER = "http://127.0.0.1:3003"


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer(ISSUER)


def _verified(issuer: Issuer, minted: str) -> dict[str, Any]:
    """The claims, checked against the published keys as any client of the issuer would."""
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(issuer.jwks()).keys}
    key = keys[jwt.get_unverified_header(minted)["kid"]]
    return jwt.decode(minted, key, algorithms=["RS256", "ES256"], audience=AUDIENCE, issuer=ISSUER)


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_good_token_verifies_against_the_published_keys(alg: str, issuer: Issuer) -> None:
    claims = _verified(issuer, issuer.mint(Wish("ada", alg=alg)))
    assert claims["sub"] == PEOPLE["ada"].user_id == "auth0|ada"
    assert claims["exp"] - claims["iat"] == LONG
    assert {"name", "email", "email_verified", "phone_number", "picture", "role"} <= claims.keys()
    assert (claims["given_name"], claims["family_name"], claims["auth_time"]) == ("Ada", "Lovelace", claims["iat"])
    assert "scope" not in claims


def test_the_administrators_token_says_so(issuer: Issuer) -> None:
    assert _verified(issuer, issuer.mint(Wish("admin")))["scope"] == "profile-media:admin"


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (Wish("ada", expired=True), jwt.ExpiredSignatureError),
        (Wish("ada", audience="other"), jwt.InvalidAudienceError),
        (Wish("ada", issuer="https://other"), jwt.InvalidIssuerError),
        (Wish("ada", key="other"), jwt.InvalidSignatureError),
        (Wish("ada", key="other", alg="ES256"), jwt.InvalidSignatureError),
        (Wish("ada", kid="unheard-of"), KeyError),
        (Wish("ada", alg="HS256"), jwt.InvalidAlgorithmError),
        (Wish("ada", alg="none"), jwt.InvalidAlgorithmError),
    ],
)
def test_a_bad_token_is_bad_in_the_way_that_was_asked_for(wish: Wish, error: type[Exception], issuer: Issuer) -> None:
    with pytest.raises(error):
        _verified(issuer, issuer.mint(wish))


def test_claims_can_be_chosen(issuer: Issuer) -> None:
    claims = _verified(issuer, issuer.mint(Wish("ada", tenant="x", scope="a b", ttl=60)))
    assert (claims["tenant"], claims["scope"], claims["exp"] - claims["iat"]) == ("x", "a b", 60)


def test_everybodys_claims_are_of_the_kind_that_the_authorizer_passes_on(issuer: Issuer) -> None:
    said = {name: json.loads(read_identity(_verified(issuer, issuer.mint(Wish(name))))) for name in PEOPLE}
    assert all({"email", "first_name", "last_name", "last_login"} <= fields.keys() for fields in said.values())
    assert {name for name, fields in said.items() if "picture_url" in fields} == {"ada", "linus"}
    assert {fields.get("role") for fields in said.values()} == {"editor", "reader", None, "admin"}
    assert {fields.get("email_verified") for fields in said.values()} == {True, False, None}


@pytest.mark.parametrize(
    ("claim", "wish", "tenants"),
    [
        ("", Wish("ada"), {}),
        ("", Wish("ada", tenant="x"), {"tenant": "x"}),
        ("org_id", Wish("ada"), {"org_id": "acme"}),
        ("org_id", Wish("noor"), {"org_id": "globex"}),
        ("org_id", Wish("ada", tenant="x"), {"org_id": "x"}),
        ("org_id", Wish("ada", tenant=""), {}),
    ],
)
def test_whose_a_token_is(claim: str, wish: Wish, tenants: dict[str, str]) -> None:
    issuer = Issuer(ISSUER, claim)
    claims = _verified(issuer, issuer.mint(wish))
    assert {name: claims[name] for name in ("tenant", "org_id") if name in claims} == tenants


def test_nobody_and_nothing_unknown_is_minted(issuer: Issuer) -> None:
    with pytest.raises(RequestUnknown, match="ada, grace"):
        issuer.mint(Wish("mallory"))
    with pytest.raises(RequestUnknown, match="RS256"):
        issuer.mint(Wish("ada", alg="PS512"))


def test_it_answers_over_http(issuer: Issuer) -> None:
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


@pytest.fixture
def served(issuer: Issuer, tmp_path: Path) -> Iterator[Path]:
    """The folder of a stack of which only the issuer runs."""
    port = free_port(0)
    server: BaseWSGIServer = serve(issuer, port, "issuer")
    write_state(tmp_path, {"issuer": f"http://{HOST}:{port}"})
    yield tmp_path
    remove_state(tmp_path)
    server.shutdown()
    server.server_close()


@pytest.mark.enable_socket
def test_the_command_prints_a_token_of_the_running_stack(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["grace", "--expired", "--audience", "other", "--tenant", "x", "--ttl", "60", "--alg", "ES256"]
    assert token.main([*arguments, "--key", "other", "--state", str(served)]) == 0
    header, claims, _ = capsys.readouterr().out.strip().split(".")
    assert _decoded(header)["alg"] == "ES256"
    said = _decoded(claims)
    assert (said["sub"], said["aud"], said["tenant"]) == ("auth0|grace", "other", "x")
    assert said["exp"] - said["iat"] == 60


@pytest.mark.enable_socket
def test_the_command_says_who_there_is(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert token.main(["mallory", "--state", str(served)]) == 1
    assert "nobody is called mallory; there are ada, grace" in capsys.readouterr().err


def test_the_command_says_when_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert token.main(["ada", "--state", str(tmp_path)]) == 1
    assert "make up" in capsys.readouterr().err


def _decoded(segment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return found
