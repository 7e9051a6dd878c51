"""The development token issuer: users, their tokens, and a JWKS endpoint that the real authorizer reads.

    GET  /.well-known/jwks.json     the public keys
    POST /tokens                    {"user": "ada", "expired": true, …} → {"token": "…"}

It also mints invalid tokens, for tests.
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
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request, Response

AUDIENCE = "profile-media-local"
DEFAULT_TTL = 8 * 3600
"""Seconds: a working day."""

ALGORITHMS = ("RS256", "ES256", "HS256", "none")
"""Two that the service accepts, and two that it must refuse."""


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
    audience: str = AUDIENCE
    issuer: str | None = None
    tenant: str | None = None
    """Replaces the user's own tenant; an empty one removes the claim."""
    scope: str | None = None
    alg: str = "RS256"
    """HS256 uses the public key as the secret, as an attacker would."""
    key: str = "published"
    """`other` signs with an unpublished key under a published key's id."""
    kid: str | None = None


class Issuer:
    """The issuer as a WSGI application, with new keys for each stack.

    If `tenant_claim` is not empty, every token contains the user's tenant in that claim.
    """

    def __init__(self, url: str, tenant_claim: str = "") -> None:
        self.url = url
        self._tenant_claim = tenant_claim
        self._rsa = rsa.generate_private_key(65537, 2048)
        self._ec = ec.generate_private_key(ec.SECP256R1())
        self._other_rsa = rsa.generate_private_key(65537, 2048)
        self._other_ec = ec.generate_private_key(ec.SECP256R1())

    def jwks(self) -> dict[str, Any]:
        """Return the public keys."""
        keys = (
            (RSAAlgorithm.to_jwk(self._rsa.public_key(), as_dict=True), "RS256"),
            (ECAlgorithm.to_jwk(self._ec.public_key(), as_dict=True), "ES256"),
        )
        return {"keys": [{**key, "kid": _kid(alg), "alg": alg, "use": "sig"} for key, alg in keys]}

    def mint(self, request: TokenRequest) -> str:
        """Return a signed token. Raise RequestInvalid."""
        if request.user not in PEOPLE:
            raise RequestInvalid(f"there is no user {request.user}; the users are {', '.join(PEOPLE)}")
        if request.alg not in ALGORITHMS:
            raise RequestInvalid(f"{request.alg} is not one of {', '.join(ALGORITHMS)}")
        headers = {"kid": request.kid or _kid(request.alg)}
        claims = self._claims(request)
        if request.alg == "HS256":
            return self._signed_with_public_key(headers, claims)
        is_other = request.key != "published"
        keys: dict[str, Any] = {
            "RS256": self._other_rsa if is_other else self._rsa,
            "ES256": self._other_ec if is_other else self._ec,
        }
        return jwt.encode(claims, keys.get(request.alg, ""), algorithm=request.alg, headers=headers)

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

    def _claims(self, request: TokenRequest) -> dict[str, Any]:
        person = PEOPLE[request.user]
        now = int(time.time())
        issued = now - 2 * request.ttl if request.expired else now
        own_tenant = person.tenant if self._tenant_claim else None
        tenant = own_tenant if request.tenant is None else request.tenant or None
        chosen = {self._tenant_claim or TENANT_CLAIM: tenant, "scope": request.scope}
        return {
            "iss": request.issuer or self.url,
            "sub": person.user_id if request.subject is None else request.subject,
            "aud": request.audience,
            "iat": issued,
            "exp": issued + request.ttl,
            "auth_time": issued,
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "email": person.email,
            **person.claims,
            **{name: value for name, value in chosen.items() if value is not None},
        }

    def _signed_with_public_key(self, headers: dict[str, str], claims: dict[str, Any]) -> str:
        """Sign with the public key as an HMAC secret, which PyJWT refuses to do."""
        secret = self._rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        parts = [{"alg": "HS256", "typ": "JWT", **headers}, claims]
        signed = ".".join(_segment(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_segment(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _kid(alg: str) -> str:
    return "local-ec" if alg == "ES256" else "local-rsa"


def _segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
