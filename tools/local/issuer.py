"""The development token issuer: users, their tokens, and a JWKS endpoint that the real authorizer reads.

    GET  /.well-known/jwks.json     the public keys
    POST /tokens                    {"user": "ada", "expired": true, …} → {"token": "…"}

It also mints invalid tokens, for tests, and tokens that look like those of an identity provider (`imitations`).
"""

import base64
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import get_default_algorithms
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request, Response

from profile_media.auth.algorithms import ALGORITHMS as ACCEPTED
from profile_media.auth.policy import ISSUER_TENANT
from tools.local.imitations import IMITATIONS, KINDS, TENANT, Imitation, Subject

AUDIENCE = "profile-media-local"
DEFAULT_TTL = 8 * 3600
"""Seconds: a working day."""

ALGORITHMS = (*ACCEPTED, "HS256", "none")
"""The algorithms that the service accepts, and two that it must refuse."""

RSA = "RS256"
"""The name of the key of all RSA algorithms."""

PROVIDERS = (*IMITATIONS, "custom")


@dataclass(frozen=True)
class Person:
    """A development user."""

    user_id: str
    given_name: str
    family_name: str
    email: str
    claims: Mapping[str, object] = field(default_factory=dict)
    """Further claims of the user's tokens."""
    tenant: str = "acme"

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.given_name} {self.family_name}"


PEOPLE = {
    "ada": Person(
        "auth0|ada",
        "Ada",
        "Lovelace",
        "ada@example.com",
        {
            "email_verified": True,
            "phone_number": "+442079460018",
            "picture": "https://example.com/people/ada.png",
            "role": "editor",
        },
    ),
    "grace": Person(
        "auth0|grace",
        "Grace",
        "Hopper",
        "grace@example.com",
        {"email_verified": True, "phone_number": "+12025550143", "role": "reader"},
    ),
    "linus": Person(
        "google-oauth2|1029384756",
        "Linus",
        "Torvalds",
        "linus@example.com",
        {"email_verified": False, "picture": "https://example.com/people/linus.png"},
    ),
    "noor": Person("saml|noor/42+$%", "Noor", "Inayat Khan", "noor@example.com", {"roles": ["reader"]}, "globex"),
    "admin": Person(
        "auth0|admin",
        "Alex",
        "Admin",
        "admin@example.com",
        {"email_verified": True, "role": "admin", "scope": "profile-media:admin"},
    ),
}
"""By the name that `make token USER=…` takes. The subjects contain characters that real subjects contain."""

TENANT_CLAIM = "tenant"
"""The claim that `make token ARGS="--tenant …"` sets if the template's TenantClaim is empty."""


class RequestInvalid(ValueError):
    """The issuer cannot mint the requested token."""


@dataclass(frozen=True)
class TokenRequest:
    """A token's properties. The defaults make a valid token."""

    user: str
    subject: str | None = None
    """Replaces the user's own subject: another user of the same name."""
    expired: bool = False
    ttl: int = DEFAULT_TTL
    """Seconds."""
    audience: str | None = None
    issuer: str | None = None
    tenant: str | None = None
    """Replaces the user's own tenant; an empty one removes the claim."""
    scope: str | None = None
    alg: str | None = None
    """HS256 uses the public key as the secret, as an attacker would."""
    provider: str | None = None
    """The identity provider to imitate; the stack's by default."""
    kind: str = "access"
    """An imitated provider's `access`, `id` or `machine` token."""
    key: str = "published"
    """`other` signs with an unpublished key under a published key's id."""
    kid: str | None = None


class Keys:
    """Private keys for all algorithms."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = keys

    @classmethod
    def generate(cls) -> "Keys":
        """Return new keys."""
        curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
        elliptic: dict[str, Any] = {alg: ec.generate_private_key(curve) for alg, curve in curves.items()}
        rsa_key = rsa.generate_private_key(65537, 2048)
        return cls({RSA: rsa_key, "EdDSA": ed25519.Ed25519PrivateKey.generate(), **elliptic})

    @classmethod
    def parse(cls, pems: Mapping[str, str]) -> "Keys":
        """Return keys that were exported."""
        return cls({alg: load_pem_private_key(pem.encode(), None) for alg, pem in pems.items()})

    def export(self) -> dict[str, str]:
        """Return the keys in PEM."""
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {alg: key.private_bytes(*form).decode() for alg, key in self._keys.items()}

    def private(self, alg: str) -> Any:
        """Return the key for an algorithm; the algorithms of RSA share one."""
        return "" if alg == "none" else self._keys.get(alg, self._keys[RSA])


class Issuer:
    """The issuer as a WSGI application, with new keys unless some are given.

    `provider`, `issuer` and `audience` are what the stack accepts by its template parameters. If `tenant_claim` is not
    empty, every token contains the user's tenant in that claim.
    """

    def __init__(
        self,
        url: str,
        tenant_claim: str = "",
        provider: str = "custom",
        issuer: str = "",
        audience: str = AUDIENCE,
        *,
        keys: Keys | None = None,
    ) -> None:
        self.url = url
        self._tenant_claim = tenant_claim
        self._provider = provider or "custom"
        self._issuer = (issuer or url).replace(ISSUER_TENANT, TENANT)
        self._audience = audience.partition(",")[0]
        self.keys = keys or Keys.generate()
        self._unpublished = Keys.generate()

    def jwks(self) -> dict[str, Any]:
        """Return the public keys."""
        algorithms = get_default_algorithms()
        keys = {alg: algorithms[alg].to_jwk(self.keys.private(alg).public_key(), as_dict=True) for alg in ACCEPTED}
        return {"keys": [{**key, "kid": _kid(alg), "alg": alg, "use": "sig"} for alg, key in keys.items()]}

    def mint(self, request: TokenRequest) -> str:
        """Return a signed token. Raise RequestInvalid."""
        provider = request.provider or self._provider
        if request.user not in PEOPLE:
            raise RequestInvalid(f"there is no user {request.user}; the users are {', '.join(PEOPLE)}")
        if provider not in PROVIDERS or request.kind not in KINDS:
            raise RequestInvalid(f"the providers are {', '.join(PROVIDERS)}, and the kinds {', '.join(KINDS)}")
        imitation = IMITATIONS.get(provider)
        if imitation is None and request.kind != "access":
            raise RequestInvalid(f"only imitated providers have tokens of kind {request.kind}")
        alg = request.alg or (imitation.algorithm if imitation else "RS256")
        if alg not in ALGORITHMS:
            raise RequestInvalid(f"{alg} is not one of {', '.join(ALGORITHMS)}")
        headers = {"kid": request.kid or _kid(alg), "typ": imitation.header.get("typ", "") if imitation else "JWT"}
        claims = self._claims(request, imitation, is_own=provider == self._provider)
        if alg == "HS256":
            return self._signed_with_public_key(headers, claims)
        keys = self.keys if request.key == "published" else self._unpublished
        return jwt.encode(claims, keys.private(alg), algorithm=alg, headers=headers)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if (request.method, request.path) == ("GET", "/.well-known/jwks.json"):
            return _json(self.jwks())
        if (request.method, request.path) == ("POST", "/tokens"):
            try:
                return _json({"token": self.mint(TokenRequest(**json.loads(request.get_data())))})
            except (RequestInvalid, TypeError, ValueError, OSError, ClientDisconnected) as error:
                return _json({"message": str(error)}, 400)
        return _json({"message": "use GET /.well-known/jwks.json or POST /tokens"}, 404)

    def _claims(self, request: TokenRequest, imitation: Imitation | None, *, is_own: bool) -> dict[str, Any]:
        person = PEOPLE[request.user]
        now = int(time.time())
        issued = now - 2 * request.ttl if request.expired else now
        own = (self._issuer, self._audience)
        issuer, audience = own if is_own or imitation is None else (imitation.issuer, imitation.audience)
        subject = Subject(
            user_id=person.user_id if request.subject is None else request.subject,
            given_name=person.given_name,
            family_name=person.family_name,
            email=person.email,
            issuer=request.issuer or issuer,
            audience=audience if request.audience is None else request.audience,
            issued=issued,
            expires=issued + request.ttl,
            is_admin="scope" in person.claims,
            email_verified=person.claims.get("email_verified") is True,
            picture=str(person.claims["picture"]) if "picture" in person.claims else None,
        )
        own_tenant = person.tenant if self._tenant_claim else None
        tenant = own_tenant if request.tenant is None else request.tenant or None
        chosen = {self._tenant_claim or TENANT_CLAIM: tenant, "scope": request.scope}
        claims = getattr(imitation, request.kind)(subject) if imitation else _usual(subject, person)
        return {**claims, **{name: value for name, value in chosen.items() if value is not None}}

    def _signed_with_public_key(self, headers: dict[str, str], claims: dict[str, Any]) -> str:
        """Sign with the public key as an HMAC secret, which PyJWT refuses to do."""
        secret = self.keys.private(RSA).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        parts = [{"alg": "HS256", "typ": "JWT", **headers}, claims]
        signed = ".".join(_segment(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_segment(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _usual(subject: Subject, person: Person) -> dict[str, Any]:
    """Return the claims of a token that imitates no provider."""
    return {
        **subject.times,
        "aud": subject.audience,
        "auth_time": subject.issued,
        "name": subject.name,
        "given_name": subject.given_name,
        "family_name": subject.family_name,
        "email": subject.email,
        **person.claims,
    }


def _kid(alg: str) -> str:
    return f"local-{alg if alg in ACCEPTED else 'RS256'}"


def _segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
