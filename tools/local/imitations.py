"""Tokens of the shapes that identity providers document, for the local issuer and for the tests of the presets.

docs/identity-providers/ names the documents. Each imitation has a user's access token, the ID token that must not be
accepted in its place, and the token with which a back end calls as an administrator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

type Claims = dict[str, Any]

KINDS = ("access", "id", "machine")


@dataclass(frozen=True)
class Subject:
    """The user of a token, and the times and names that it contains."""

    user_id: str
    given_name: str
    family_name: str
    email: str
    issuer: str
    audience: str
    """The value of the audience claim: the API or the client, as the provider documents."""
    issued: int
    expires: int
    is_admin: bool = False
    email_verified: bool = True
    picture: str | None = None

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.given_name} {self.family_name}"

    @property
    def times(self) -> Claims:
        """The registered claims that all tokens have."""
        return {"iss": self.issuer, "sub": self.user_id, "iat": self.issued, "exp": self.expires}

    @property
    def openid(self) -> Claims:
        """The claims of OpenID Connect about the user."""
        claims = {
            "name": self.name,
            "given_name": self.given_name,
            "family_name": self.family_name,
            "email": self.email,
            "email_verified": self.email_verified,
        }
        return claims if self.picture is None else {**claims, "picture": self.picture}

    def scope(self, admin: str, usual: str = "openid profile email") -> str:
        """Return the text of scopes."""
        return f"{usual} {admin}" if self.is_admin else usual


@dataclass(frozen=True)
class Imitation:
    """The shape of one provider's tokens."""

    issuer: str
    audience: str
    access: Callable[[Subject], Claims]
    id: Callable[[Subject], Claims]
    machine: Callable[[Subject], Claims]
    algorithm: str = "RS256"
    header: Mapping[str, str] = MappingProxyType({"typ": "JWT"})


CLIENT = "frontend-client"
"""The client that requested the token, if the audience is not a client."""

TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
MACHINE = "backend-client"


def _auth0(subject: Subject) -> Claims:
    userinfo = f"{subject.issuer}userinfo"
    scope = subject.scope("profile-media:admin")
    return {**subject.times, "aud": [subject.audience, userinfo], "azp": CLIENT, "scope": scope}


def _auth0_machine(subject: Subject) -> Claims:
    return {
        **subject.times,
        "sub": f"{MACHINE}@clients",
        "aud": subject.audience,
        "azp": MACHINE,
        "gty": "client-credentials",
        "scope": "profile-media:admin",
    }


def _id_token(subject: Subject) -> Claims:
    """Return the ID token of OpenID Connect for the client."""
    return {
        **subject.times,
        **subject.openid,
        "aud": CLIENT,
        "nonce": "n-0S6_WzA2Mj",
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
    }


def _clerk(subject: Subject) -> Claims:
    claims = {"azp": subject.audience, "sid": "sess_2x", "v": 2, "fva": [0, -1], "nbf": subject.issued - 10}
    added = {**subject.openid, "scope": "profile-media:admin"} if subject.is_admin else subject.openid
    return {**subject.times, **claims, "jti": "5f3c0a6e1b", "pla": "u:free", **added}


def _clerk_id(subject: Subject) -> Claims:
    return {**_id_token(subject), "aud": subject.audience, "azp": subject.audience, "sid": "sess_2x"}


def _clerk_machine(subject: Subject) -> Claims:
    custom = {"aud": subject.audience, "scope": "profile-media:admin"}
    return {**subject.times, "sub": "mch_2vYVtest", "nbf": subject.issued - 10, "jti": "mt_2xKa9Bgv7N", **custom}


def _cognito(subject: Subject) -> Claims:
    return {
        **subject.times,
        "client_id": subject.audience,
        "token_use": "access",
        "scope": subject.scope("profile-media/admin", "aws.cognito.signin.user.admin openid"),
        "version": 2,
        "auth_time": subject.issued,
        "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "event_id": "64f513be-32db-42b0-b78e-b02127b4f463",
        "jti": "aaaaaaaa-bbbb-cccc-dddd-ffffffffffff",
        "username": subject.email.partition("@")[0],
    }


def _cognito_id(subject: Subject) -> Claims:
    return {**subject.times, **subject.openid, "aud": subject.audience, "token_use": "id", "cognito:username": "ada"}


def _cognito_machine(subject: Subject) -> Claims:
    return {
        **subject.times,
        "sub": subject.audience,
        "client_id": subject.audience,
        "token_use": "access",
        "scope": "profile-media/admin",
        "version": 2,
        "auth_time": subject.issued,
        "jti": "aaaaaaaa-bbbb-cccc-dddd-000000000000",
    }


def _entra(subject: Subject) -> Claims:
    return {
        **subject.times,
        "aud": subject.audience,
        "nbf": subject.issued,
        "tid": TENANT,
        "oid": "00000000-0000-0000-66f3-3332eca7ea81",
        "azp": CLIENT,
        "azpacr": "0",
        "scp": "access_as_user",
        **({"roles": ["profile-media.admin"]} if subject.is_admin else {}),
        "name": subject.name,
        "preferred_username": subject.email,
        "ver": "2.0",
    }


def _entra_id(subject: Subject) -> Claims:
    return {
        **subject.times,
        "aud": subject.audience,
        "nbf": subject.issued,
        "tid": TENANT,
        "oid": "00000000-0000-0000-66f3-3332eca7ea81",
        "nonce": "12345",
        "name": subject.name,
        "preferred_username": subject.email,
        "ver": "2.0",
    }


def _entra_machine(subject: Subject) -> Claims:
    return {
        **subject.times,
        "sub": "8f2a2f5c-0000-0000-0000-2b8f0c3c1c11",
        "aud": subject.audience,
        "nbf": subject.issued,
        "tid": TENANT,
        "oid": "8f2a2f5c-0000-0000-0000-2b8f0c3c1c11",
        "azp": MACHINE,
        "azpacr": "1",
        "idtyp": "app",
        "roles": ["profile-media.admin"],
        "ver": "2.0",
    }


def _firebase(subject: Subject) -> Claims:
    return {
        **subject.times,
        "aud": subject.audience,
        "auth_time": subject.issued,
        "user_id": subject.user_id,
        "name": subject.name,
        "email": subject.email,
        "email_verified": subject.email_verified,
        **({"picture": subject.picture} if subject.picture else {}),
        **({"profile_media_admin": True} if subject.is_admin else {}),
        "firebase": {"identities": {"email": [subject.email]}, "sign_in_provider": "password"},
    }


def _firebase_cookie(subject: Subject) -> Claims:
    """Return a session cookie, which other keys sign; Firebase has no tokens but ID tokens."""
    return {**_firebase(subject), "iss": f"https://session.firebase.google.com/{subject.audience}"}


def _firebase_machine(subject: Subject) -> Claims:
    return {
        **subject.times,
        "sub": MACHINE,
        "user_id": MACHINE,
        "aud": subject.audience,
        "auth_time": subject.issued,
        "profile_media_admin": True,
        "firebase": {"identities": {}, "sign_in_provider": "custom"},
    }


def _keycloak(subject: Subject) -> Claims:
    return {
        **subject.times,
        "jti": "onrtac:5d6f6d4b",
        "typ": "Bearer",
        "azp": subject.audience,
        "sid": "b5c1b1f4",
        "acr": "1",
        "allowed-origins": ["https://app.example.com"],
        "scope": subject.scope("profile-media:admin"),
        "preferred_username": subject.email.partition("@")[0],
        **{name: value for name, value in subject.openid.items() if name != "picture"},
    }


def _keycloak_id(subject: Subject) -> Claims:
    return {**_id_token(subject), "aud": subject.audience, "azp": subject.audience, "typ": "ID", "sid": "b5c1b1f4"}


def _keycloak_machine(subject: Subject) -> Claims:
    return {
        **subject.times,
        "sub": "c0a8f6f0-1c1f-4d2b-9f9b-0e8e6a0f7d11",
        "jti": "trrtcc:0d6f6d4b",
        "typ": "Bearer",
        "azp": subject.audience,
        "acr": "1",
        "scope": "profile-media:admin",
        "preferred_username": f"service-account-{MACHINE}",
        "client_id": subject.audience,
        "clientHost": "192.0.2.1",
    }


def _okta(subject: Subject) -> Claims:
    return {
        **subject.times,
        "ver": 1,
        "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
        "aud": subject.audience,
        "cid": CLIENT,
        "uid": "00uid4BxXw6I6TV4m0g3",
        "scp": [*(["profile-media:admin"] if subject.is_admin else []), "openid", "profile", "email"],
        "auth_time": subject.issued,
    }


def _okta_id(subject: Subject) -> Claims:
    return {**_id_token(subject), "ver": 1, "jti": "ID.4eAWJOCMB3SX8XewDfVR", "amr": ["pwd"], "idp": "00o1"}


def _okta_machine(subject: Subject) -> Claims:
    return {
        **subject.times,
        "sub": MACHINE,
        "ver": 1,
        "jti": "AT.machine",
        "aud": subject.audience,
        "cid": MACHINE,
        "scp": ["profile-media:admin"],
    }


def _supabase(subject: Subject) -> Claims:
    admin = {"profile_media_admin": True} if subject.is_admin else {}
    return {
        **subject.times,
        "aud": subject.audience,
        "role": "authenticated",
        "aal": "aal1",
        "session_id": "6a1b7c4e",
        "email": subject.email,
        "phone": "",
        "is_anonymous": False,
        "app_metadata": {"provider": "google", "providers": ["google"], **admin},
        "user_metadata": {"full_name": subject.name, **({"avatar_url": subject.picture} if subject.picture else {})},
        "amr": [{"method": "oauth", "timestamp": subject.issued}],
    }


def _supabase_machine(subject: Subject) -> Claims:
    claims = {**_supabase(subject), "sub": "1f0e5d3c-7a3a-4f63-9c1d-2b2f6d5a9e10", "email": "backend@example.com"}
    return {**claims, "app_metadata": {"provider": "email", "profile_media_admin": True}, "user_metadata": {}}


IMITATIONS: Mapping[str, Imitation] = MappingProxyType(
    {
        "auth0": Imitation(
            "https://local.eu.auth0.com/", "https://profile-media.example.com", _auth0, _id_token, _auth0_machine
        ),
        "clerk": Imitation(
            "https://local.clerk.accounts.dev", "https://app.example.com", _clerk, _clerk_id, _clerk_machine
        ),
        "cognito": Imitation(
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_LocalPool",
            "1example23456789",
            _cognito,
            _cognito_id,
            _cognito_machine,
            header=MappingProxyType({}),
        ),
        "entra": Imitation(
            f"https://login.microsoftonline.com/{TENANT}/v2.0",
            "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            _entra,
            _entra_id,
            _entra_machine,
        ),
        "firebase": Imitation(
            "https://securetoken.google.com/local-project",
            "local-project",
            _firebase,
            _firebase_cookie,
            _firebase_machine,
        ),
        "keycloak": Imitation(
            "https://id.example.com/realms/local", "frontend", _keycloak, _keycloak_id, _keycloak_machine
        ),
        "okta": Imitation(
            "https://local.okta.com/oauth2/default",
            "api://default",
            _okta,
            _okta_id,
            _okta_machine,
            header=MappingProxyType({}),
        ),
        "supabase": Imitation(
            "https://local.supabase.co/auth/v1",
            "authenticated",
            _supabase,
            _id_token,
            _supabase_machine,
            algorithm="ES256",
        ),
    }
)
"""By the name of the preset."""
