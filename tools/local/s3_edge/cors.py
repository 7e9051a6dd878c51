"""A bucket's CORS rules, applied to requests as S3 applies them: the first rule that matches answers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from werkzeug.datastructures import Headers

from tools.local.s3_edge.refusal import Refusal, bad_request, forbidden

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD"})
"""What a rule can allow; a preflight for another method asks for nothing S3 has."""

VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the bucket. Origins and headers may hold a `*`, each one at most."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    """Seconds a browser may remember the answer to a preflight."""

    def allowed_origin(self, origin: str) -> str | None:
        """What to answer as the allowed origin; None if the rule does not allow it."""
        if "*" in self.origins:
            return "*"
        return origin if any(_matches(pattern, origin) for pattern in self.origins) else None

    def allows_headers(self, names: Iterable[str]) -> bool:
        """Whether a request may send these headers; their names are in lower case."""
        patterns = [pattern.lower() for pattern in self.headers]
        return all(any(_matches(pattern, name) for pattern in patterns) for name in names)

    def answer(self, origin: str) -> dict[str, str]:
        """The headers that let a page of this origin read the answer."""
        headers = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": ", ".join(self.methods)}
        if self.exposed:
            headers["Access-Control-Expose-Headers"] = ", ".join(self.exposed)
        if self.max_age is not None:
            headers["Access-Control-Max-Age"] = str(self.max_age)
        if origin != "*":
            headers["Access-Control-Allow-Credentials"] = "true"
        return headers


def read_rules(s3: "S3Client", bucket: str) -> tuple[Rule, ...]:
    """The bucket's rules as they are now; none where it has no CORS configuration."""
    try:
        configured = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchCORSConfiguration":
            return ()
        raise
    return tuple(
        Rule(
            origins=tuple(rule["AllowedOrigins"]),
            methods=tuple(rule["AllowedMethods"]),
            headers=tuple(rule.get("AllowedHeaders", ())),
            exposed=tuple(rule.get("ExposeHeaders", ())),
            max_age=rule.get("MaxAgeSeconds"),
        )
        for rule in configured
    )


def actual(rules: Iterable[Rule], method: str, origin: str | None) -> dict[str, str]:
    """What to add to the answer of a request that is no preflight, whatever that answer is."""
    for rule in rules if origin is not None else ():
        allowed = rule.allowed_origin(origin or "")
        if allowed is not None and method in rule.methods:
            return {**rule.answer(allowed), "Vary": VARY}
    # An answer without these headers must not be kept for an origin that would get them.
    return {"Vary": VARY}


def preflight(rules: tuple[Rule, ...], requested: Headers) -> dict[str, str]:
    """The headers that answer a preflight with its 200; raises Refusal with S3's 400 or 403."""
    origin = requested.get("Origin")
    method = requested.get("Access-Control-Request-Method")
    if origin is None:
        raise bad_request("BadRequest", "Insufficient information. Origin request header needed.")
    if method not in METHODS:
        raise bad_request("BadRequest", f"Invalid Access-Control-Request-Method: {method or 'null'}")
    if not rules:
        raise _forbidden("CORSResponse: CORS is not enabled for this bucket.", method)
    names = [name.strip().lower() for name in requested.get("Access-Control-Request-Headers", "").split(",")]
    names = [name for name in names if name]
    for rule in rules:
        allowed = rule.allowed_origin(origin)
        if allowed is not None and method in rule.methods and rule.allows_headers(names):
            headers = {"Access-Control-Allow-Headers": ", ".join(names)} if names else {}
            return {**rule.answer(allowed), **headers, "Vary": VARY}
    reason = (
        "This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
        "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's "
        "CORS spec."
    )
    raise _forbidden(f"CORSResponse: {reason}", method)


def _forbidden(message: str, method: str) -> Refusal:
    return forbidden("AccessForbidden", message, Method=method, ResourceType="BUCKET")


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
