"""OPTIONS of every path, and CORS on the answers themselves."""

import pytest

from tests.functions.conftest import Call, an_event, run


def ask(origin: str | None) -> dict[str, str]:
    event = an_event("preflight")
    event["headers"].pop("Origin")
    if origin:
        event["headers"]["origin"] = origin
    answer = run("preflight", event)
    assert answer["statusCode"] == 204
    headers: dict[str, str] = answer["headers"]
    return headers


@pytest.mark.parametrize("origin", ["https://app.example.com", "https://other.example.com"])
def test_preflight_of_allowed_origin(origin: str) -> None:
    headers = ask(origin)
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Headers"] == "Authorization,Content-Type,Idempotency-Key"
    assert "PATCH" in headers["Access-Control-Allow-Methods"]
    assert headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize("origin", [None, "https://evil.example.com", "https://app.example.com.evil.com", "null", "*"])
def test_preflight_of_other_origin(origin: str | None) -> None:
    headers = ask(origin)
    assert not [name for name in headers if name.startswith("Access-Control")]
    assert headers["Vary"] == "Origin"  # a cache must not give this answer to an allowed origin


def test_answers_are_readable_by_allowed_origins_only(call: Call) -> None:
    assert call("get_profile").headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Access-Control-Allow-Origin" not in call("get_profile", headers={"Origin": "https://evil.com"}).headers
