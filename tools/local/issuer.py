"""The development issuer: people to sign in as, their tokens, and a JWKS endpoint that the real authorizer reads.

    GET  /.well-known/jwks.json     the public keys
    POST /tokens                    {"user": "ada", "expired": true, …} → {"token": "…"}

It mints bad tokens as readily as good ones: that is what `make token` is for.
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
LONG = 8 * 3600
"""Seconds that a development user's token lasts: a working day."""

ALGORITHMS = ("RS256", "ES256", "HS256", "none")
"""Those the service takes, and two that it must not."""


@dataclass(frozen=True)
class Person:
    """Somebody to sign in as."""

    user_id: str
    given_name: str
    family_name: str
    email: str
    claims: Mapping[str, object] = field(default_factory=dict)
    """What else the person's token says; not everybody's says the same."""
    tenant: str = "acme"

    @property
    def name(self) -> str:
        """In full."""
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
"""By the name that `make token USER=…` takes. Subjects hold what real ones hold, so that keys have to cope."""

TENANT_CLAIM = "tenant"
"""The claim that `make token ARGS="--tenant …"` sets where the stack keeps no tenants apart."""


class RequestUnknown(ValueError):
    """What was asked for is not something this issuer can mint."""


@dataclass(frozen=True)
class Wish:
    """What a token should be like, where it differs from a good one."""

    user: str
    subject: str | None = None
    """Another than the user's own: somebody new of the same name, where five people are not enough."""
    expired: bool = False
    ttl: int = LONG
    """Seconds."""
    audience: str = AUDIENCE
    issuer: str | None = None
    tenant: str | None = None
    """Another than the user's own; an empty one leaves the claim out."""
    scope: str | None = None
    alg: str = "RS256"
    """HS256 signs with the public key as the secret, as an attacker would."""
    key: str = "published"
    """Or `other`: one the JWKS endpoint does not have, under the name of one that it has."""
    kid: str | None = None


class Issuer:
    """Holds the keys, made anew for each stack; as a WSGI application it publishes and mints.

    Where the stack keeps tenants apart, by the claim it is given here, everybody's tokens say whose they are.
    """

    def __init__(self, url: str, tenant_claim: str = "") -> None:
        self.url = url
        self._tenant_claim = tenant_claim
        self._rsa = rsa.generate_private_key(65537, 2048)
        self._ec = ec.generate_private_key(ec.SECP256R1())
        self._other_rsa = rsa.generate_private_key(65537, 2048)
        self._other_ec = ec.generate_private_key(ec.SECP256R1())

    def jwks(self) -> dict[str, Any]:
        """The published keys."""
        keys = (
            (RSAAlgorithm.to_jwk(self._rsa.public_key(), as_dict=True), "RS256"),
            (ECAlgorithm.to_jwk(self._ec.public_key(), as_dict=True), "ES256"),
        )
        return {"keys": [{**key, "kid": _kid(alg), "alg": alg, "use": "sig"} for key, alg in keys]}

    def mint(self, wish: Wish) -> str:
        """A token as wished for; raises RequestUnknown."""
        if wish.user not in PEOPLE:
            raise RequestUnknown(f"nobody is called {wish.user}; there are {', '.join(PEOPLE)}")
        if wish.alg not in ALGORITHMS:
            raise RequestUnknown(f"{wish.alg} is none of {', '.join(ALGORITHMS)}")
        headers = {"kid": wish.kid or _kid(wish.alg)}
        claims = self._claims(wish)
        if wish.alg == "HS256":
            return self._confused(headers, claims)
        is_other = wish.key != "published"
        keys: dict[str, Any] = {
            "RS256": self._other_rsa if is_other else self._rsa,
            "ES256": self._other_ec if is_other else self._ec,
        }
        return jwt.encode(claims, keys.get(wish.alg, ""), algorithm=wish.alg, headers=headers)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if (request.method, request.path) == ("GET", "/.well-known/jwks.json"):
            return _json(self.jwks())
        if (request.method, request.path) == ("POST", "/tokens"):
            try:
                return _json({"token": self.mint(Wish(**json.loads(request.get_data())))})
            except (RequestUnknown, TypeError, ValueError, OSError, ClientDisconnected) as error:
                return _json({"message": str(error)}, 400)
        return _json({"message": "there are GET /.well-known/jwks.json and POST /tokens"}, 404)

    def _claims(self, wish: Wish) -> dict[str, Any]:
        person = PEOPLE[wish.user]
        now = int(time.time())
        issued = now - 2 * wish.ttl if wish.expired else now
        own_tenant = person.tenant if self._tenant_claim else None
        tenant = own_tenant if wish.tenant is None else wish.tenant or None
        chosen = {self._tenant_claim or TENANT_CLAIM: tenant, "scope": wish.scope}
        return {
            "iss": wish.issuer or self.url,
            "sub": person.user_id if wish.subject is None else wish.subject,
            "aud": wish.audience,
            "iat": issued,
            "exp": issued + wish.ttl,
            "auth_time": issued,
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "email": person.email,
            **person.claims,
            **{name: value for name, value in chosen.items() if value is not None},
        }

    def _confused(self, headers: dict[str, str], claims: dict[str, Any]) -> str:
        """An HMAC with the public key for a secret; PyJWT itself refuses to make one."""
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
