"""Generated and mutated input for the authorizer: only what the issuer signed is accepted."""

import json
from contextlib import suppress
from math import ceil
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.authorize.app import STAGE
from profile_media.auth.cache import JwksCache
from profile_media.auth.claims import MAX_IDENTITY, read_identity
from profile_media.auth.encoding import decode_base64url
from profile_media.auth.fetch import parse_endpoint
from profile_media.auth.key_set import JwksUnavailable, parse_key_set
from profile_media.auth.policy import LEEWAY_SECONDS, TokenPolicy, TokenRefused
from profile_media.auth.tokens import TokenVerifier, bearer_token
from profile_media.aws import settings
from profile_media.aws.authorizer_settings import SettingInvalid
from profile_media.http import identity
from tests.fuzz.grammars import damaged, json_values, mutated
from tests.tokens import (
    AUDIENCE,
    ISSUER,
    SUBJECT,
    a_jwk,
    a_jwks,
    a_raw_token,
    a_token,
    an_ec_key,
    an_rsa_key,
    claims_of,
    header_of,
)

pytestmark = [pytest.mark.disable_socket]

NOW = 1_800_000_000
VERIFIER = TokenVerifier(JwksCache(a_jwks, lambda: NOW), TokenPolicy(ISSUER, (AUDIENCE,)), lambda: NOW)
GOOD = tuple(a_token(key, now=NOW) for key in (an_rsa_key(), an_ec_key()))


@given(mutated(st.sampled_from(GOOD)) | st.text())
def test_mutated_token_is_refused(token: str) -> None:
    try:
        verified = VERIFIER.verify(token)
    except TokenRefused:
        return
    assert token in GOOD
    assert verified.sub == SUBJECT


def members(usual: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """Some of the usual members, some with any value, and some others."""
    some = st.lists(st.sampled_from(sorted(usual)), unique=True).map(
        lambda names: {name: usual[name] for name in names}
    )
    other = st.dictionaries(
        st.sampled_from([*usual, "jwk", "jku", "crit", "b64", "nbf", "x"]), json_values(), max_size=2
    )
    return st.builds(lambda kept, changed: {**usual, **changed} if len(kept) % 2 else {**kept, **changed}, some, other)


@given(members(header_of(an_rsa_key())), members(claims_of(now=NOW)))
def test_signed_token_is_accepted_only_within_its_claims(header: dict[str, object], claims: dict[str, object]) -> None:
    token = a_raw_token(json.dumps(header), json.dumps(claims))
    try:
        verified = VERIFIER.verify(token)
    except TokenRefused:
        return
    assert (verified.sub, verified.exp) == (claims["sub"], ceil(float(str(claims["exp"]))) + LEEWAY_SECONDS)
    assert claims["iss"] == ISSUER
    assert claims["aud"] == AUDIENCE or AUDIENCE in claims["aud"]  # type: ignore[operator]
    assert (header["alg"], "crit" in header) == ("RS256", False)


@given(mutated(st.sampled_from(GOOD).map("Bearer {}".format)) | st.text())
def test_authorization_header_is_one_bearer_token_or_refused(header: str) -> None:
    with suppress(TokenRefused):
        token = bearer_token(header)
        assert header[:7].lower() + token == f"bearer {token}"
        assert header.endswith(f" {token}")


@given(mutated(st.binary(max_size=20).map(lambda raw: a_token()[: len(raw)])) | st.text(max_size=12))
def test_decode_base64url_accepts_one_spelling(text: str) -> None:
    with suppress(ValueError):
        content = decode_base64url(text)
        assert len(content) == len(text) * 3 // 4


jwks = st.lists(members(a_jwk()) | members(a_jwk(an_ec_key())) | json_values(), max_size=3)


@given(jwks.map(lambda keys: json.dumps({"keys": keys}).encode()) | damaged(st.just(a_jwks())) | st.binary())
def test_key_set_gives_only_keys_that_it_lists(document: bytes) -> None:
    try:
        keys = parse_key_set(document)
    except JwksUnavailable:
        return
    listed = [jwk for jwk in json.loads(document)["keys"] if isinstance(jwk, dict)]
    for kid, key in keys.items():
        # An id may be listed several times, with keys that are skipped before or after the usable one.
        types = [jwk.get("kty") for jwk in listed if jwk.get("kid") == kid]
        assert {"RS256": "RSA", "ES256": "EC"}[key.algorithms[0]] in types


endpoints = st.sampled_from(
    (
        "https://issuer.example.com/jwks",
        "https://a.example:8443/b?c=d",
        "http://127.0.0.1:9000/jwks",
        "http://localhost/a",
    )
)


@given(mutated(endpoints), st.booleans())
def test_parse_endpoint_keeps_host_port_and_target(url: str, allow_loopback: bool) -> None:
    with suppress(ValueError):
        endpoint = parse_endpoint(url, allow_loopback=allow_loopback)
        assert endpoint.secure or (allow_loopback and endpoint.host in {"127.0.0.1", "localhost"})
        scheme = "https" if endpoint.secure else "http"
        hosts = (endpoint.host, f"{endpoint.host}:{endpoint.port}", f"{endpoint.host}:{endpoint.port:05}")
        assert any(url == f"{scheme}://{host}{endpoint.target}" for host in hosts) or endpoint.port < 1000


@given(mutated(st.just("arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/v1/GET/media/profile")))
def test_policy_is_for_one_stage_without_wildcards(arn: str) -> None:
    stage = STAGE.fullmatch(arn)
    if stage:
        assert arn.startswith(f"{stage[1]}/")
        assert not set("*?") & set(stage[1])
        assert stage[1].count("/") == 1


claims = st.dictionaries(
    st.sampled_from(("email", "email_verified", "given_name", "picture", "role", "roles", "auth_time", "phone_number")),
    json_values() | mutated(st.sampled_from(("ada@example.com", "https://example.com/a.png", "Ada"))),
)


@given(claims)
def test_identity_is_small_and_can_be_parsed(said: dict[str, object]) -> None:
    text = read_identity(said)
    assert text.isascii()
    assert len(text) <= MAX_IDENTITY
    identity.from_json(text)


CLASSES = [each for each in vars(settings).values() if isinstance(each, type) and issubclass(each, settings.Settings)]
values = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.sampled_from(
    ("true", "false", "5", "-1", "1_000", "1e3", "a,b,,c", " ", "*", "9" * 5000)
)


@given(st.sampled_from(CLASSES), st.data())
def test_invalid_setting_names_its_variable_but_not_its_value(of: type[settings.Settings], data: st.DataObject) -> None:
    chosen = {name: data.draw(values) for name in of.model_fields}
    settings.forget()
    with patch.dict("os.environ", {name.upper(): value for name, value in chosen.items()}):
        try:
            loaded = settings.load(of)
        except SettingInvalid as error:
            name, _, complaint = str(error).partition(" is ")
            assert name.lower() in chosen
            assert complaint == "not set" or complaint.startswith("not valid: ")
            return
        finally:
            settings.forget()
    for name, value in chosen.items():
        read = getattr(loaded, name)
        assert read == value if isinstance(read, str) else isinstance(read, bool | int | tuple)
