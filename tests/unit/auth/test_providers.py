"""The presets, with tokens of the shapes that the providers document: the right ones, and near misses.

The tokens pass through the whole check, from the authorizer's settings on. Only the fetch of the key set is replaced.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from profile_media.auth.fetch import Endpoint
from profile_media.auth.policy import Refusal, TokenRefused, Verified
from profile_media.auth.providers import PROVIDERS, find_provider, identity_claims
from profile_media.domain.model import Identity
from profile_media.http import identity
from profile_media.wiring import authorization
from tests.tokens import ABSENT, KEYS, a_jwk, a_jwks, a_token
from tools.local.imitations import IMITATIONS, TENANT, Subject

pytestmark = pytest.mark.disable_socket

NOW = int(time.time())
OTHER_TENANT = "11111111-2222-3333-4444-555555555555"
MULTI_TENANT = "https://login.microsoftonline.com/{tenantid}/v2.0"

KEY_SETS = {
    "auth0": "https://local.eu.auth0.com/.well-known/jwks.json",
    "clerk": "https://local.clerk.accounts.dev/.well-known/jwks.json",
    "cognito": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_LocalPool/.well-known/jwks.json",
    "entra": f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys",
    "firebase": "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    "keycloak": "https://id.example.com/realms/local/protocol/openid-connect/certs",
    "okta": "https://local.okta.com/oauth2/default/v1/keys",
    "supabase": "https://local.supabase.co/auth/v1/.well-known/jwks.json",
}

type Deploy = Callable[..., Callable[[str], Verified]]


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploy]:
    """Return a function that deploys with settings, and returns the check of one token."""
    fetched: list[Endpoint] = []

    def fetch(endpoint: Endpoint) -> bytes:
        fetched.append(endpoint)
        # Microsoft publishes keys without `alg`.
        bare = {"alg": ABSENT} if "discovery" in endpoint.target else {}
        keys = [a_jwk(make(), kid=alg, **{"alg": alg, **bare}) for alg, make in KEYS.items()]
        return a_jwks(*keys, a_jwk(KEYS["RS256"](), kid="entra-tenant", issuer=MULTI_TENANT.format(tenantid=TENANT)))

    def deployed(key_set: str = "", **settings: str) -> Callable[[str], Verified]:
        authorization.verifier.cache_clear()
        for name, value in settings.items():
            monkeypatch.setenv(name, value)

        def verify(token: str) -> Verified:
            verified = authorization.verifier().verify(token)
            assert not key_set or f"https://{fetched[-1].host}{fetched[-1].target}" == key_set
            return verified

        return verify

    monkeypatch.setattr(authorization, "fetch", fetch)
    yield deployed
    authorization.verifier.cache_clear()


def preset_of(provider: str, **changes: str) -> dict[str, str]:
    """Return the settings of a deployment for the imitated provider."""
    imitation = IMITATIONS[provider]
    usual = {"TOKEN_ISSUER": imitation.issuer, "TOKEN_AUDIENCE": f"another,{imitation.audience}"}
    return {"IDENTITY_PROVIDER": provider, **usual, **changes}


def minted(
    provider: str, kind: str = "access", header: Mapping[str, object] | None = None, /, **changes: object
) -> str:
    """Return a provider's token with changes to its claims, which are names of `Subject` or claims."""
    imitation = IMITATIONS[provider]
    usual = Subject(
        *("user-1", "Ada", "Lovelace", "ada@example.com", imitation.issuer, imitation.audience, NOW - 60, NOW + 3600),
        picture="https://example.com/ada.png",
    )
    chosen: dict[str, Any] = {name: changes.pop(name) for name in ("issuer", "audience", "is_admin") if name in changes}
    subject = replace(usual, **chosen)
    claims: dict[str, Any] = {"aud": ABSENT, **getattr(imitation, kind)(subject), **changes}
    return token(claims, imitation.algorithm, {"typ": ABSENT, **imitation.header, **(header or {})})


def token(claims: Mapping[str, Any], algorithm: str = "RS256", header: Mapping[str, object] | None = None) -> str:
    """Return a token with exactly these claims."""
    kid = {"kid": algorithm, **(header or {})}
    return a_token(
        KEYS[algorithm](), header=kid, algorithm=algorithm, now=NOW, **{"iat": ABSENT, "aud": ABSENT, **claims}
    )


def test_every_preset_is_imitated_and_tested() -> None:
    assert [*IMITATIONS] == [name for name in PROVIDERS if name != "custom"]
    assert KEY_SETS.keys() == IMITATIONS.keys() == {provider for provider, *_ in NEAR_MISSES}


@pytest.mark.parametrize("provider", IMITATIONS)
def test_access_token_of_user_is_accepted(provider: str, deploy: Deploy) -> None:
    verify = deploy(KEY_SETS[provider], **preset_of(provider))

    verified = verify(minted(provider))

    assert (verified.sub, verified.exp, verified.admin) == ("user-1", NOW + 3630, False)
    assert verify(minted(provider, is_admin=True)).admin


@pytest.mark.parametrize("provider", IMITATIONS)
def test_machine_token_is_accepted_as_administrator(provider: str, deploy: Deploy) -> None:
    verified = deploy(**preset_of(provider))(minted(provider, "machine"))

    assert verified.admin
    assert verified.sub != "user-1"


@pytest.mark.parametrize("provider", IMITATIONS)
def test_explicit_admin_claim_replaces_the_preset(provider: str, deploy: Deploy) -> None:
    assert not deploy(**preset_of(provider, ADMIN_CLAIM=""))(minted(provider, "machine")).admin
    assert deploy(**preset_of(provider, ADMIN_CLAIM="groups=staff"))(minted(provider, groups=["staff"])).admin


PERSONS = {
    "auth0": Identity(),
    "clerk": Identity(
        "ada@example.com",
        email_verified=True,
        first_name="Ada",
        last_name="Lovelace",
        picture_url="https://example.com/ada.png",
    ),
    "cognito": Identity(username="ada"),
    "entra": Identity(username="ada@example.com"),
    "firebase": Identity(
        "ada@example.com", email_verified=True, first_name="Ada Lovelace", picture_url="https://example.com/ada.png"
    ),
    "keycloak": Identity(
        "ada@example.com", email_verified=True, first_name="Ada", last_name="Lovelace", username="ada"
    ),
    "okta": Identity(),
    "supabase": Identity("ada@example.com", first_name="Ada Lovelace", picture_url="https://example.com/ada.png"),
}


@pytest.mark.parametrize("provider", IMITATIONS)
def test_person_is_read_from_the_provider_s_claims(provider: str, deploy: Deploy) -> None:
    read = identity.from_json(deploy(**preset_of(provider))(minted(provider)).identity)

    assert replace(read, last_login=None) == PERSONS[provider]


NEAR_MISSES: list[tuple[str, str, Callable[[], str], Refusal]] = [
    *(
        (provider, "id token", lambda provider=provider: minted(provider, "id"), refusal)
        for provider, refusal in {
            "auth0": Refusal.AUDIENCE,
            "clerk": Refusal.REFUSED_CLAIM,
            "cognito": Refusal.CLAIM_MISSING,
            "entra": Refusal.REQUIRED_CLAIM,
            "firebase": Refusal.ISSUER,
            "keycloak": Refusal.REQUIRED_CLAIM,
            "okta": Refusal.AUDIENCE,
            "supabase": Refusal.AUDIENCE,
        }.items()
    ),
    *(
        (
            provider,
            "another client's",
            lambda provider=provider: minted(provider, audience="stranger"),
            Refusal.AUDIENCE,
        )
        for provider in IMITATIONS
    ),
    *(
        (provider, issuer, lambda provider=provider, issuer=issuer: minted(provider, issuer=issuer), Refusal.ISSUER)
        for provider, issuer in {
            "auth0": "https://other.eu.auth0.com/",
            "clerk": "https://other.clerk.accounts.dev",
            "cognito": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_OtherPool",
            "entra": f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0",
            "firebase": "https://securetoken.google.com/other-project",
            "keycloak": "https://id.example.com/realms/other",
            "okta": "https://local.okta.com/oauth2/other",
            "supabase": "https://other.supabase.co/auth/v1",
        }.items()
    ),
    ("auth0", "issuer without slash", lambda: minted("auth0", issuer="https://local.eu.auth0.com"), Refusal.ISSUER),
    (
        "auth0",
        "for userinfo only",
        lambda: minted("auth0", aud="https://local.eu.auth0.com/userinfo"),
        Refusal.AUDIENCE,
    ),
    ("clerk", "without azp", lambda: minted("clerk", azp=ABSENT), Refusal.CLAIM_MISSING),
    ("clerk", "pending session", lambda: minted("clerk", sts="pending"), Refusal.REFUSED_CLAIM),
    ("clerk", "template without session", lambda: minted("clerk", sid=ABSENT), Refusal.REQUIRED_CLAIM),
    ("clerk", "bare id token", lambda: minted("clerk", azp=ABSENT, sid=ABSENT, aud="another"), Refusal.REQUIRED_CLAIM),
    ("clerk", "machine for others", lambda: minted("clerk", "machine", aud=["mch_1"]), Refusal.AUDIENCE),
    ("clerk", "machine without audience", lambda: minted("clerk", "machine", aud=ABSENT), Refusal.CLAIM_MISSING),
    (
        "cognito",
        "id token with a client_id",
        lambda: minted("cognito", "id", client_id="another"),
        Refusal.REQUIRED_CLAIM,
    ),
    ("cognito", "aud instead", lambda: minted("cognito", client_id=ABSENT, aud="another"), Refusal.CLAIM_MISSING),
    ("keycloak", "refresh token", lambda: minted("keycloak", typ="Refresh"), Refusal.REQUIRED_CLAIM),
    ("keycloak", "account console", lambda: minted("keycloak", azp="account-console", aud="account"), Refusal.AUDIENCE),
    ("okta", "id token for the API", lambda: minted("okta", "id", aud="api://default"), Refusal.REQUIRED_CLAIM),
    ("supabase", "anonymous key", lambda: minted("supabase", role="anon"), Refusal.REQUIRED_CLAIM),
    ("supabase", "service role", lambda: minted("supabase", role="service_role"), Refusal.REQUIRED_CLAIM),
    ("firebase", "of PS256", lambda: minted("firebase", "access", {"alg": "PS256"}), Refusal.ALGORITHM),
]


@pytest.mark.parametrize(
    ("provider", "make", "refusal"),
    [pytest.param(provider, make, refusal, id=f"{provider}: {name}") for provider, name, make, refusal in NEAR_MISSES],
)
def test_near_miss_is_refused(provider: str, make: Callable[[], str], refusal: Refusal, deploy: Deploy) -> None:
    with pytest.raises(TokenRefused, match=f"^{refusal}$"):
        deploy(**preset_of(provider))(make())


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt"])
def test_clerk_oauth_access_token_is_accepted(typ: str, deploy: Deploy) -> None:
    oauth = {"azp": ABSENT, "sid": ABSENT, "client_id": "another", "scope": "openid", "jti": "oat_1"}

    assert deploy(**preset_of("clerk"))(minted("clerk", "access", {"typ": typ}, **oauth)).sub == "user-1"


def test_keycloak_audience_mapper_is_accepted(deploy: Deploy) -> None:
    verify = deploy(**preset_of("keycloak", TOKEN_AUDIENCE="profile-media"))

    assert verify(minted("keycloak", aud=["account", "profile-media"])).sub == "user-1"


def test_explicit_audience_claim_replaces_the_preset(deploy: Deploy) -> None:
    verify = deploy(**preset_of("keycloak", TOKEN_AUDIENCE_CLAIM="aud"))

    assert verify(minted("keycloak", aud=["account", "frontend"])).sub == "user-1"
    with pytest.raises(TokenRefused, match=Refusal.CLAIM_MISSING):
        verify(minted("keycloak"))


def test_explicit_required_claim_replaces_the_preset(deploy: Deploy) -> None:
    verify = deploy(**preset_of("cognito", TOKEN_REQUIRED_CLAIM="token_use=id", TOKEN_AUDIENCE_CLAIM="aud"))

    assert verify(minted("cognito", "id")).sub == "user-1"
    with pytest.raises(TokenRefused):
        verify(minted("cognito"))


def test_profile_claims_are_added_to_the_preset(deploy: Deploy) -> None:
    verify = deploy(**preset_of("auth0", PROFILE_CLAIMS="email=https://example.com/email,username=handle"))

    read = verify(minted("auth0", **{"https://example.com/email": "ada@example.com", "handle": "ada"})).identity

    assert identity.from_json(read) == Identity("ada@example.com", username="ada")


@pytest.mark.parametrize("kind", ["access", "machine"])
@pytest.mark.parametrize("tenants", [TENANT, f"{OTHER_TENANT}, {TENANT}", "*"])
def test_multi_tenant_entra_accepts_listed_tenants(kind: str, tenants: str, deploy: Deploy) -> None:
    common = "https://login.microsoftonline.com/common/discovery/v2.0/keys"
    verify = deploy(common, **preset_of("entra", TOKEN_ISSUER=MULTI_TENANT, TOKEN_TENANTS=tenants))

    assert verify(minted("entra", kind)).sub
    assert verify(minted("entra", kind, {"kid": "entra-tenant", "alg": "RS256"})).sub


@pytest.mark.parametrize(
    ("tenants", "changes"),
    [
        (TENANT, {"issuer": MULTI_TENANT.format(tenantid=OTHER_TENANT), "tid": OTHER_TENANT}),
        (TENANT, {"issuer": MULTI_TENANT.format(tenantid=OTHER_TENANT)}),
        (TENANT, {"tid": OTHER_TENANT}),
        (OTHER_TENANT, {}),
        ("*", {"tid": OTHER_TENANT}),
        ("*", {"tid": ABSENT}),
        ("*", {"tid": [TENANT]}),
        ("*", {"issuer": MULTI_TENANT.format(tenantid="common"), "tid": "common"}),
        ("*", {"issuer": MULTI_TENANT}),
        ("*", {"issuer": f"https://sts.windows.net/{TENANT}/"}),
    ],
    ids=str,
)
def test_multi_tenant_entra_refuses_other_tenants(tenants: str, changes: dict[str, object], deploy: Deploy) -> None:
    verify = deploy(**preset_of("entra", TOKEN_ISSUER=MULTI_TENANT, TOKEN_TENANTS=tenants))

    with pytest.raises(TokenRefused, match=f"^{Refusal.ISSUER}$"):
        verify(minted("entra", **changes))


def test_multi_tenant_entra_refuses_key_of_another_tenant(deploy: Deploy) -> None:
    verify = deploy(**preset_of("entra", TOKEN_ISSUER=MULTI_TENANT, TOKEN_TENANTS="*"))
    other = {"issuer": MULTI_TENANT.format(tenantid=OTHER_TENANT), "tid": OTHER_TENANT}

    assert verify(minted("entra", **other)).sub
    with pytest.raises(TokenRefused, match=f"^{Refusal.ISSUER}$"):
        verify(minted("entra", "access", {"kid": "entra-tenant", "alg": "RS256"}, **other))


def test_entra_token_of_version_1_is_accepted_with_explicit_keys(deploy: Deploy) -> None:
    issuer, keys = f"https://sts.windows.net/{TENANT}/", f"https://login.microsoftonline.com/{TENANT}/discovery/keys"
    verify = deploy(keys, **preset_of("entra", TOKEN_ISSUER=issuer, TOKEN_JWKS_URL=keys))

    assert verify(minted("entra", issuer=issuer, azp=ABSENT, appid="frontend", ver="1.0")).sub == "user-1"
    with pytest.raises(TokenRefused, match=Refusal.REQUIRED_CLAIM):
        verify(minted("entra", "id", issuer=issuer, ver="1.0"))


TIMES = {"exp": NOW + 86_400, "iat": NOW}
CUSTOM: dict[str, tuple[dict[str, str], dict[str, object], str, dict[str, object]]] = {
    "WorkOS": (
        {
            "TOKEN_ISSUER": "https://api.workos.com",
            "TOKEN_JWKS_URL": "https://api.workos.com/sso/jwks/client_1",
            "TOKEN_AUDIENCE": "https://api.workos.com",
            "TOKEN_AUDIENCE_CLAIM": "iss",
            "ADMIN_CLAIM": "permissions=profile-media:admin",
        },
        {"jti": "1", "sid": "session_1", "org_id": "org_1", "permissions": ["profile-media:admin"]},
        "RS256",
        {},
    ),
    "Hydra": (
        {
            "TOKEN_ISSUER": "https://hydra.example.com/",
            "TOKEN_JWKS_URL": "https://hydra.example.com/.well-known/jwks.json",
            "TOKEN_AUDIENCE": "backend",
            "TOKEN_AUDIENCE_CLAIM": "aud,client_id",
            "ADMIN_CLAIM": "scp=profile-media:admin",
        },
        {"aud": [], "client_id": "backend", "ext": {}, "nbf": NOW, "jti": "1", "scp": ["profile-media:admin"]},
        "RS256",
        {},
    ),
    "Logto": (
        {
            "TOKEN_ISSUER": "https://example.logto.app/oidc",
            "TOKEN_JWKS_URL": "https://example.logto.app/oidc/jwks",
            "TOKEN_AUDIENCE": "https://api.example.com",
        },
        {"aud": "https://api.example.com", "client_id": "app", "jti": "1", "scope": "profile-media:admin"},
        "ES384",
        {"typ": "at+jwt"},
    ),
}


@pytest.mark.parametrize(("settings", "claims", "algorithm", "header"), CUSTOM.values(), ids=CUSTOM)
def test_other_provider_is_accepted_with_custom_settings(
    settings: dict[str, str], claims: dict[str, object], algorithm: str, header: dict[str, object], deploy: Deploy
) -> None:
    verify = deploy(settings["TOKEN_JWKS_URL"], **settings)
    usual = {"iss": settings["TOKEN_ISSUER"], "sub": "user-1", **TIMES, **claims}

    verified = verify(token(usual, algorithm, header))

    assert (verified.sub, verified.admin) == ("user-1", True)
    audience_claims = settings.get("TOKEN_AUDIENCE_CLAIM", "aud").split(",")
    for wrong in (dict.fromkeys(audience_claims, "stranger"), {"iss": "https://stranger.example.com"}):
        with pytest.raises(TokenRefused):
            verify(token({**usual, **wrong}, algorithm, header))


@pytest.mark.parametrize(
    ("provider", "issuer"),
    [
        ("auth0", "https://example.eu.auth0.com"),
        ("auth0", "https://example.eu.auth0.com/x/"),
        ("clerk", "https://clerk.example.com/"),
        ("cognito", "https://cognito-idp.eu-central-1.amazonaws.com"),
        ("entra", f"https://login.microsoftonline.com/{TENANT}"),
        ("entra", f"https://sts.windows.net/{TENANT}/"),
        ("firebase", "https://firebase.example.com/my-project"),
        ("keycloak", "https://id.example.com"),
        ("okta", "https://example.okta.com"),
        ("supabase", "https://example.supabase.co"),
    ],
)
def test_issuer_of_another_form_is_refused(provider: str, issuer: str) -> None:
    with pytest.raises(ValueError, match=find_provider(provider).example):
        find_provider(provider).key_set_url(issuer)


@pytest.mark.parametrize("name", PROVIDERS)
def test_example_of_issuer_has_the_form_of_the_preset(name: str) -> None:
    assert PROVIDERS[name].key_set_url(PROVIDERS[name].example).startswith("https://")
    assert PROVIDERS[name].identity_claims.keys() == PROVIDERS["custom"].identity_claims.keys()


def test_custom_key_set_url_follows_the_issuer() -> None:
    urls = {PROVIDERS["custom"].key_set_url(f"https://issuer.example.com{slash}") for slash in ("", "/")}

    assert urls == {"https://issuer.example.com/.well-known/jwks.json"}


def test_unknown_preset_or_field_is_refused() -> None:
    with pytest.raises(ValueError, match="cognito"):
        find_provider("Cognito")
    with pytest.raises(ValueError, match="first_name"):
        identity_claims("name=name", PROVIDERS["custom"].identity_claims)
